/** Compares the order of keys in memory with SQLite's, which is that of UTF-8 bytes. */
import * as fc from "fast-check"
import { expect, it } from "vitest"
import { compareKeys, compareText } from "../../src/storage/KeyOrder.ts"
import type { RowKey } from "../../src/storage/Storage.ts"
import { bytesOf } from "./documents.ts"

// Mostly the same few characters, around the characters where UTF-16 orders otherwise.
const text = fc.string({
  unit: fc.constantFrom(
    "a",
    "b",
    "\u0001",
    "\uD7FF",
    "\uE000",
    "\uFFFF",
    "\u{10000}",
    "\u{10FFFF}"
  ),
  maxLength: 4
})

it("texts are ordered by their UTF-8 bytes", () => {
  fc.assert(
    fc.property(fc.oneof(text, fc.string({ unit: "binary" })), text, (a, b) => {
      const expected = Buffer.compare(bytesOf(a), bytesOf(b))
      expect(Math.sign(compareText(a, b))).toBe(expected)
    }),
    { numRuns: 2000 }
  )
})

const parts = (key: RowKey) => [key.bucket, key.partitionKey, key.sortKey]

it("keys are ordered by bucket, then partition key, then sort key", () => {
  const key = fc.record({
    partition: fc.constant(0),
    bucket: fc.constantFrom("a", "a-b", "b"),
    partitionKey: text,
    sortKey: text
  })
  fc.assert(fc.property(key, key, (a, b) => {
    const first = parts(a).findIndex((part, i) => part !== parts(b)[i])
    const expected = first < 0 ? 0 : Math.sign(compareText(parts(a)[first]!, parts(b)[first]!))
    expect(Math.sign(compareKeys(a, b))).toBe(expected)
  }))
})
