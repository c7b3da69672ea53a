/**
 * Has clients change a wish list at the same time, on simulated clusters under faults: once as a
 * value of which the last write wins, once with a merge. A failure is shown by the smallest run
 * that does, and again by its seed.
 *
 *     npx node --conditions=everwrite-source examples/simulate-wishes.ts
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Bucket, Key } from "everwrite"
import { type SeededRandom, simulate } from "everwrite/testing"

type Wishes = ReadonlySet<string>

const union = (left: Wishes, right: Wishes): Wishes => new Set([...left, ...right])

const options = { key: Key.text, value: Schema.ReadonlySet(Schema.String) }
const Overwritten = Bucket.lww("overwritten", options)
const Merged = Bucket.merge("merged", { ...options, merge: union })

/** Each wish is another one, so that none makes up for the loss of an earlier one. */
const wish = (random: SeededRandom) => {
  const input = `${random.pick(["tea", "coffee"])} ${random.integer(1, 1_000_000)}`
  return { input, change: (wishes: Wishes = new Set()) => union(wishes, new Set([input])) }
}

const lost = (
  wishes: Wishes = new Set(),
  done: { readonly acknowledged: ReadonlyArray<{ readonly input: string }> }
) => {
  const missing = done.acknowledged.find(({ input }) => !wishes.has(input))
  return missing === undefined ? undefined : `${missing.input} is lost`
}

const show = (bucket: typeof Overwritten | typeof Merged) =>
  simulate(bucket, { seeds: 10, operations: { wish }, invariant: lost }).pipe(Effect.match({
    onSuccess: ({ operations, seeds }) =>
      `${bucket.name} keeps ${operations["acknowledged"]} wishes in ${seeds} runs`,
    onFailure: ({ message }) => message
  }))

console.log(await Effect.runPromise(show(Overwritten)))
console.log(await Effect.runPromise(show(Merged)))
