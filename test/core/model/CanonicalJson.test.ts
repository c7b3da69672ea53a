// Checks that a value has one text, that the text means the value, and what is refused and where.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Json from "../../../src/core/codec/Json.ts"
import * as CanonicalJson from "../../../src/core/model/CanonicalJson.ts"

const { decode, encode } = CanonicalJson

const number = fc.oneof(fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true }))
const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  number,
  fc.string({ unit: "binary" }),
  fc.constantFrom("\u2028", "\u007f", "\ufeff", "\u0000", "\"\\/")
)
const key = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("toString", "constructor", "a", "b", "10", "9", "")
).filter((name) => name !== "__proto__")

const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small" },
    leaf,
    fc.array(tie("json")),
    fc.dictionary(key, tie("json"), { noNullPrototype: false })
  )
}))

/** The same value, with the fields of every object in reverse order. */
const reordered = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reordered)
  if (!CanonicalJson.isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, reordered(field)] as const).toReversed()
  )
}

/** The value as plain JSON has it: without -0 and without prototypes. */
const plain = (value: unknown): unknown => Json.parse(JSON.stringify(value))

/** Why `value` is refused: path, colon, problem. */
const refusal = (value: unknown): string => {
  const checked = problemOf(() => CanonicalJson.check(value))
  const encoded = problemOf(() => encode(value))
  expect(checked).toBe(encoded)
  return encoded ?? `accepted as ${encode(value)}`
}

/** The message of the refusal; undefined where there is none. */
const problemOf = (act: () => unknown): string | undefined => {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof CanonicalJson.InvalidJson) return error.message
    throw error
  }
}

const nested = (levels: number, wrap: (inner: unknown) => unknown): unknown => {
  let value: unknown = 1
  for (let i = 0; i < levels; i++) value = wrap(value)
  return value
}

describe("canonical JSON", () => {
  it("is the same text for equal values, with their fields set in any order", () => {
    fc.assert(fc.property(json, (value) => {
      expect(encode(reordered(value))).toBe(encode(value))
    }))
  })

  it("means the value it was made from", () => {
    fc.assert(fc.property(json, (value) => {
      const text = encode(value)
      expect(decode(text)).toEqual(plain(value))
      expect(encode(decode(text))).toBe(text)
    }))
  })

  it("is there for every value that is checked to have one, and for no other", () => {
    const any = fc.anything({ withDate: true, withMap: true, withSparseArray: true, maxDepth: 4 })
    const values = fc.oneof(json, any)
    fc.assert(
      fc.property(values, (value) => {
        expect(problemOf(() => CanonicalJson.check(value))).toBe(problemOf(() => encode(value)))
      }),
      { numRuns: 2_000 }
    )
  })

  it("orders keys by code unit and writes neither white space nor absent fields", () => {
    const value = { b: 1, a: [1, { d: "x", c: null }], "é": true, "10": 0, "9": 0, z: undefined }
    expect(encode(value)).toBe(`{"10":0,"9":0,"a":[1,{"c":null,"d":"x"}],"b":1,"é":true}`)
    expect(encode({ "\u{1f600}": 1, "\uffff": 2 })).toBe(`{"\u{1f600}":1,"\uffff":2}`)
  })

  it("writes doubles of any size as JavaScript does", () => {
    const numbers = [1e21, 1.5e300, 2 ** 53, -(2 ** 60), 5e-324, 0.1]
    expect(encode(numbers)).toBe(
      "[1e+21,1.5e+300,9007199254740992,-1152921504606847000,5e-324,0.1]"
    )
  })

  it("knows no -0", () => {
    expect(encode([-0, { a: -0 }])).toBe(`[0,{"a":0}]`)
  })
})

describe("a value is refused, with the path to the fault, when it holds", () => {
  it.each<[what: string, value: unknown, refused: string]>([
    ["NaN", { a: [0, NaN] }, "$.a[1]: a number that is not finite: NaN"],
    [
      "what JSON reads 1e400 as",
      JSON.parse(`{"a":1e400}`),
      "$.a: a number that is not finite: Infinity"
    ],
    [
      "a mark for a number that would be changed",
      Json.parseMarked(`{"a":[1e-400]}`).value,
      "$.a[0]: a number that would become 0: 1e-400"
    ],
    ["a lone surrogate", { a: ["\ud800"] }, "$.a[0]: text with a lone surrogate"],
    ["a key with a lone surrogate", { "\udc00": 1 }, "$.\udc00: text with a lone surrogate"],
    [
      "a field named __proto__",
      JSON.parse(`{"a":{"__proto__":1}}`),
      "$.a: a field named __proto__"
    ],
    ["undefined in an array", [undefined], "$[0]: undefined, which JSON cannot hold"],
    [
      "a hole in an array",
      Object.assign([], { 1: 1 }),
      "$[0]: undefined, which JSON cannot hold"
    ],
    ["a bigint", { a: 1n }, "$.a: bigint, which JSON cannot hold"],
    ["a function", { a: encode }, "$.a: function, which JSON cannot hold"],
    ["a date", { at: new Date(0) }, "$.at: an object of a class, which JSON cannot hold"],
    ["a map", new Map([[1, 2]]), "$: an object of a class, which JSON cannot hold"]
  ])("%s", (_, value, refused) => {
    expect(refusal(value)).toBe(refused)
  })

  it("more than 32 levels of arrays or objects", () => {
    for (const wrap of [(v: unknown) => [v], (v: unknown) => ({ a: v })]) {
      expect(refusal(nested(CanonicalJson.depthMax, wrap))).toContain("accepted")
      expect(refusal(nested(CanonicalJson.depthMax + 1, wrap))).toMatch(/nested deeper than 32/u)
    }
  })

  it("more than 100,000 values", () => {
    const items = Array.from({ length: CanonicalJson.nodesMax - 1 }, () => 0)
    expect(refusal(items)).toContain("accepted")
    expect(refusal([...items, 0])).toBe("$[99999]: more than 100000 values")
  })

  it("10,000 levels or itself, without exhausting the stack", () => {
    const cycle: Record<string, unknown> = {}
    cycle["self"] = cycle
    expect(refusal(nested(10_000, (v) => [v]))).toMatch(/nested deeper than 32/u)
    expect(refusal(JSON.parse(`${"[".repeat(10_000)}1${"]".repeat(10_000)}`))).toMatch(/nested/u)
    expect(refusal(cycle)).toMatch(/nested deeper than 32/u)
  })
})
