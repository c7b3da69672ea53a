/**
 * Gives the three buckets one face, so that the same customers can use each: the items in a cart,
 * add to it, take an item out of it.
 */
import type { Db, ReadOptions, ValueOf, WriteOptions } from "everwrite"
import * as ShoppingCart from "../../plugins/shoppingCart.ts"
import { CrdtCarts, LastCarts, MergedCarts } from "./buckets.ts"

export const buckets = { last: LastCarts, merged: MergedCarts, crdt: CrdtCarts }
export type CartDb = Db<typeof buckets>

/** The names of the additions that are in a cart, by item. */
export type Contents = ReadonlyMap<string, ReadonlySet<string>>

export interface Change {
  readonly item: string
  readonly pieces: number
  /** The addition's own name. */
  readonly addition: string
}

export interface Carts {
  readonly contents: (db: CartDb, customer: string, options: ReadOptions) => Promise<Contents>
  readonly add: (
    db: CartDb,
    customer: string,
    change: Change,
    options: WriteOptions
  ) => Promise<unknown>
  /** Takes out the additions of an item; `saw` is told which additions those are, before. */
  readonly remove: (
    db: CartDb,
    customer: string,
    removal: { readonly item: string; readonly saw: (additions: ReadonlySet<string>) => void },
    options: WriteOptions
  ) => Promise<unknown>
}

const nothing: ReadonlySet<string> = new Set()

const named = (contents: ReadonlyMap<string, ReadonlyMap<string, number>>): Contents =>
  new Map([...contents].map(([item, additions]) => [item, new Set(additions.keys())]))

type Cart = ValueOf<typeof MergedCarts>

/** Carts that are one value: read, change, write back. */
const whole = (
  read: (db: CartDb) => Pick<CartDb["last"], "get">,
  update: (
    db: CartDb,
    customer: string,
    change: (cart: Cart | undefined) => Cart,
    options: WriteOptions
  ) => Promise<unknown>
): Carts => ({
  contents: async (db, customer, options) =>
    named(ShoppingCart.contents(await read(db).get(customer, options) ?? ShoppingCart.empty)),
  add: (db, customer, change, options) =>
    update(
      db,
      customer,
      (cart) => ShoppingCart.add(cart ?? ShoppingCart.empty, change),
      options
    ),
  remove: (db, customer, { item, saw }, options) =>
    update(db, customer, (cart = ShoppingCart.empty) => {
      saw(named(ShoppingCart.contents(cart)).get(item) ?? nothing)
      return ShoppingCart.remove(cart, item)
    }, options)
})

const last = whole(({ last }) => last, async ({ last }, customer, change, options) => {
  // Where the last write wins there is no update: what another device adds meanwhile is lost.
  const seen = await last.entry(customer, options)
  const cart = change(seen._tag === "Found" ? seen.value : undefined)
  await last.put(customer, cart, { ...options, seen })
})

const merged = whole(
  ({ merged }) => merged,
  ({ merged }, customer, change, options) => merged.update(customer, change, options)
)

/** Carts that are a data type: operations name the change. */
const crdt: Carts = {
  contents: async (db, customer, options) => {
    const cart = await db.crdt.get(customer, options)
    const lines = [...cart?.lines ?? []]
    return new Map(lines.map(([item, additions]) => [
      item,
      new Set([...additions].map((addition) => addition.name))
    ]))
  },
  add: (db, customer, { addition: name, item, pieces }, options) =>
    db.crdt.lines.add(customer, item, { name, pieces }, options),
  remove: async (db, customer, { item, saw }, options) => {
    const entry = await db.crdt.entry(customer, options)
    if (entry._tag === "Absent") return
    saw(new Set([...entry.value.lines.get(item) ?? []].map((addition) => addition.name)))
    await db.crdt.lines.drop(customer, item, { ...options, seen: entry })
  }
}

export const kinds: ReadonlyArray<readonly [title: string, carts: Carts]> = [
  ["last write wins", last],
  ["application merge", merged],
  ["CRDT document", crdt]
]
