/**
 * Merges shopping carts: what either side added is in, unless either side took it back. Written
 * against the public API alone, as yours would be.
 *
 * Removing an item takes back the additions that are in the cart at hand, by name; an addition
 * made at the same time elsewhere has another name and stays. Carts made by these functions merge
 * alike in any order, as often as you like.
 */
import { Cart } from "everwrite/schemas"

type Cart = Cart.Cart

/** A cart with nothing in it. */
export const empty: Cart = { items: {}, removed: [] }

const sorted = (names: Iterable<string>): ReadonlyArray<string> => [...new Set(names)].sort()

/** Both carts' additions without those that either removed. */
export const merge = (left: Cart, right: Cart): Cart => {
  const removed = sorted([...left.removed, ...right.removed])
  const gone = new Set(removed)
  const items: Array<readonly [string, Readonly<Record<string, number>>]> = []
  for (const item of sorted([...Object.keys(left.items), ...Object.keys(right.items)])) {
    const additions = Object.entries({ ...right.items[item], ...left.items[item] })
      .filter(([name]) => !gone.has(name))
    if (additions.length > 0) items.push([item, Object.fromEntries(additions)])
  }
  return { items: Object.fromEntries(items), removed }
}

/** The cart with more (or, below zero, fewer) pieces of an item; `addition` is a new name. */
export const add = (
  cart: Cart,
  change: { readonly item: string; readonly pieces: number; readonly addition: string }
): Cart => {
  const { addition, item, pieces } = change
  const additions = { ...cart.items[item], [addition]: pieces }
  return { ...cart, items: { ...cart.items, [item]: additions } }
}

/** The cart without what is in it of an item. */
export const remove = (cart: Cart, item: string): Cart => {
  const { [item]: additions = {}, ...items } = cart.items
  return { items, removed: sorted([...cart.removed, ...Object.keys(additions)]) }
}

/** How many pieces of each item are in the cart. */
export const pieces = (cart: Cart): ReadonlyMap<string, number> =>
  new Map(
    Object.entries(cart.items).map(([item, additions]) => [
      item,
      Object.values(additions).reduce((sum, count) => sum + count, 0)
    ])
  )
