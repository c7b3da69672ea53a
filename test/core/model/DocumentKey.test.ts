// Checks that encoded keys compare as the keys do, in SQLite's order of UTF-8 bytes.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  decodeFields,
  encodeFields,
  isEncoded,
  joinFields,
  type KeyFieldValue,
  keyLengthMax,
  MalformedKey
} from "../../../src/core/model/DocumentKey.ts"

const isMadeByEncoding = (encoded: string): boolean => {
  try {
    return encodeFields(decodeFields(encoded)) === encoded
  } catch {
    return false
  }
}

/** Texts close to one another: control characters, prefixes, and both sides of the surrogates. */
const character = fc.constantFrom(
  ...Array.from("\u0000\u0001\u0002\u0003\u0004\u0005as\u007f\u0080é\ud7ff\ue000\uffff"),
  "\u{10000}",
  "\u{10ffff}"
)
const text = fc.oneof(
  fc.string({ unit: character, maxLength: 5 }),
  fc.string({ unit: "binary", maxLength: 20 })
)
const integer = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 255, 256, -256, -257)
)

/** Two keys of one definition: as many fields, of the same types. */
const twoKeys = fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }).chain((fields) => {
  const key = fc.tuple(
    ...fields.map((isText): fc.Arbitrary<KeyFieldValue> => (isText ? text : integer))
  )
  return fc.tuple(key, key)
})

/** As SQLite compares text: the bytes of UTF-8. */
const compareEncoded = (left: string, right: string): number =>
  Math.sign(Buffer.compare(Buffer.from(left), Buffer.from(right)))

const compareText = (left: string, right: string): number => {
  const [a, b] = [Array.from(left), Array.from(right)]
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = a[i]!.codePointAt(0)! - b[i]!.codePointAt(0)!
    if (difference !== 0) return Math.sign(difference)
  }
  return Math.sign(a.length - b.length)
}

const compareFields = (
  left: ReadonlyArray<KeyFieldValue>,
  right: ReadonlyArray<KeyFieldValue>
): number => {
  for (const [i, part] of left.entries()) {
    const other = right[i]!
    const order = typeof part === "string" && typeof other === "string"
      ? compareText(part, other)
      : Math.sign(Number(part) - Number(other))
    if (order !== 0) return order
  }
  return 0
}

describe("encoded keys", () => {
  it("compare as their fields do: in turn, text by code point, integers by size", () => {
    fc.assert(
      fc.property(twoKeys, ([left, right]) => {
        expect(compareEncoded(encodeFields(left), encodeFields(right)))
          .toBe(compareFields(left, right))
      }),
      { numRuns: 2000 }
    )
  })

  it("are decoded to the fields they were made from", () => {
    fc.assert(fc.property(twoKeys, ([key]) => {
      expect(decodeFields(encodeFields(key))).toEqual(key)
    }))
  })

  it("differ where keys differ, also in the types and number of their fields", () => {
    const key = fc.array(fc.oneof(text, integer), { minLength: 1, maxLength: 3 })
    fc.assert(fc.property(key, key, (left, right) => {
      if (encodeFields(left) === encodeFields(right)) expect(left).toEqual(right)
    }))
    expect(encodeFields(["1"])).not.toBe(encodeFields([1]))
    expect(encodeFields(["a", "b"])).not.toBe(encodeFields(["a\u0001sb"]))
    expect(encodeFields(["a", ""])).not.toBe(encodeFields(["a"]))
  })

  it("hold no U+0000, which would end a text in C, and are not empty", () => {
    fc.assert(fc.property(twoKeys, ([key]) => {
      expect(encodeFields(key)).not.toContain("\u0000")
      expect(encodeFields(key)).not.toBe("")
    }))
  })

  it("of no fields are the empty text", () => {
    expect(encodeFields([])).toBe("")
    expect(decodeFields("")).toEqual([])
  })

  it("are a format: these bytes for these keys, for ever", () => {
    const bytes = Buffer.from(encodeFields(["a\u0000é", -1, ""]))
    expect(bytes.toString("hex")).toBe("73610203c3a9016931666666666666666666666666660173")
  })
})

describe("a key is refused when it", () => {
  it.each<[string, ReadonlyArray<KeyFieldValue>]>([
    ["holds a lone surrogate", ["a\ud800"]],
    ["holds a number that is no integer", [1.5]],
    ["holds an integer beyond 2^53 - 1", [2 ** 53]],
    ["holds NaN", [NaN]],
    ["is longer than 1024 characters", ["a".repeat(keyLengthMax)]]
  ])("%s", (_, parts) => {
    expect(() => encodeFields(parts)).toThrow(MalformedKey)
  })

  it("arrives from elsewhere and is not the encoding of its own fields", () => {
    fc.assert(
      fc.property(fc.oneof(text, text.map((t) => `s${t}`), text.map((t) => `i${t}`)), (t) => {
        expect(isEncoded(t)).toBe(isMadeByEncoding(t))
      })
    )
    const one = encodeFields([1])
    for (
      const wrong of [
        "a",
        "s\u0000",
        "s\u0002",
        "s\u0002a",
        "sa\u0001",
        "\u0001sa",
        "i",
        "i1",
        "i-1",
        "i ",
        "i0x1",
        one.toUpperCase(),
        `${one}0`,
        `i${"f".repeat(14)}`,
        `i${"0".repeat(14)}`,
        "s\ud800",
        `s${"a".repeat(keyLengthMax)}`
      ]
    ) {
      expect(isEncoded(wrong), JSON.stringify(wrong)).toBe(false)
    }
  })

  it("is fine otherwise", () => {
    fc.assert(fc.property(twoKeys, ([key]) => {
      expect(isEncoded(encodeFields(key))).toBe(true)
    }))
    expect(isEncoded("")).toBe(true)
    expect(isEncoded(encodeFields(["a".repeat(keyLengthMax - 1)]))).toBe(true)
  })
})

describe("paths of elements", () => {
  it("of any length are decoded to the parts they were made from", () => {
    const parts = fc.array(fc.oneof(text, fc.constant("x".repeat(5000))))
    fc.assert(fc.property(parts, (parts) => {
      expect(decodeFields(joinFields(parts))).toEqual(parts)
    }))
  })

  it("that are garbage give fields or `MalformedKey`, never another error", () => {
    const garbage = fc.oneof(
      text,
      text.map((t) => `i${t}`),
      fc.string().map((t) => `s${t}\u0001i${t}`)
    )
    fc.assert(fc.property(garbage, (garbage) => {
      try {
        expect(Array.isArray(decodeFields(garbage))).toBe(true)
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedKey)
      }
    }))
  })
})
