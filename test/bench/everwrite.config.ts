/**
 * Configures the nodes that the benchmark starts.
 */
import * as Schema from "effect/Schema"
import { Bucket, Key } from "everwrite"
import { defineConfig } from "everwrite/server"

export const Documents = Bucket.lww("documents", { key: Key.text, value: Schema.String })

export default defineConfig({ buckets: [Documents] })
