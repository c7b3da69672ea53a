/**
 * Holds the sample plug-in to what it says: a merge that keeps every addition, and forgets none
 * that was taken back.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Bucket, Key } from "everwrite"
import { Cart } from "everwrite/schemas"
import { checkBucket } from "everwrite/testing"
import * as ShoppingCart from "../../plugins/shoppingCart.ts"

const Carts = Bucket.merge("carts", {
  key: Key.text,
  value: Cart.Cart,
  merge: ShoppingCart.merge
})

const ofApples = (pieces: number, addition: string) => ({ item: "apples", pieces, addition })

describe("the merge of shopping carts", () => {
  it.effect("keeps every law that applies to a bucket with it", () =>
    Effect.gen(function*() {
      const { laws } = yield* checkBucket(Carts)
      const names = laws.map(({ law }) => law)
      for (const law of ["commutative", "associative", "idempotent"]) {
        expect(names).toContain(`merge is ${law}`)
      }
      expect(laws.every(({ runs }) => runs === 200)).toBe(true)
    }))

  it("keeps the quantities that both sides added to the same item", () => {
    const before = ShoppingCart.add(ShoppingCart.empty, ofApples(2, "phone-1"))
    const phone = ShoppingCart.add(before, ofApples(1, "phone-2"))
    const laptop = ShoppingCart.add(before, ofApples(5, "laptop-1"))
    expect(ShoppingCart.contents(ShoppingCart.merge(phone, laptop))).toEqual(
      new Map([["apples", new Map([["phone-1", 2], ["phone-2", 1], ["laptop-1", 5]])]])
    )
  })

  it("takes back the quantity that a removal found, and keeps concurrent additions", () => {
    const before = ShoppingCart.add(ShoppingCart.empty, ofApples(2, "phone-1"))
    const removed = ShoppingCart.remove(before, "apples")
    const added = ShoppingCart.add(before, ofApples(3, "laptop-1"))
    expect(ShoppingCart.contents(ShoppingCart.merge(removed, added))).toEqual(
      new Map([["apples", new Map([["laptop-1", 3]])]])
    )
  })

  it.effect.prop(
    "brings nothing back: what one side took back is out, whatever the other side added to it",
    [Cart.Cart, Cart.Cart],
    ([left, right]) =>
      Effect.sync(() => {
        const emptied = Object.keys(left.items).reduce(ShoppingCart.remove, left)
        const added = ShoppingCart.merge(left, right)
        const merged = ShoppingCart.contents(ShoppingCart.merge(emptied, added))
        for (const [item, additions] of Object.entries(left.items)) {
          const found = merged.get(item) ?? new Map()
          expect(Object.keys(additions).filter((addition) => found.has(addition))).toEqual([])
        }
      })
  )
})

describe("a shopping cart", () => {
  it("takes pieces away by an addition below zero", () => {
    const cart = ShoppingCart.add(ShoppingCart.empty, ofApples(3, "a"))
    const fewer = ShoppingCart.add(cart, ofApples(-1, "b"))
    expect(ShoppingCart.contents(fewer)).toEqual(
      new Map([["apples", new Map([["a", 3], ["b", -1]])]])
    )
  })

  it("does not list an item that was removed, and takes it again under a new name", () => {
    const cart = ShoppingCart.add(ShoppingCart.empty, ofApples(3, "a"))
    const removed = ShoppingCart.remove(cart, "apples")
    expect(ShoppingCart.contents(removed)).toEqual(new Map())
    expect(ShoppingCart.contents(ShoppingCart.add(removed, ofApples(1, "a")))).toEqual(new Map())
    expect(ShoppingCart.contents(ShoppingCart.add(removed, ofApples(1, "b"))))
      .toEqual(new Map([["apples", new Map([["b", 1]])]]))
  })

  it("is the same after the removal of an item that is not in it", () => {
    const cart = ShoppingCart.add(ShoppingCart.empty, ofApples(3, "a"))
    expect(ShoppingCart.contents(ShoppingCart.remove(cart, "pears")))
      .toEqual(ShoppingCart.contents(cart))
  })

  it("holds items and additions that are called as every object's properties are", () => {
    const names = ["toString", "constructor", "hasOwnProperty", "__proto__"]
    for (const name of names) {
      const cart = ShoppingCart.add(ShoppingCart.empty, { item: name, pieces: 1, addition: name })
      const stored = Schema.decodeSync(Cart.Cart)(cart)
      expect(ShoppingCart.contents(stored)).toEqual(new Map([[name, new Map([[name, 1]])]]))
      expect(ShoppingCart.contents(ShoppingCart.remove(stored, name))).toEqual(new Map())
    }
  })
})
