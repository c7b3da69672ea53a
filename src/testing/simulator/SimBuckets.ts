/**
 * Declares the buckets that simulated clients use: one for each way of reconciling. Every value
 * names the operation that wrote it, so that a value that is read back tells its origin.
 */
import * as Schema from "effect/Schema"
import * as Bucket from "../../core/strategy/Bucket.ts"
import * as Crdt from "../../core/strategy/Crdt.ts"
import * as Key from "../../core/strategy/Key.ts"

/** The name of an operation, as a value. */
const Written = Schema.String

export const Registers = Bucket.lww("registers", { key: Key.text, value: Written })

export const Notes = Bucket.siblings("notes", { key: Key.text, value: Written })

export const Tags = Bucket.crdt("tags", { key: Key.text, type: Crdt.set(Written) })

export const Counts = Bucket.crdt("counts", { key: Key.text, type: Crdt.counter })

export const Documents = Bucket.crdt("documents", {
  key: Key.text,
  type: Crdt.document({ lines: Crdt.map(Crdt.set(Written)), title: Crdt.register(Written) })
})

/** Additions by item and name; null once taken back (see `plugins/shoppingCart`). */
export const CartValue = Schema.Record(
  Schema.String,
  Schema.Record(Schema.String, Schema.NullOr(Schema.Int))
)
export type CartValue = typeof CartValue.Type

const union = <A>(
  left: Readonly<Record<string, A>>,
  right: Readonly<Record<string, A>>,
  join: (left: A, right: A) => A
): Readonly<Record<string, A>> => {
  const entries = new Map(Object.entries(left))
  for (const [name, value] of Object.entries(right)) {
    const other = entries.get(name)
    entries.set(name, other === undefined ? value : join(other, value))
  }
  return Object.fromEntries(entries)
}

export const mergeCarts = (left: CartValue, right: CartValue): CartValue =>
  union(
    left,
    right,
    (a, b) => union(a, b, (x, y) => (x === null || y === null ? null : Math.max(x, y)))
  )

export const Carts = Bucket.merge("carts", {
  key: Key.text,
  value: CartValue,
  merge: mergeCarts
})

export const simBuckets = [Registers, Notes, Tags, Counts, Documents, Carts] as const
export type SimBucketName = (typeof simBuckets)[number]["name"]
