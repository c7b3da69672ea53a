/**
 * Declares one shopping cart in three ways, to compare them under concurrent changes.
 */
import * as Schema from "effect/Schema"
import { Bucket, Crdt, Key } from "everwrite"
import { Cart } from "everwrite/schemas"
import * as ShoppingCart from "../../plugins/shoppingCart.ts"

/** The whole cart is one value, and the last one written wins. */
export const LastCarts = Bucket.lww("carts-lww", { key: Key.text, value: Cart.Cart })

/** The whole cart is one value, and concurrent ones are merged on reading. */
export const MergedCarts = Bucket.merge("carts-merge", {
  key: Key.text,
  value: Cart.Cart,
  merge: ShoppingCart.merge
})

/** One addition of an item, by its name. */
export const Addition = Schema.Struct({ name: Schema.String, pieces: Schema.Int })

/** The cart is a document that merges itself: for each item the set of its additions. */
export const CrdtCarts = Bucket.crdt("carts-crdt", {
  key: Key.text,
  type: Crdt.document({ lines: Crdt.map(Crdt.set(Addition)), coupon: Crdt.register(Schema.String) })
})
