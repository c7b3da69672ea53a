/**
 * Plays one replica of one document by hand: the test decides under which actor it makes its
 * dots, what its clients have seen, and what it loses.
 */
import type { CausalContext } from "../../src/core/clock/CausalContext.ts"
import type { Actor } from "../../src/core/clock/Dot.ts"
import * as Document from "../../src/core/crdt/Document.ts"
import * as CanonicalJson from "../../src/core/model/CanonicalJson.ts"
import type { StrategyDefinition, TypeDefinition } from "../../src/core/model/BucketDefinition.ts"
import * as Strategies from "../../src/core/strategy/Strategies.ts"
import type { Mutated, Strategy } from "../../src/core/strategy/Strategy.ts"

/** The context that a client keeps of a read. */
export interface Read {
  readonly values: ReadonlyArray<unknown>
  readonly context: CausalContext
}

export class Replica {
  document = Document.empty
  /** The last counter that this replica remembers to have issued. */
  counter = 0
  actor: Actor
  readonly #strategy: Strategy

  constructor(actor: Actor, definition: StrategyDefinition = { family: "siblings" }) {
    this.actor = actor
    this.#strategy = Strategies.make(definition)
  }

  /** Takes a client's operation and acknowledges it, or says why not. */
  operate(
    name: string,
    args: ReadonlyArray<unknown>,
    seen?: CausalContext
  ): Mutated["_tag"] {
    const operation = this.#strategy.operations.get(name)
    if (operation === undefined) throw new Error(`${this.#strategy.name} has no ${name}`)
    const dot = { actor: this.actor, counter: ++this.counter }
    const mutated = operation.mutate({
      document: this.document,
      dot,
      nowMillis: 0,
      seen,
      stampSeen: seen?.stamp ?? 0,
      counterUpdatesMax: 16,
      args
    })
    if (mutated._tag === "Changed") this.document = Document.apply(this.document, mutated.delta)
    return mutated._tag
  }

  put(value: unknown, seen?: CausalContext): void {
    this.operate("put", [value], seen)
  }

  read(): Read {
    return {
      values: this.#strategy.view(this.document, 0).values.map(CanonicalJson.decode),
      context: { vector: this.document.context, stamp: this.#strategy.stampOf(this.document) }
    }
  }

  receive(...documents: ReadonlyArray<Document.Document>): this {
    for (const document of documents) this.document = Document.join(this.document, document)
    return this
  }
}

/** Replicas of one document of a data type, one for each actor. */
export const replicas = (type: TypeDefinition, actors: string): ReadonlyArray<Replica> =>
  Array.from(actors).map((actor) => new Replica(actor, { family: "crdt", type }))
