/**
 * Configures the nodes of this example: they have the carts' code, so they check and merge too.
 */
import { defineConfig } from "everwrite/server"
import { CrdtCarts, LastCarts, MergedCarts } from "./buckets.ts"

export default defineConfig({ buckets: [LastCarts, MergedCarts, CrdtCarts] })
