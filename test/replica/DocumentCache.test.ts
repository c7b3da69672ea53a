// Checks that the cache gives back what it was given last, within its bound, least used first out.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Document from "../../src/core/crdt/Document.ts"
import { DocumentCache } from "../../src/replica/DocumentCache.ts"
import { textOf } from "../../src/core/model/RowKey.ts"
import { memoryOf } from "../../src/replica/MemoryOf.ts"
import type { LocalDocument } from "../../src/replica/LocalDocument.ts"
import type { RowKey } from "../../src/storage/Storage.ts"

const keyOf = (partitionKey: string, sortKey = "", partition = 1): RowKey => ({
  partition,
  bucket: "b",
  partitionKey,
  sortKey
})
/** Of memory, for an empty document and its name. */
const room = (bytes: number, key = keyOf("a")): number =>
  memoryOf(Document.empty, { encodedBytes: bytes, name: textOf(key) })
const heldAs = (own: string): LocalDocument => ({ document: Document.empty, digest: "", own })

describe("a cache", () => {
  it("lists the documents that were used last, as long as its bytes allow", () => {
    const step = fc.record({ key: fc.constantFrom("a", "b", "c", "d"), bytes: fc.nat(60) })
    fc.assert(
      fc.property(fc.array(fc.oneof(step, fc.constantFrom("a", "b", "c", "d"))), (steps) => {
        const cache = new DocumentCache(2 * room(50))
        let model: ReadonlyArray<{ readonly key: string; readonly own: string; bytes: number }> = []
        steps.forEach((step, i) => {
          if (typeof step === "string") {
            const found = model.find(({ key }) => key === step)
            expect(cache.get(keyOf(step))?.own).toBe(found?.own)
            if (found !== undefined) model = [...model.filter(({ key }) => key !== step), found]
            return
          }
          const { bytes, key } = step
          cache.set(keyOf(key), heldAs(String(i)), bytes)
          model = [...model.filter((other) => other.key !== key), { key, own: String(i), bytes }]
          while (model.reduce((sum, entry) => sum + room(entry.bytes), 0) > 2 * room(50)) {
            model = model.slice(1)
          }
        })
        for (const { key, own } of model) expect(cache.get(keyOf(key))?.own).toBe(own)
      })
    )
  })

  it("keeps no document that is larger than all of it, nor the one that it replaced", () => {
    const cache = new DocumentCache(room(100))
    cache.set(keyOf("a"), heldAs("old"), 100)
    expect(cache.get(keyOf("a"))?.own).toBe("old")
    cache.set(keyOf("a"), heldAs("new"), 101)
    expect(cache.get(keyOf("a"))).toBeUndefined()
  })

  it("tells keys apart that differ anywhere", () => {
    const cache = new DocumentCache(10_000)
    const keys = [keyOf("a"), keyOf("a", "b"), keyOf("ab"), keyOf("a", "", 11), keyOf("")]
    keys.forEach((key, i) => cache.set(key, heldAs(String(i)), 1))
    expect(keys.map((key) => cache.get(key)?.own)).toEqual(["0", "1", "2", "3", "4"])
    cache.clear()
    expect(keys.map((key) => cache.get(key))).toEqual(keys.map(() => undefined))
  })
})
