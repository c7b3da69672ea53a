/**
 * Configures the nodes under faults: a bucket of each way to reconcile, whose outcome is checked.
 */
import * as Schema from "effect/Schema"
import { Bucket, Crdt, Key } from "everwrite"
import { defineConfig } from "everwrite/server"

const key = Key.text

/** Each value is written once in the whole run. */
export const Last = Bucket.lww("last", { key, value: Schema.String })
export const Counts = Bucket.crdt("counts", { key, type: Crdt.counter })
export const Sets = Bucket.crdt("sets", { key, type: Crdt.set(Schema.String) })
export const Merged = Bucket.merge("merged", {
  key,
  value: Schema.Array(Schema.String),
  merge: (left, right) => [...new Set([...left, ...right])].sort()
})

export default defineConfig({ buckets: [Last, Counts, Sets, Merged] })
