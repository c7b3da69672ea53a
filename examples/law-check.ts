/**
 * Checks two merges before any data is at stake: one that keeps the laws, and one that looks right
 * and does not. A violation is shown by the smallest input that breaks the law.
 *
 *     npx node --conditions=everwrite-source examples/law-check.ts
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Bucket, Key } from "everwrite"
import { Cart } from "everwrite/schemas"
import { checkBucket } from "everwrite/testing"
import * as ShoppingCart from "../plugins/shoppingCart.ts"

const Carts = Bucket.merge("carts", {
  key: Key.text,
  value: Cart.Cart,
  merge: ShoppingCart.merge
})

/** Adds up quantities by item: a cart that is merged with itself grows. */
const Sums = Bucket.merge("sums", {
  key: Key.text,
  value: Schema.Record(Schema.String, Schema.Int),
  merge: (left, right) => {
    const sums = new Map(Object.entries(left))
    for (const [item, pieces] of Object.entries(right)) {
      sums.set(item, (sums.get(item) ?? 0) + pieces)
    }
    return Object.fromEntries(sums)
  }
})

/** The seed makes it the same every time; without one each run tries other inputs. */
const show = (bucket: Parameters<typeof checkBucket>[0]) =>
  checkBucket(bucket, { seed: 2007 }).pipe(Effect.match({
    onSuccess: ({ laws }) => `${bucket.name} keeps ${laws.length} laws`,
    onFailure: ({ message }) => message
  }))

console.log(await Effect.runPromise(show(Carts)))
console.log(await Effect.runPromise(show(Sums)))
