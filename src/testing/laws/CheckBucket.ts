/**
 * Checks a bucket against every law that its strategy and codecs must keep, so that the author of a
 * merge or a data type learns its faults from a test, not from diverging replicas.
 */
import type * as Effect from "effect/Effect"
import type * as Bucket from "../../core/strategy/Bucket.ts"
import { keyLaw, valueLaw } from "./CodecLaws.ts"
import { subjectOf } from "./Script.ts"
import * as Law from "./Law.ts"
import { mergeLaws } from "./MergeLaws.ts"
import { strategyLaws } from "./StrategyLaws.ts"

/** Every law that applies to `bucket`, the cheapest to understand first. */
export const lawsOf = (bucket: Bucket.Any): ReadonlyArray<Law.Law> => {
  const codecs = [...new Set([...bucket.code.arguments.values()].flat())]
  return [
    keyLaw(bucket.key),
    valueLaw(codecs),
    ...codecs.slice(0, 1).flatMap((codec) => mergeLaws(codec, bucket.code)),
    ...strategyLaws(subjectOf(bucket))
  ]
}

/**
 * Checks every law that applies to `bucket` on generated values and scripts of
 * operations.
 *
 * ```ts
 * const report = yield* checkBucket(Carts)
 * yield* checkBucket(Carts, { replay: violation.replay })
 * ```
 *
 * **Fails with** `LawViolation`, with the smallest input found that breaks a law and a token that
 * repeats it; `LawUndecided` where a law cannot be tried.
 */
export const checkBucket = (
  bucket: Bucket.Any,
  options?: Law.CheckOptions
): Effect.Effect<Law.Report, Law.LawViolation | Law.LawUndecided> =>
  Law.checkLaws(bucket.name, lawsOf(bucket), options)
