/**
 * Defines the operations of the clients in an application's simulation: those that the application
 * declares, or those that follow from its bucket.
 */
import * as Effect from "effect/Effect"
import type { Builder, Edit } from "../../client/Handle.ts"
import * as Json from "../../core/codec/Json.ts"
import { invariant } from "../../core/Invariant.ts"
import type { Any, Bucket, Surface } from "../../core/strategy/Bucket.ts"
import type { ValueCodec } from "../../core/strategy/ValueCodec.ts"
import * as Values from "../laws/Values.ts"
import type { SeededRandom } from "../simulator/SeededRandom.ts"
import { samplesOf } from "./Samples.ts"

/** The view of a bucket. */
export type ViewOf<B extends Any> = B extends Bucket<string, any, infer View, never, any, Surface>
  ? View
  : never

/** The keys of a bucket. */
export type KeyOf<B extends Any> = B extends Bucket<string, infer K, any, never, any, Surface> ? K
  : never

/** The input of a change: the value that was read, or a builder of operations of a data type. */
type Subject<B extends Any> = B extends Bucket<string, any, infer View, never, infer Ops, infer S>
  ? "edit" extends S ? Builder<Ops> : View | undefined
  : never

/** The output of a change: a value, or operations. */
type Change<B extends Any> = B extends Bucket<string, any, any, infer Value, any, infer S>
  ? "edit" extends S ? Edit | ReadonlyArray<Edit> : Value
  : never

/** Draws an operation of a client. All chance must come from `random`. */
export type Operation<B extends Any, Input> = (random: SeededRandom) => {
  /** The input of the operation, for the invariant and for people. */
  readonly input: Input
  /** As for `update` of the bucket's handle; of a data type, as for `edit`. */
  readonly change: (subject: Subject<B>) => Change<B>
}

/**
 * The default operations: clients write values that the schema generates, each merged into the
 * value that is there where the bucket has a merge; of a data type, they apply its operations.
 */
export type Generated<B extends Any> = B extends Bucket<string, any, any, infer Value, any, infer S>
  ? "edit" extends S ? { readonly edit: Edit }
  : { readonly write: Value }
  : never

/** An operation of any bucket. */
export type AnyOperation = (random: SeededRandom) => {
  readonly input: unknown
  readonly change: (subject: any) => any
}

export type AnyOperations = ReadonlyMap<string, AnyOperation>

type Samples = ReadonlyMap<ValueCodec<any>, ReadonlyArray<string>>

const editOf = (bucket: Any, samples: Samples): AnyOperation => (random) => {
  const [name, codecs] = random.pick([...bucket.code.arguments])
  const texts = codecs.map((codec) => random.pick(samples.get(codec) ?? []))
  const input: Edit = { name, args: texts.map((text) => Json.parse(text)) }
  return { input, change: () => input }
}

const writeOf = (bucket: Any, samples: Samples): AnyOperation => {
  const { code: { applicationMerge: merge } } = bucket
  const [[codec, texts] = []] = samples
  invariant(codec !== undefined && texts !== undefined, "a value has a codec")
  return (random) => {
    const input: unknown = Values.valueOf(codec, random.pick(texts))
    return {
      input,
      change: (current) =>
        current === undefined || merge === undefined ? input : merge(current, input)
    }
  }
}

/** The default operations of a bucket. */
export const generate = Effect.fnUntraced(function*(bucket: Any, seed: number) {
  const samples = new Map<ValueCodec<any>, ReadonlyArray<string>>()
  for (const codec of new Set([...bucket.code.arguments.values()].flat())) {
    samples.set(codec, yield* samplesOf(codec, seed))
  }
  const operations: AnyOperations = bucket.surface.includes("edit")
    ? new Map([["edit", editOf(bucket, samples)]])
    : new Map([["write", writeOf(bucket, samples)]])
  return operations
})
