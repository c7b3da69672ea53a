/**
 * Bugs in how causes are told from effects: actors, dots, contexts, joins, stamps.
 */
import type { Plant } from "./Plant.ts"

const replica = "src/replica/Replica.ts"
const issuer = "src/replica/DotIssuer.ts"
const lastIssued = "src/replica/LastIssuedDots.ts"
const siblings = "src/core/clock/DottedVersionVectorSet.ts"
const continues = "if (continues && told !== \"not\") return local.own"

export const causalityPlants: ReadonlyArray<Plant> = [
  {
    name: "incarnation-continued",
    bug: "a restarted node is its last incarnation, counting anew",
    edits: [{
      file: "src/node/NodeCore.ts",
      from: "done(failure ?? incarnation)",
      to: "done(failure ?? previous ?? incarnation)"
    }]
  },
  {
    name: "lost-row-continued",
    bug: "a replica whose row is gone goes on as the same actor",
    edits: [{
      file: issuer,
      from: continues,
      to: `${continues}
    const former = this.#last.actorOf(key)
    if (local._tag !== "Found" && former !== undefined) return former`
    }, {
      file: lastIssued,
      from: "if (!hasRoom && !this.#knows(key)) return",
      to: "this.actors.set(textOf(key), actor)"
    }, {
      file: lastIssued,
      from: "  clear(): void {",
      to: `  readonly actors = new Map<string, Actor>()

  actorOf(key: RowKey): Actor | undefined {
    return this.actors.get(textOf(key))
  }

  clear(): void {
    this.actors.clear()`
    }]
  },
  {
    name: "failed-incarnation-continued",
    bug: "an incarnation outlives a failed commit that was sent",
    edits: [{
      file: replica,
      from: "if (this.#dots.incarnation !== ended) return false",
      to: "return false"
    }, {
      file: issuer,
      from: continues,
      to: "if (continues) return local.own"
    }]
  },
  {
    name: "context-joined-into-a-type",
    bug: "an operation has seen all its client has",
    edits: [{
      file: "src/core/strategy/Mutations.ts",
      from: "seen: { vector: VersionVector.empty, dots:",
      to: "seen: { vector: mutation.seen?.vector ?? VersionVector.empty, dots:"
    }]
  },
  {
    name: "version-vector-for-dots",
    bug: "a dot counts as everything before it of its actor",
    edits: [{
      file: siblings,
      from: "if (dot.counter === counter && dot.actor === actor) return true",
      to: "if (dot.counter >= counter && dot.actor === actor) return true"
    }]
  },
  {
    name: "third-sibling-dropped",
    bug: "a join keeps two siblings",
    edits: [{
      file: siblings,
      from: "return isRight ? right : joined",
      to: "return joined.slice(0, 2)"
    }, {
      file: siblings,
      from: "  return joined\n}",
      to: "  return joined.slice(0, 2)\n}"
    }]
  },
  {
    name: "session-taken-for-shown",
    bug: "a context claims what the session saw, shown or not",
    edits: [{
      file: "src/core/clock/CausalContext.ts",
      from: ": { ...context, unshown: session.vector }",
      to: ": { ...context, vector: VersionVector.join(shown.vector, session.vector) }"
    }]
  },
  {
    name: "context-without-a-sibling",
    bug: "an answer's context lacks one sibling",
    edits: [{
      file: "src/coordinator/Answer.ts",
      from: "const shown = { vector: document.context,",
      to: `const { store } = document
  const isCut = bucket.strategy.name === "siblings" && store?.kind === "values"
  const cut = isCut && store.siblings.length > 1 ? store.siblings[0] : undefined
  const vector = new Map([...document.context].filter(([actor]) => actor !== cut?.actor))
  const shown = { vector,`
    }]
  },
  {
    name: "removal-takes-the-unseen",
    bug: "a removal takes what its client has not seen",
    edits: [{
      file: "src/core/strategy/RemoveAt.ts",
      from: "removeSeen(here, mutation.seen?.vector ?? context)",
      to: "removeSeen(here, context)"
    }]
  },
  {
    name: "deferral-dropped",
    bug: "a removal forgets what has not arrived yet",
    edits: [{
      file: "src/core/strategy/RemoveAt.ts",
      from: "    deferred\n  })",
      to: "    deferred: []\n  })"
    }]
  },
  {
    name: "blind-write-replaces-all",
    bug: "a write without a context replaces all siblings here",
    edits: [{
      file: "src/core/strategy/SiblingsStrategy.ts",
      from: "vector: mutation.seen?.vector ?? VersionVector.empty",
      to: "vector: mutation.seen?.vector ?? mutation.document.context"
    }]
  },
  {
    name: "replaced-siblings-stay",
    bug: "a write leaves the siblings that its writer has seen",
    edits: [{
      file: "src/core/strategy/SiblingsStrategy.ts",
      from: "vector: mutation.seen?.vector ?? VersionVector.empty",
      to: "vector: VersionVector.empty"
    }]
  },
  {
    name: "set-never-removed",
    bug: "a removal leaves the element of a set as it is",
    edits: [{
      file: "src/core/strategy/SetType.ts",
      from:
        "return removeAt(mutation, [...path, childKey(\"values\", element)], { counters: false })",
      to: "return removeAt(mutation, [...path, childKey(\"values\", \"\")], { counters: false })"
    }]
  },
  {
    name: "stamp-without-causal-floor",
    bug: "a stamp ignores the stamps the write has seen",
    edits: [{
      file: "src/core/strategy/LwwStrategy.ts",
      from: "seen: Math.max(seenHere, mutation.stampSeen)",
      to: "seen: Math.min(seenHere, 0)"
    }]
  },
  {
    name: "tie-goes-to-the-primary",
    bug: "of two equal stamps, each replica keeps its own",
    edits: [{
      file: "src/core/crdt/Join.ts",
      from: "return order === 0 ? values >= 0 : order > 0",
      to: "return order !== 0 || values >= 0"
    }]
  },
  {
    name: "counter-never-removed",
    bug: "a delete leaves counters as they are",
    edits: [{
      file: "src/core/crdt/Removal.ts",
      from: "return totals.size === 0 ? undefined : { kind: \"counter\", totals }",
      to: "return undefined"
    }]
  }
]
