/**
 * Merges shopping carts: an addition of either side is in, unless either side took it back. Written
 * against the public API alone, as yours would be.
 *
 * Removing an item takes back the additions that are in the cart at hand, by name; one made at the
 * same time elsewhere has another name and stays. A merge is the greater of two entries wherever
 * both carts have one, with "taken back" greater than any number: so order and repetition cannot
 * matter.
 */
import { Cart } from "everwrite/schemas"

type Cart = Cart.Cart
type Additions = Cart["items"][string]

/** A cart with nothing in it. */
export const empty: Cart = { items: {} }

/** Both records' entries; where both have one, `join` makes one of the two. */
const union = <A>(
  left: Readonly<Record<string, A>>,
  right: Readonly<Record<string, A>>,
  join: (left: A, right: A) => A
): Readonly<Record<string, A>> => {
  // A Map, because an item may be called "toString".
  const entries = new Map(Object.entries(left))
  for (const [name, value] of Object.entries(right)) {
    const other = entries.get(name)
    entries.set(name, other === undefined ? value : join(other, value))
  }
  return Object.fromEntries(entries)
}

const greater = (left: number | null, right: number | null): number | null =>
  left === null || right === null ? null : Math.max(left, right)

/** One cart for two that were changed apart from one another. */
export const merge = (left: Cart, right: Cart): Cart => ({
  items: union(left.items, right.items, (a, b) => union(a, b, greater))
})

/** The cart with more (or, below zero, fewer) pieces of an item; `addition` is a new name. */
export const add = (
  cart: Cart,
  change: { readonly item: string; readonly pieces: number; readonly addition: string }
): Cart => merge(cart, { items: { [change.item]: { [change.addition]: change.pieces } } })

/** The cart without the additions of an item. */
export const remove = (cart: Cart, item: string): Cart => {
  const additions: Additions = new Map(Object.entries(cart.items)).get(item) ?? {}
  const takenBack = Object.fromEntries(Object.keys(additions).map((name) => [name, null]))
  return merge(cart, { items: { [item]: takenBack } })
}

/** The additions in the cart, by item, with their pieces; items without any are left out. */
export const contents = (cart: Cart): ReadonlyMap<string, ReadonlyMap<string, number>> => {
  const found = new Map<string, ReadonlyMap<string, number>>()
  for (const [item, additions] of Object.entries(cart.items)) {
    const kept = new Map<string, number>()
    for (const [name, pieces] of Object.entries(additions)) {
      if (pieces !== null) kept.set(name, pieces)
    }
    if (kept.size > 0) found.set(item, kept)
  }
  return found
}
