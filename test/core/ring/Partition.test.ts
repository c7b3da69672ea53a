// Checks where keys are placed: a format that must never change.
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { createHash } from "node:crypto"
import { describe, expect, it } from "vitest"
import { PartitionCount, partitionOf } from "../../../src/core/ring/Partition.ts"

const partitionCount = fc.nat({ max: 16 }).map((bits) => 2 ** bits)
const text = fc.string({ unit: "grapheme", maxLength: 20 })
const bucket = text.filter((name) => !name.includes("\u0000"))

describe("the partition of a key", () => {
  it.each([
    ["cart", "alice", 1, 0],
    ["cart", "alice", 256, 66],
    ["cart", "alice", 65_536, 16949],
    ["cart", "bob", 256, 195],
    ["profile", "alice", 256, 109],
    ["profile", "", 256, 228],
    ["profile", "Zoë 🦊", 256, 114],
    ["profile", "Zoë 🦊", 65_536, 29372],
    ["a", "b\u0000c", 1024, 949]
  ])("is a format: %s / %s of %i is in %i", (bucket, partitionKey, partitionCount, expected) => {
    expect(partitionOf({ bucket, partitionKey, partitionCount })).toBe(expected)
  })

  it("is the top bits of MD5 over bucket, U+0000 and partition key", () => {
    fc.assert(fc.property(bucket, text, partitionCount, (bucket, partitionKey, partitionCount) => {
      const hex = createHash("md5").update(`${bucket}\u0000${partitionKey}`).digest("hex")
      const first16 = Number.parseInt(hex.slice(0, 4), 16)
      expect(partitionOf({ bucket, partitionKey, partitionCount }))
        .toBe(Math.floor(first16 * partitionCount / 65_536))
    }))
  })

  it("spreads keys evenly", () => {
    const counts = Array.from({ length: 16 }, () => 0)
    for (let key = 0; key < 16_000; key++) {
      counts[partitionOf({ bucket: "cart", partitionKey: `user-${key}`, partitionCount: 16 })]!++
    }
    // Five standard deviations of a binomial distribution with a mean of 1,000.
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(155)
  })
})

describe("the number of partitions", () => {
  const accepts = Schema.is(PartitionCount)

  it("is a power of two from 1 to 65,536", () => {
    for (let bits = 0; bits <= 16; bits++) expect(accepts(2 ** bits)).toBe(true)
    for (const count of [0, -1, -4, 3, 255, 257, 131_072, 2 ** 32, 0.5, 2.5, NaN, Infinity]) {
      expect(accepts(count)).toBe(false)
    }
  })
})
