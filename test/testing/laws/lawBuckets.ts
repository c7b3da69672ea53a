/**
 * Declares one bucket of each kind, for the laws to be checked on.
 */
import * as Schema from "effect/Schema"
import * as Bucket from "../../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../../src/core/strategy/Crdt.ts"
import * as Key from "../../../src/core/strategy/Key.ts"

const key = Key.text

export const Cart = Schema.Struct({ items: Schema.Record(Schema.String, Schema.Int) })
export type Cart = typeof Cart.Type
type Items = Cart["items"]

/** A bucket of carts with this merge. */
export const cartBucket = (merge: (left: Cart, right: Cart) => Cart) =>
  Bucket.merge("carts", { key, value: Cart, merge })

/** Items whose quantities are those of both carts, made one by `choose`. */
export const mergeItems = (
  left: Items,
  right: Items,
  choose: (left: number, right: number) => number
): Items => {
  const skus = [...new Set([...Object.keys(left), ...Object.keys(right)])]
  const quantity = (items: Items, sku: string) => Object.hasOwn(items, sku) ? items[sku] : undefined
  return Object.fromEntries(
    skus.map((sku) => {
      const [a, b] = [quantity(left, sku), quantity(right, sku)]
      return [sku, a === undefined ? b! : b === undefined ? a : choose(a, b)] as const
    })
  )
}

export const carts = cartBucket((left, right) => ({
  items: mergeItems(left.items, right.items, Math.max)
}))

export const profiles = Bucket.lww("profiles", {
  key: Key.make({ partition: { tenant: Schema.String }, sort: { id: Schema.Int } }),
  value: Schema.Struct({
    name: Schema.String,
    born: Schema.Date,
    email: Schema.optional(Schema.String)
  })
})

export const notes = Bucket.siblings("notes", { key, value: Schema.String })

export const views = Bucket.crdt("views", { key, type: Crdt.counter })

export const tags = Bucket.crdt("tags", { key, type: Crdt.set(Schema.String) })

export const titles = Bucket.crdt("titles", { key, type: Crdt.register(Schema.String) })

export const labels = Bucket.crdt("labels", {
  key,
  type: Crdt.map(Crdt.register(Schema.String))
})

export const shelves = Bucket.crdt("shelves", { key, type: Crdt.map(Crdt.map(Crdt.counter)) })

const Address = Schema.Struct({ city: Schema.String, zip: Schema.Int })

export const orders = Bucket.crdt("orders", {
  key,
  type: Crdt.document({
    lines: Crdt.map(Crdt.counter),
    addresses: Crdt.set(Address),
    note: Crdt.register(Schema.String),
    parcels: Crdt.map(
      Crdt.document({ labels: Crdt.set(Schema.Int), sent: Crdt.register(Schema.Boolean) })
    )
  })
})

export const everyKind: ReadonlyArray<Bucket.Any> = [
  profiles,
  notes,
  carts,
  views,
  tags,
  titles,
  labels,
  shelves,
  orders
]
