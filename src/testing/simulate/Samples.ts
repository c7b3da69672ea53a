/**
 * Draws keys and values of which the runs of one seed are made, from the schemas of a bucket.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as CanonicalJson from "../../core/model/CanonicalJson.ts"
import { MalformedKey } from "../../core/model/DocumentKey.ts"
import { encodeKey } from "../../core/model/KeyFields.ts"
import type { Any } from "../../core/strategy/Bucket.ts"
import type { ValueCodec } from "../../core/strategy/ValueCodec.ts"
import * as Values from "../laws/Values.ts"
import { stream } from "../simulator/SeededRandom.ts"

/** Small values show a fault best. */
const size = 3
const samplesCount = 16
const pooledShare = 0.75

/** Storable values of a codec, as canonical JSON. Fails where its schema generates none. */
export const samplesOf = Effect.fnUntraced(function*(codec: ValueCodec<any>, seed: number) {
  const stored = yield* Effect.try({ try: () => Values.stored(codec), catch: String })
  const options = { count: samplesCount, size, seed }
  const texts = yield* Arbitrary.sampleEffect(stored, options).pipe(
    Effect.mapError(({ discards }) => `nothing that can be stored in ${discards} attempts`)
  )
  const random = stream(seed, "pooled")
  const pooled = texts.map((text) => random.chance(pooledShare) ? Values.pooled(codec, text) : text)
  return [...new Set(pooled)]
})

/** Whether the JSON of a key is one that can be stored. */
const isKey = ({ definition }: Any, json: unknown): boolean => {
  try {
    encodeKey(definition.key, json)
    return true
  } catch (thrown) {
    if (thrown instanceof MalformedKey) return false
    throw thrown
  }
}

/** Keys, as plans name them. Fails where the schema generates none. */
export const keysOf = Effect.fnUntraced(function*(bucket: Any, seed: number) {
  const keys = (yield* samplesOf(bucket.key.codec, seed)).flatMap((text) => {
    const json = CanonicalJson.decode(text)
    return isKey(bucket, json) ? [typeof json === "string" ? json : text] : []
  })
  return keys.length > 0 ? keys : yield* Effect.fail("nothing that can be a key")
})
