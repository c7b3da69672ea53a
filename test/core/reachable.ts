/**
 * Generates documents as replicas come by them: through operations on several replicas with
 * contexts old and new, expiries set and lifted, joins, deltas, lost rows, and restarts that forget
 * the last changes. Structures drawn at random would mostly be ones that no history leads to, and
 * laws need not hold of those.
 */
import * as fc from "fast-check"
import * as CausalContext from "../../src/core/clock/CausalContext.ts"
import * as Dot from "../../src/core/clock/Dot.ts"
import * as VersionVector from "../../src/core/clock/VersionVector.ts"
import * as Document from "../../src/core/crdt/Document.ts"
import * as Edit from "../../src/core/crdt/Edit.ts"
import type { StrategyDefinition, TypeDefinition } from "../../src/core/model/BucketDefinition.ts"
import { Incarnation } from "../../src/core/model/Incarnation.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import type { ArgumentKind, Operation, Strategy } from "../../src/core/strategy/Strategy.ts"
import * as Strategies from "../../src/core/strategy/Strategies.ts"

const map = (of: TypeDefinition): TypeDefinition => ({ type: "map", of })

const types: Readonly<Record<string, TypeDefinition>> = {
  counter: { type: "counter" },
  set: { type: "set" },
  register: { type: "register" },
  "map of counters": map({ type: "counter" }),
  "map of registers": map({ type: "register" }),
  "map of maps of sets": map(map({ type: "set" })),
  document: {
    type: "document",
    fields: {
      title: { type: "register" },
      tags: { type: "set" },
      votes: { type: "counter" },
      notes: map({ type: "register" })
    }
  }
}

/** Every family and data type, with a name for the test's title. */
export const definitions: ReadonlyArray<readonly [name: string, StrategyDefinition]> = [
  ["lww", { family: "lww" }],
  ["siblings", { family: "siblings" }],
  ["merge", { family: "merge", version: 1 }],
  ...Object.entries(types).map(([name, type]) => [name, { family: "crdt", type }] as const)
]

/** One operation that some replica applied. */
export interface Change {
  readonly before: Document.Document
  readonly delta: Document.Delta
  readonly after: Document.Document
}

export interface ReachedHistory {
  /** Every state that some replica was in, oldest first; the first is empty. */
  readonly documents: ReadonlyArray<Document.Document>
  readonly changes: ReadonlyArray<Change>
}

const replicaCount = 3
const replica = fc.nat(replicaCount - 1)
/** Chooses among what there is when its turn comes. */
const choice = fc.nat(999)

const write = fc.record({
  kind: fc.constant("write" as const),
  replica,
  operation: choice,
  args: fc.tuple(choice, choice, choice),
  /** Earlier states that the client has read; undefined for a blind write. */
  seen: fc.option(fc.array(choice, { minLength: 1, maxLength: 2 }), { nil: undefined }),
  clockMillis: fc.integer({ min: -5, max: 5 }),
  /** The write's statement about the document's expiry; undefined for most, which say nothing. */
  expiry: fc.option(fc.option(fc.integer({ min: 0, max: 2_000 })), {
    nil: undefined,
    freq: 2
  })
})

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: write },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant("join" as const), replica, from: replica })
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant("apply" as const), replica, change: choice })
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("forget" as const), replica }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("restart" as const), replica, survived: choice })
    }
  ),
  { minLength: 1, maxLength: 24, size: "max" }
)

type Step = (typeof steps) extends fc.Arbitrary<ReadonlyArray<infer S>> ? S : never
type Write = Extract<Step, { readonly kind: "write" }>

const values: ReadonlyArray<unknown> = ["x", "y", 1, null, { a: [true], é: "\u0000" }]
const keys = ["k", "ключ", ""]

const pick = <A>(from: ReadonlyArray<A>, choice: number): A => from[choice % from.length]!

const argument = (kind: ArgumentKind, choice: number): unknown => {
  if (kind === "integer") return (choice % 11) - 5
  return pick(kind === "key" ? keys : values, choice)
}

class ReachingReplica {
  /** Its states: the present one, last, and those before. */
  readonly past: Array<Document.Document> = [Document.empty]
  readonly #node: NodeId
  #starts = 0
  #issued = 0
  #birth: number | undefined

  constructor(name: string) {
    this.#node = NodeId.make(name)
  }

  /** The next dot, under a new birth where there is no row to continue. */
  dot(): Dot.Dot {
    this.#birth ??= ++this.#issued
    const incarnation = Incarnation.make(`${this.#starts}`.padStart(15, "0"))
    const actor = Dot.actor({ node: this.#node, incarnation, birth: this.#birth })
    return { actor, counter: ++this.#issued }
  }

  get document(): Document.Document {
    return this.past.at(-1)!
  }

  /** Comes back in a new incarnation, with something that it had on disk before. */
  restart(survived: number): Document.Document {
    this.#starts++
    this.#issued = 0
    this.#birth = undefined
    return pick(this.past, survived)
  }

  /** Drops the row, as a fallback does after it delivered, or a damaged disk. */
  forget(): Document.Document {
    this.#birth = undefined
    return Document.empty
  }
}

const nowMillis = 1_000

class Play {
  readonly documents: Array<Document.Document> = [Document.empty]
  readonly changes: Array<Change> = []
  readonly #replicas = Array.from(
    { length: replicaCount },
    (_, i) => new ReachingReplica("abc"[i]!)
  )
  readonly #strategy: Strategy
  readonly #operations: ReadonlyArray<Operation>

  constructor(definition: StrategyDefinition) {
    this.#strategy = Strategies.make(definition)
    const all = [...this.#strategy.operations.values()]
    // Deletes less often than the rest, or there would rarely be anything to delete.
    this.#operations = [...all, ...all.filter(({ deletes }) => !deletes)]
  }

  #contextOf(choices: ReadonlyArray<number>): CausalContext.CausalContext {
    return choices
      .map((choice) => pick(this.documents, choice))
      .map((seen) => ({ vector: seen.context, stamp: this.#strategy.stampOf(seen) }))
      .reduce(CausalContext.join, CausalContext.nothing)
  }

  #write(step: Write, document: Document.Document, dot: Dot.Dot): Document.Document {
    const operation = pick(this.#operations, step.operation)
    const seen = step.seen === undefined ? undefined : this.#contextOf(step.seen)
    const mutated = operation.mutate({
      document,
      dot,
      nowMillis: nowMillis + step.clockMillis,
      seen,
      stampSeen: seen?.stamp ?? 0,
      counterUpdatesMax: 3,
      args: operation.args.map((kind, i) => argument(kind, step.args[i]!))
    })
    if (mutated._tag !== "Changed") return document
    const delta = step.expiry === undefined
      ? mutated.delta
      : Document.withExpiry(mutated.delta, { document, dot, at: step.expiry })
    const after = Document.apply(document, delta)
    this.changes.push({ before: document, delta, after })
    return after
  }

  #next(step: Step, replica: ReachingReplica): Document.Document {
    const { document } = replica
    switch (step.kind) {
      case "write":
        return this.#write(step, document, replica.dot())
      case "join":
        return Document.join(document, this.#replicas[step.from]!.document)
      case "apply": {
        const change = this.changes[step.change % Math.max(this.changes.length, 1)]
        const hasBase = change !== undefined && VersionVector.covers(
          document.context,
          Edit.make([change.delta], change.before.context).base
        )
        return hasBase ? Document.apply(document, change.delta) : document
      }
      case "forget":
        return replica.forget()
      case "restart":
        return replica.restart(step.survived)
    }
  }

  step(step: Step): void {
    const replica = this.#replicas[step.replica]!
    const document = this.#next(step, replica)
    replica.past.push(document)
    if (!this.documents.includes(document)) this.documents.push(document)
  }
}

/** Histories of one document of a bucket with this strategy. */
export const histories = (definition: StrategyDefinition): fc.Arbitrary<ReachedHistory> =>
  steps.map((taken) => {
    const play = new Play(definition)
    for (const step of taken) play.step(step)
    return { documents: play.documents, changes: play.changes }
  })

/** Three states of one history, which any replicas of it may come to join. */
export const threeDocuments = (
  definition: StrategyDefinition
): fc.Arbitrary<readonly [Document.Document, Document.Document, Document.Document]> =>
  fc.tuple(histories(definition), choice, choice, choice).map(([{ documents }, a, b, c]) =>
    [pick(documents, a), pick(documents, b), pick(documents, c)] as const
  )

/** One document of any strategy. */
export const documents: fc.Arbitrary<Document.Document> = fc.oneof(
  ...definitions.map(([, definition]) => threeDocuments(definition).map(([document]) => document))
)
