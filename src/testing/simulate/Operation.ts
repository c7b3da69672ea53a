/**
 * Says what the clients of an application's simulation do: the operations that the application
 * declares, or those that follow from its bucket.
 */
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { Builder, Edit } from "../../client/Handle.ts"
import * as CanonicalJson from "../../core/model/CanonicalJson.ts"
import type { Any, Bucket, Surface } from "../../core/strategy/Bucket.ts"
import type { ValueCodec } from "../../core/strategy/ValueCodec.ts"
import * as Values from "../laws/Values.ts"
import type { SeededRandom } from "../simulator/SeededRandom.ts"
import { samplesOf } from "./Samples.ts"

/** What a reader gets of a bucket. */
export type ViewOf<B extends Any> = B extends Bucket<string, any, infer View, any, any, Surface>
  ? View
  : never

/** The keys of a bucket. */
export type KeyOf<B extends Any> = B extends Bucket<string, infer K, any, any, any, Surface> ? K
  : never

type Change<B extends Any, Input> = B extends
  Bucket<string, any, infer View, infer Value, infer Ops, infer S>
  ? "edit" extends S ? (document: Builder<Ops>, input: Input) => Edit | ReadonlyArray<Edit>
  : (current: View | undefined, input: Input) => Value
  : never

/** Something that a client does: reads a document, and writes what it makes of it. */
export interface Operation<B extends Any, Input> {
  /** What the client brings to it. Whatever is by chance must come from `random`. */
  readonly draw: (random: SeededRandom) => Input
  /** As for `update` of the bucket's handle; of a data type, as for `edit`. */
  readonly change: Change<B, Input>
}

/**
 * What clients do where the application does not say: write values that the schema generates, each
 * merged into what is there where the bucket has a merge; of a data type, call its operations.
 */
export type Generated<B extends Any> = B extends Bucket<string, any, any, infer Value, any, infer S>
  ? "edit" extends S ? { readonly [operation: string]: ReadonlyArray<Schema.Json> }
  : { readonly write: Value }
  : never

/** An operation of any bucket. */
export interface AnyOperation {
  readonly draw: (random: SeededRandom) => unknown
  readonly change: (subject: any, input: any) => any
}

export type AnyOperations = ReadonlyMap<string, AnyOperation>

type Samples = ReadonlyMap<ValueCodec<any>, ReadonlyArray<string>>

const callsOf = (bucket: Any, samples: Samples): AnyOperations =>
  new Map(
    [...bucket.arguments].map(([name, codecs]): [string, AnyOperation] => [name, {
      draw: (random) =>
        codecs.map((codec) => CanonicalJson.decode(random.pick(samples.get(codec) ?? []))),
      change: (_document, args: ReadonlyArray<Schema.Json>): Edit => ({ name, args })
    }])
  )

const writeOf = ({ code: { applicationMerge } }: Any, samples: Samples): AnyOperations => {
  const [[codec, texts] = []] = samples
  if (codec === undefined || texts === undefined) return new Map()
  return new Map([["write", {
    draw: (random) => Values.valueOf(codec, random.pick(texts)),
    change: (current, value) =>
      current === undefined || applicationMerge === undefined
        ? value
        : applicationMerge(current, value)
  }]])
}

/** What clients do with a bucket of which nothing more is said. */
export const generate = Effect.fnUntraced(function*(bucket: Any, seed: number) {
  const samples = new Map<ValueCodec<any>, ReadonlyArray<string>>()
  for (const codec of new Set([...bucket.arguments.values()].flat())) {
    samples.set(codec, yield* samplesOf(codec, seed))
  }
  return bucket.surface.includes("edit") ? callsOf(bucket, samples) : writeOf(bucket, samples)
})
