/**
 * Bugs in what a replica keeps on disk, and in when it says so.
 */
import type { Plant } from "./Plant.ts"

const replica = "src/replica/Replica.ts"
const row = "src/replica/Row.ts"

export const storagePlants: ReadonlyArray<Plant> = [
  {
    name: "acknowledged-before-the-sync",
    bug: "a write is acknowledged when the disk has been told, not when it has synced",
    edits: [{
      file: replica,
      from: "else this.#committed(failure, incarnation, settled)",
      to: "else this.#committed(failure, incarnation, () => {})"
    }, {
      file: replica,
      from: "if (refusal !== undefined) return refusal",
      to: "if (refusal !== undefined) return refusal\n    settled(undefined)"
    }]
  },
  {
    name: "retry-acknowledged-before-the-sync",
    bug: "what is known already is acknowledged at once, though it may wait for the disk",
    edits: [{
      file: replica,
      from: "storage.barrier((failure) => {",
      to: ";[undefined].forEach((failure) => {"
    }]
  },
  {
    name: "failed-commit-acknowledged",
    bug: "a commit that failed counts as stored",
    edits: [{
      file: replica,
      from: "    settled(failure)\n  }",
      to: "    settled(undefined)\n  }"
    }]
  },
  {
    name: "ids-not-kept",
    bug: "ids of requests are not read from disk: after a restart a retry applies again",
    edits: [{
      file: row,
      from: "const bare = DocumentCodec.decode(reader.raw(reader.remaining))",
      to: "const bare = { ...DocumentCodec.decode(reader.raw(reader.remaining)), ids: [] }"
    }]
  },
  {
    name: "damage-taken-for-absence",
    bug: "a damaged row counts as one that was never there",
    edits: [{
      file: replica,
      from: "if (result._tag === \"Damaged\") return this.#damaged(result.detail)",
      to: "if (result._tag === \"Damaged\") return { _tag: \"Absent\" }"
    }]
  },
  {
    name: "removed-elements-stay",
    bug: "the rows of removed elements stay on disk",
    edits: [{
      file: row,
      from: "if (!after.children.has(key)) removeAll(child, [...path, key], into)",
      to: "if (!after.children.has(key)) removeAll(child, [...path, key], [])"
    }]
  },
  {
    name: "cache-kept-after-a-failed-commit",
    bug: "what failed to be stored is still served, and built upon",
    edits: [{ file: replica, from: "this.#cache.clear()\n", to: "" }]
  },
  {
    name: "damaged-rest-left",
    bug: "what is left of a damaged row is not removed with its repair",
    edits: [{
      file: replica,
      from: "holding._tag === \"Damaged\" ? [gone, change] : [change]",
      to: "holding._tag === \"Damaged\" ? [change] : [change]"
    }]
  }
]
