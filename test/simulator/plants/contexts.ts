/**
 * Bugs in what readers are shown, and in what they are told to be lost.
 */
import type { Plant } from "./Plant.ts"

const lost = "src/core/clock/LostDots.ts"
const shown = "src/replica/ShownVersions.ts"

export const contextPlants: ReadonlyArray<Plant> = [
  {
    name: "shown-before-the-disk",
    bug: "a read shows a version that no disk has",
    edits: [{
      file: shown,
      from: "if (document === undefined || document.shownVersion === document.newest) return",
      to: "if (document === undefined || document.newest > 0) return"
    }]
  },
  {
    name: "loss-never-told",
    bug: "no dot is ever surely gone",
    edits: [{
      file: lost,
      from: "if (!owners.every((node) => answered.has(node))) return VersionVector.empty",
      to: "if (owners.length >= 0) return VersionVector.empty"
    }]
  },
  {
    name: "loss-told-without-all-owners",
    bug: "dots are lost though an owner has not answered",
    edits: [{
      file: lost,
      from: "if (!owners.every((node) => answered.has(node))) return VersionVector.empty",
      to: "if (!owners.some((node) => answered.has(node))) return VersionVector.empty"
    }, {
      file: "src/coordinator/ReadCoordinator.ts",
      from: "if (outcome.unreachable.length + outcome.damaged.length > 0) {",
      to: "if (outcome.damaged.length > 0) {"
    }]
  },
  {
    name: "loss-not-forgotten",
    bug: "a session's context keeps what is lost",
    edits: [{
      file: "src/coordinator/ReadOutcome.ts",
      from: "vector: LostDots.without(vector, lost, document.context)",
      to: "vector: lost.size === 0 ? document.context : vector"
    }]
  },
  {
    name: "lost-dots-awaited",
    bug: "removals wait for ever for dots that are lost",
    edits: [{
      file: "src/coordinator/CheckDeferrals.ts",
      from: "  if (gone.size === 0) return",
      to: "  if (gone.size >= 0) return"
    }]
  },
  {
    name: "forgotten-dots-continued",
    bug: "an incarnation goes on that has forgotten its dots",
    edits: [{
      file: "src/replica/DotIssuer.ts",
      from: "if (this.made(actor) && !VersionVector.contains(context, actor, counter)) return true",
      to: "if (this.made(actor) && VersionVector.empty.has(actor)) return true"
    }]
  },
  {
    name: "unshown-version-held",
    bug: "a search for lost dots shows others the version of a write that no disk has",
    edits: [{
      file: "src/coordinator/DotSearch.ts",
      from: "document: this.#withAnswers(Document.empty) }",
      to: "document: this.#joined() }"
    }]
  }
]
