/**
 * Configures the nodes that the benchmark starts.
 */
import * as Schema from "effect/Schema"
import { Bucket, Crdt, Key } from "everwrite"
import { defineConfig } from "everwrite/server"

export const Documents = Bucket.lww("documents", { key: Key.text, value: Schema.String })

export const Visits = Bucket.crdt("visits", { key: Key.text, type: Crdt.counter })

export const Tags = Bucket.crdt("tags", { key: Key.text, type: Crdt.set(Schema.String) })

export default defineConfig({ buckets: [Documents, Visits, Tags] })
