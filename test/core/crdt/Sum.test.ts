// Checks sums against bigints, and that equal sums are equal values and equal bytes.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ByteReader, ByteWriter, Malformed } from "../../../src/core/codec/Bytes.ts"
import {
  isFurther,
  minus,
  plus,
  readSum,
  shown,
  type Sum,
  writeSum
} from "../../../src/core/crdt/Sum.ts"

const sumMax = 2n ** 106n
const edges = [
  0n,
  63n,
  64n,
  2n ** 48n,
  2n ** 49n,
  2n ** 50n,
  2n ** 51n,
  2n ** 52n,
  2n ** 53n,
  sumMax
]
const exact = fc.oneof(
  fc.tuple(fc.constantFrom(...edges), fc.bigInt({ min: -2n, max: 2n }), fc.boolean())
    .map(([edge, by, isNegative]) => (isNegative ? -edge : edge) + by),
  fc.bigInt({ min: -sumMax, max: sumMax })
)

const most = BigInt(Number.MAX_SAFE_INTEGER)

/** As a sum must be: a number where one is exact. */
const sumOf = (value: bigint): Sum => value >= -most && value <= most ? Number(value) : value

const abs = (value: bigint): bigint => (value < 0n ? -value : value)

const bytesOf = (sum: Sum): Uint8Array => writeSum(new ByteWriter(), sum).finish()

describe("a sum", () => {
  it("is exact at any size, and a number as long as that is exact", () => {
    fc.assert(fc.property(exact, exact, (a, b) => {
      expect(plus(sumOf(a), sumOf(b))).toBe(sumOf(a + b))
      expect(minus(sumOf(a), sumOf(b))).toBe(sumOf(a - b))
      expect(isFurther(sumOf(a), sumOf(b))).toBe(abs(a) > abs(b))
    }))
  })

  it("is shown as the nearest integer that a number holds exactly", () => {
    fc.assert(fc.property(exact, (value) => {
      const nearest = value > most ? most : value < -most ? -most : value
      expect(shown(sumOf(value))).toBe(Number(nearest))
    }))
  })

  it("has bytes of its own, and is read back from them", () => {
    fc.assert(fc.property(exact, (value) => {
      const bytes = bytesOf(sumOf(value))
      const reader = new ByteReader(bytes)
      expect(readSum(reader, "a sum")).toBe(sumOf(value))
      expect(reader.remaining).toBe(0)
    }))
  })

  it("is read from no other bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 18 }), (bytes) => {
      const reader = new ByteReader(bytes)
      try {
        const sum = readSum(reader, "a sum")
        expect([...bytesOf(sum)]).toEqual([...bytes.subarray(0, reader.offset)])
      } catch (error) {
        expect(error).toBeInstanceOf(Malformed)
      }
    }))
    const long = Uint8Array.from({ length: 17 }, () => 0x81)
    for (const bytes of [Uint8Array.of(0x80, 0), long, long.with(16, 1)]) {
      expect(() => readSum(new ByteReader(bytes), "a sum")).toThrow(Malformed)
    }
  })
})
