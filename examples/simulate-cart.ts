/**
 * Has clients change a wish list at the same time, on simulated clusters under faults: once as a
 * value of which the last write wins, once with a merge. What goes wrong is shown by the smallest
 * run that does, and again by its seed.
 *
 *     npx node --conditions=everwrite-source examples/simulate-cart.ts
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Bucket, Key } from "everwrite"
import { type SeededRandom, simulate } from "everwrite/testing"

type Wishes = ReadonlyArray<string>

const union = (left: Wishes, right: Wishes): Wishes => [...new Set([...left, ...right])].sort()

const options = { key: Key.text, value: Schema.Array(Schema.String) }
const Overwritten = Bucket.lww("overwritten", options)
const Merged = Bucket.merge("merged", { ...options, merge: union })

/** Each wish is another one, so that none makes up for the loss of an earlier one. */
const wish = (random: SeededRandom) => {
  const input = `${random.pick(["tea", "coffee"])} ${random.integer(1, 1_000_000)}`
  return { input, change: (wishes: Wishes = []) => union(wishes, [input]) }
}

const lost = (
  wishes: Wishes = [],
  done: { readonly acknowledged: ReadonlyArray<{ readonly input: string }> }
) => {
  const missing = done.acknowledged.find(({ input }) => !wishes.includes(input))
  return missing === undefined ? undefined : `${missing.input} is lost`
}

const show = (bucket: typeof Overwritten | typeof Merged) =>
  simulate(bucket, { seeds: 10, operations: { wish }, invariant: lost }).pipe(Effect.match({
    onSuccess: ({ operations, seeds }) =>
      `${bucket.name} keeps ${operations["acknowledged"]} wishes and reads in ${seeds} runs`,
    onFailure: ({ message }) => message
  }))

console.log(await Effect.runPromise(show(Overwritten)))
console.log(await Effect.runPromise(show(Merged)))
