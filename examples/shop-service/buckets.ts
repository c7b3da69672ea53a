/**
 * Declares the documents of the shop, one bucket for each way to reconcile them.
 */
import { Bucket, Crdt, Key } from "everwrite"
import { Cart, Profile } from "everwrite/schemas"
import * as ShoppingCart from "../../plugins/shoppingCart.ts"

/** Two changes of one cart at the same time are both kept. */
export const Carts = Bucket.merge("carts", {
  key: Key.text,
  value: Cart.Cart,
  merge: ShoppingCart.merge
})

/** A profile is written as a whole, by its customer alone. */
export const Profiles = Bucket.lww("profiles", { key: Key.text, value: Profile.Profile })

/** Every visit counts, whichever node it comes to. */
export const Visits = Bucket.crdt("visits", { key: Key.text, type: Crdt.counter })

export const buckets = { carts: Carts, profiles: Profiles, visits: Visits }
