/**
 * Plants bugs in changes that travel without their document.
 */
import type { Plant } from "./Plant.ts"

export const deltaPlants: ReadonlyArray<Plant> = [
  {
    name: "delta-applied-without-its-base",
    bug: "a replica joins a change without the dots before it",
    edits: [{
      file: "src/replica/Arrival.ts",
      from: "!VersionVector.covers(document.context, edit.base)",
      to: `!VersionVector.covers(
        document.context,
        // Sums that a removal takes away must be there, or nothing could be encoded.
        new Map([...edit.base].filter(([actor]) =>
          edit.deltas.every(({ seen }) => seen.dots.every((dot) => dot.actor !== actor))
        ))
      )`
    }]
  },
  {
    name: "base-from-an-evicted-version",
    bug: "the base of a change is that of an older version than the one that was changed",
    edits: [{
      file: "src/replica/TravellingEdits.ts",
      from: "Edit.make(deltas, before.context)",
      to: `Edit.make(
        deltas,
        new Map([...before.context].map(([actor, counter]) => [actor, Math.max(1, counter - 1)]))
      )`
    }]
  },
  {
    name: "base-of-named-actors-alone",
    bug: "a replica joins a change without a removal that the change does not bring",
    edits: [{
      file: "src/replica/TravellingEdits.ts",
      from: "Edit.make(deltas, before.context)",
      to: `Edit.make(
        deltas,
        new Map([...before.context].filter(([actor]) =>
          deltas.some(({ seen }) => seen.dots.some((dot) => dot.actor === actor))
        ))
      )`
    }]
  },
  {
    name: "retry-confirmed-without-its-document",
    bug: "a replica acknowledges a retry without having what was written",
    edits: [{
      file: "src/replica/TravellingEdits.ts",
      from: "Edit.confirming(context)",
      to: "Edit.confirming(new Map())"
    }]
  },
  {
    name: "changes-join-a-document-that-is-not-shown",
    bug: "a read shows a version that is not on disk, since a replica sent changes of it",
    edits: [{
      file: "src/coordinator/ReadCoordinator.ts",
      from: "if (!this.#hasCompared && !VersionVector.covers(message.context, compared.context)) {",
      to: "if (compared === undefined) {"
    }]
  }
]
