/**
 * Declares one bucket of each family for tests of whole nodes.
 */
import * as Schema from "effect/Schema"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"

/** Last write wins. */
export const profiles = Bucket.lww("profiles", {
  key: Key.text,
  value: Schema.Struct({ name: Schema.String })
})

/** Keeps siblings. */
export const notes = Bucket.siblings("notes", { key: Key.text, value: Schema.String })

/** An application merge. */
export const scores = Bucket.merge("scores", {
  key: Key.text,
  value: Schema.Int,
  merge: (left, right) => Math.max(left, right)
})

/** A data type with operations of its own. */
export const shelves = Bucket.crdt("shelves", {
  key: Key.text,
  type: Crdt.document({
    books: Crdt.set(Schema.String),
    visits: Crdt.counter,
    label: Crdt.register(Schema.Json)
  })
})

/** Keys of several fields. */
export const rooms = Bucket.lww("rooms", {
  key: Key.make({
    partition: { hotel: Schema.String },
    sort: { floor: Schema.Int, name: Schema.String }
  }),
  value: Schema.Struct({ beds: Schema.Int })
})

export const buckets = [profiles, notes, scores, shelves, rooms]
