/**
 * Bugs in how causes are told from effects: dots, contexts, joins, stamps.
 */
import type { Plant } from "./Plant.ts"

const replica = "src/replica/Replica.ts"

export const causalityPlants: ReadonlyArray<Plant> = [
  {
    name: "actor-reused-after-restart",
    bug: "a restarted node goes on under its last incarnation and counts from the beginning",
    edits: [{
      file: "src/node/NodeCore.ts",
      from: "done(failure ?? incarnation)",
      to: "done(failure ?? previous ?? incarnation)"
    }]
  },
  {
    name: "no-birth-after-a-lost-row",
    bug: "a replica without an intact row continues its former actor",
    edits: [{ file: replica, from: "birth: ++this.#issued", to: "birth: 1" }]
  },
  {
    name: "incarnation-kept-after-a-failed-commit",
    bug: "dots that were sent and not stored are made again",
    edits: [{
      file: replica,
      from: "if (this.#incarnation !== failed) return",
      to: "return"
    }, {
      file: replica,
      from: "dot = { actor, counter: ++this.#issued }",
      to: "dot = { actor, counter: (before.context.get(actor) ?? 0) + 1 }"
    }]
  },
  {
    name: "context-joined-into-a-type",
    bug: "an operation of a data type counts as seen all that its client has seen",
    edits: [{
      file: "src/core/strategy/Mutations.ts",
      from: "seen: { vector: VersionVector.empty, dots:",
      to: "seen: { vector: mutation.seen?.vector ?? VersionVector.empty, dots:"
    }]
  },
  {
    name: "version-vector-for-dots",
    bug: "a dot counts as everything before it of the same actor",
    edits: [{
      file: "src/core/clock/DottedVersionVectorSet.ts",
      from: "if (dot.counter === counter && dot.actor === actor) return true",
      to: "if (dot.counter >= counter && dot.actor === actor) return true"
    }]
  },
  {
    name: "third-sibling-dropped",
    bug: "a join keeps two siblings",
    edits: [{
      file: "src/core/clock/DottedVersionVectorSet.ts",
      from: "return joined.length > 1 ? joined.sort(compareDots) : joined",
      to: "return joined.sort(compareDots).slice(0, 2)"
    }]
  },
  {
    name: "sibling-comes-back",
    bug: "a join keeps values that the other side has seen and replaced",
    edits: [{
      file: "src/core/clock/DottedVersionVectorSet.ts",
      from: "if (hasSeen(leftSeen, sibling.actor, sibling.counter)) continue",
      to: ""
    }]
  },
  {
    name: "blind-put-replaces",
    bug: "a write without a context replaces what its coordinator holds",
    edits: [{
      file: "src/core/strategy/SiblingsStrategy.ts",
      from: "vector: mutation.seen?.vector ?? VersionVector.empty",
      to: "vector: mutation.seen?.vector ?? mutation.document.context"
    }]
  },
  {
    name: "removal-takes-the-unseen",
    bug: "a removal takes what its coordinator holds, seen by its client or not",
    edits: [{
      file: "src/core/strategy/RemoveAt.ts",
      from: "const seen = mutation.seen?.vector ?? context",
      to: "const seen = context"
    }]
  },
  {
    name: "deferral-dropped",
    bug: "a removal forgets what has not arrived yet",
    edits: [{
      file: "src/core/strategy/RemoveAt.ts",
      from: "deferred: caughtUp ? [] : [{ ...mutation.dot, seen, path }]",
      to: "deferred: []"
    }]
  },
  {
    name: "tombstone-dropped",
    bug: "a document without a state is removed from the disk, context and all",
    edits: [{
      file: replica,
      from: "const changes = holding._tag === \"Damaged\" ? [gone, change] : [change]",
      to: "const changes = options.after.store === undefined ? [gone] : [change]"
    }, {
      file: replica,
      from: "this.#cache.set(key, { document, digest: encoded.digest, own }, encoded.bytes.length)",
      to: "this.#cache.clear(), document, encoded, own, key"
    }]
  },
  {
    name: "stamp-without-causal-floor",
    bug: "a register's stamp is the wall clock's, whatever the write has seen",
    edits: [{
      file: "src/core/strategy/LwwStrategy.ts",
      from: "seen: Math.max(seenHere, mutation.stampSeen)",
      to: "seen: Math.min(seenHere, 0)"
    }]
  },
  {
    name: "stamp-ignores-the-client",
    bug: "a register's stamp follows the coordinator's document, not what the client has seen",
    edits: [{
      file: "src/core/strategy/LwwStrategy.ts",
      from: "seen: Math.max(seenHere, mutation.stampSeen)",
      to: "seen: seenHere"
    }]
  },
  {
    name: "tie-goes-to-the-holder",
    bug: "of two writes with one stamp, each replica keeps its own",
    edits: [{
      file: "src/core/crdt/Join.ts",
      from: "if (left.actor !== right.actor) return left.actor > right.actor",
      to: "if (left.actor !== right.actor) return true"
    }]
  },
  {
    name: "totals-added-up",
    bug: "a newer total of an actor is added to the older one instead of replacing it",
    edits: [{
      file: "src/core/crdt/Join.ts",
      from: "added: newer.added,",
      to: "added: left.added + right.added,"
    }]
  }
]
