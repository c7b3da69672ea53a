/**
 * Shows that a reader which remembers texts reads what one without a memory reads.
 */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ByteReader, ByteWriter, Malformed } from "../../../src/core/codec/Bytes.ts"
import { RecurringTexts } from "../../../src/core/codec/RecurringTexts.ts"

const text = fc.oneof(
  fc.constantFrom("documents", "documentz", "n1.0mabc.1", "n1.0mabc.2", "", "é", "\u0080"),
  fc.string({ maxLength: 130 }),
  fc.string({ unit: "grapheme", maxLength: 60 })
)

const read = (bytes: Uint8Array, recurring?: RecurringTexts): string => {
  try {
    return new ByteReader(bytes, 0, bytes.length, recurring).text()
  } catch (error) {
    if (error instanceof Malformed) return `malformed: ${error.message}`
    throw error
  }
}

const bytesOf = (value: string): Uint8Array => new ByteWriter().text(value.toWellFormed()).finish()

describe("texts that recur", () => {
  it("are read as they are written, whichever were read before", () => {
    fc.assert(fc.property(fc.array(text, { maxLength: 60 }), (values) => {
      const recurring = new RecurringTexts()
      for (const value of values) {
        expect(read(bytesOf(value), recurring)).toBe(value.toWellFormed())
      }
    }))
  })

  it("are read from any bytes as a reader without a memory reads them", () => {
    const run = fc.oneof(fc.uint8Array({ maxLength: 20 }), text.map(bytesOf))
    fc.assert(fc.property(fc.array(run, { maxLength: 60 }), (runs) => {
      const recurring = new RecurringTexts()
      for (const bytes of runs) expect(read(bytes, recurring)).toBe(read(bytes))
    }))
  })
})
