/** Compares the order of encoded keys with that of their fields, and reads made-up keys. */
import * as fc from "fast-check"
import { expect, it } from "vitest"
import { decodeKey, encodeKey, families, rangeUnder } from "../../src/storage/FamilyKey.ts"
import { compareEncoded } from "../../src/storage/PendingWrites.ts"
import type { FamilyKeys } from "../../src/storage/Storage.ts"
import { bytesOf } from "./documents.ts"

type Key = FamilyKeys["index"]

// Mostly the same few characters and numbers, around the fixtures where encodings change.
const text = fc.oneof(
  fc.string({
    unit: fc.constantFrom("a", "b", "\u0001", "\u007F", "\u0080", "\uFFFF", "\u{10000}"),
    maxLength: 3
  }),
  fc.string({ unit: "binary", maxLength: 3 }).filter((value) => !value.includes("\0"))
)
const number = fc.oneof(
  fc.constantFrom(0, 1, 255, 256, 65_535, 65_536, 2 ** 32, Number.MAX_SAFE_INTEGER),
  fc.nat({ max: 1000 }),
  fc.maxSafeNat()
)
const key: fc.Arbitrary<Key> = fc.tuple(text, text, number, text, text)

const compareFields = (a: Key, b: Key): number => {
  for (const [i, field] of a.entries()) {
    const other = b[i]!
    const order = typeof field === "number"
      ? Math.sign(field - Number(other))
      : Buffer.compare(bytesOf(field), bytesOf(String(other)))
    if (order !== 0) return order
  }
  return 0
}

it("keys are ordered field by field, text by its UTF-8 bytes and numbers by size", () => {
  fc.assert(
    fc.property(key, key, fc.nat({ max: 5 }), (a, rest, shared) => {
      const [, , number, partitionKey, sortKey] = rest
      const b: Key = shared < 2
        ? rest
        : [a[0], a[1], shared < 3 ? number : a[2], shared < 4 ? partitionKey : a[3], sortKey]
      const encoded = compareEncoded(encodeKey("index", a), encodeKey("index", b))
      expect(encoded).toBe(compareFields(a, b))
    }),
    { numRuns: 2000 }
  )
})

it("a key is read as it was written", () => {
  fc.assert(fc.property(key, (fields) => {
    expect(decodeKey("index", encodeKey("index", fields))).toEqual(fields)
  }))
})

it("a range holds the keys that begin with its fields, and no others", () => {
  fc.assert(
    fc.property(key, key, fc.nat({ max: 4 }), fc.boolean(), (a, b, count, same) => {
      const fields = (same ? a : b).slice(0, count)
      const { before, from } = rangeUnder("index", fields)
      const encoded = encodeKey("index", a)
      const isUnder = fields.every((field, i) => field === a[i])
      expect(encoded > from && encoded < before).toBe(isUnder)
    })
  )
})

it("made-up bytes are no key, or the key that they are written as", () => {
  const byte = fc.constantFrom(
    "\0",
    "\u0001",
    "\u0007",
    "\u0008",
    "a",
    "\u00C3",
    "\u00A9",
    "\u00FF"
  )
  fc.assert(
    fc.property(fc.constantFrom(...families), fc.string({ unit: byte }), (family, bytes) => {
      const fields = decodeKey(family, bytes)
      if (fields !== undefined) expect(encodeKey(family, fields)).toBe(bytes)
    }),
    { numRuns: 5000 }
  )
})
