/**
 * Declares the buckets that `everwrite dev` serves where a project has none of its own: one of
 * each kind, to be tried out from the command line.
 */
import * as Schema from "effect/Schema"
import * as Bucket from "../core/strategy/Bucket.ts"
import * as Crdt from "../core/strategy/Crdt.ts"
import * as Key from "../core/strategy/Key.ts"

export const carts = Bucket.crdt("carts", {
  key: Key.text,
  type: Crdt.document({
    lines: Crdt.map(Crdt.counter),
    coupon: Crdt.register(Schema.String)
  })
})

export const visits = Bucket.crdt("visits", { key: Key.text, type: Crdt.counter })

export const notes = Bucket.siblings("notes", { key: Key.text, value: Schema.String })

export const scratch = Bucket.lww("scratch", { key: Key.text, value: Schema.Json })

export const sampleBuckets = [carts, visits, notes, scratch] as const

/** The purpose of each, for the table that `dev` prints. */
export const sampleNotes = {
  carts: "crdt document: do carts alice lines.add apple 2",
  visits: "crdt counter: do visits home add 1",
  notes: "siblings: put notes n1 '\"hello\"'",
  scratch: "last write wins, any JSON: put scratch hello '\"world\"'"
}
