/**
 * Configures the nodes that the benchmark starts. Each bucket exists twice: its writes are synced
 * before they are acknowledged, or soon after.
 */
import * as Schema from "effect/Schema"
import { Bucket, Crdt, Key } from "everwrite"
import { defineConfig } from "everwrite/server"

const key = Key.text
const buffered = "buffered"

const documents = { key, value: Schema.String }
export const Documents = Bucket.lww("documents", documents)
export const BufferedDocuments = Bucket.lww("buffered-documents", {
  ...documents,
  durability: buffered
})

const visits = { key, type: Crdt.counter }
export const Visits = Bucket.crdt("visits", visits)
export const BufferedVisits = Bucket.crdt("buffered-visits", { ...visits, durability: buffered })

const tags = { key, type: Crdt.set(Schema.String) }
export const Tags = Bucket.crdt("tags", tags)
export const BufferedTags = Bucket.crdt("buffered-tags", { ...tags, durability: buffered })

const tallies = { key, type: Crdt.map(Crdt.counter) }
export const Tallies = Bucket.crdt("tallies", tallies)
export const BufferedTallies = Bucket.crdt("buffered-tallies", { ...tallies, durability: buffered })

type Items = Readonly<Record<string, number>>

const carts = {
  key,
  value: Schema.Record(Schema.String, Schema.Number),
  merge: (left: Items, right: Items): Items => {
    const items = { ...left }
    for (const [item, count] of Object.entries(right)) {
      items[item] = Math.max(count, items[item] ?? 0)
    }
    return items
  }
}
export const Carts = Bucket.merge("carts", carts)
export const BufferedCarts = Bucket.merge("buffered-carts", { ...carts, durability: buffered })

const texts = {
  key,
  value: Schema.String,
  merge: (left: string, right: string): string => left > right ? left : right
}
export const Texts = Bucket.merge("texts", texts)
export const BufferedTexts = Bucket.merge("buffered-texts", { ...texts, durability: buffered })

export default defineConfig({
  buckets: [
    Documents,
    BufferedDocuments,
    Visits,
    BufferedVisits,
    Tags,
    BufferedTags,
    Tallies,
    BufferedTallies,
    Carts,
    BufferedCarts,
    Texts,
    BufferedTexts
  ]
})
