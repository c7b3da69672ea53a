// The nodes of the shop: `everwrite start --config examples/shop-service/everwrite.config.ts`.
import { defineConfig } from "everwrite/server"
import { buckets } from "./buckets.ts"

export default defineConfig({ cluster: "shop", buckets: Object.values(buckets) })
