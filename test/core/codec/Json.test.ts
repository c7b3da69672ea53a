// Checks that JSON is read as written, after any earlier objects.
import * as fc from "fast-check"
import { describe, expect, it, vi } from "vitest"
import * as Json from "../../../src/core/codec/Json.ts"
import * as CanonicalJson from "../../../src/core/model/CanonicalJson.ts"

/** Texts full of what has to be escaped, or may be. */
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(...Array.from("\\\"\n\u0001/uné=-0:,{}")) }),
  fc.string({ unit: "binary" })
)
const key = fc.oneof(text, fc.constantFrom("0", "10", "0-", "=", "__proto__", "toString", ""))

const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small" },
    fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), text),
    fc.array(tie("json")),
    fc.array(fc.tuple(key, tie("json"))).map(Object.fromEntries<unknown>)
  )
}))

/** JSON of a value with every character of its keys and texts escaped, as some languages do. */
const escapedText = (value: unknown): string => {
  if (typeof value === "string") {
    const units = Array.from({ length: value.length }, (_, at) => value.charCodeAt(at))
    return `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("")}"`
  }
  if (Array.isArray(value)) return `[${value.map(escapedText).join(" , ")}]`
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).map(([name, field]) =>
    `${escapedText(name)} : ${escapedText(field)}`
  )
  return `{${fields.join(" , ")}}`
}

const depthOf = (value: unknown): number =>
  typeof value === "object" && value !== null
    ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
    : 0

describe("reading JSON", () => {
  it("gives the written value, with all keys, in their order", () => {
    fc.assert(
      fc.property(json, (value) => {
        for (const written of [JSON.stringify(value), escapedText(value)]) {
          const read = Json.parse(written)
          expect(read).toEqual(value)
          expect(JSON.stringify(read)).toBe(JSON.stringify(value))
        }
      }),
      { numRuns: 2_000 }
    )
  })

  it.each(["\n", "\"", "é", "\u0001", "x\n", "x\"", "xé", "\\", "x\\n"])(
    "reads the key %j, though objects with backslashes in their keys have been there",
    (name) => {
      for (const before of ["\\", "x\\", "x\\n", "\\\\", "\\u"]) {
        const earlier = `{"a":1,${JSON.stringify(before)}:1}`
        expect(Json.parse(earlier)).toEqual({ a: 1, [before]: 1 })
        for (const token of [JSON.stringify(name), escapedText(name)]) {
          expect(Json.parse(`[{"a":1,${token}:1}]`)).toEqual([{ a: 1, [name]: 1 }])
        }
      }
    }
  )

  it("takes the last of equal keys, escaped or not", () => {
    expect(Json.parse("{\"a\":1,\"\\u0061\":2}")).toEqual({ a: 2 })
    expect(Json.parse("{\"\\u0061\":1,\"a\":2}")).toEqual({ a: 2 })
    expect(Json.parse("{\"a\":1,\"\\u0061\":2,\"a\":3}")).toEqual({ a: 3 })
    const repeated = fc.array(fc.tuple(fc.constantFrom("a", "\\u0061", "\\u0061", "b"), fc.nat()))
    fc.assert(fc.property(repeated, (fields) => {
      const written = fields.map(([name, value]) => `"${name}":${value}`).join(",")
      const expected = fields.map(([name, value]) => [name.endsWith("61") ? "a" : name, value])
      expect(Json.parse(`{${written}}`)).toEqual(Object.fromEntries(expected))
    }))
  })

  it("leaves texts alone that look like keys", () => {
    expect(Json.parse(String.raw`{"a\\":"{\"b\\\":1}","c":["\\",":"]}`)).toEqual({
      "a\\": "{\"b\\\":1}",
      c: ["\\", ":"]
    })
  })

  it.each(["", "{", "{\"\\x\":1}", "\"\\", "{\"a\\\":1}", "[\"\\\"]", "{\"\\u00\":1}"])(
    "finds nothing in %j, which is no JSON",
    (malformed) => {
      expect(() => Json.parse(malformed)).toThrow(SyntaxError)
      expect(Json.read(malformed)).toBeUndefined()
    }
  )

  it("reads eight megabytes of quotes", () => {
    const value = { ["\"".repeat(4_000_000)]: "\\\"".repeat(2_000_000) }
    expect(Json.parse(JSON.stringify(value))).toEqual(value)
  })
})

/** The path to the number that no double holds, and why; undefined if a text has none. */
const inexact = (written: string): string | undefined => {
  try {
    Json.parse(written)
    return undefined
  } catch (error) {
    if (error instanceof Json.InexactNumber) return error.message
    throw error
  }
}

/** The digits of the text that JavaScript writes for an integer. */
const expanded = (integer: number): string => {
  const [, sign, whole = "", fraction = "", power = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:e\+(\d+))?$/u
    .exec(String(integer))!
  return `${sign}${whole}${fraction}${"0".repeat(Number(power) - fraction.length)}`
}

/** Digits with a point and an exponent anywhere: near all bounds of what a double holds. */
const decimal = fc.tuple(
  fc.oneof(fc.bigInt(-(2n ** 54n), 2n ** 54n), fc.bigInt()).map(String),
  fc.oneof(fc.constant(""), fc.nat().map((digits) => `.${digits}`)),
  fc.oneof(fc.constant(""), fc.integer({ min: -400, max: 400 }).map((power) => `e${power}`))
).map((parts) => parts.join(""))

describe("a number of JSON", () => {
  it.each([
    ["1e400", "$: a number that would become infinite: 1e400"],
    ["[1,{\"a\":-1e400}]", "$[1].a: a number that would become infinite: -1e400"],
    ["{\"a\":1e-400}", "$.a: a number that would become 0: 1e-400"],
    ["[0.2e-323]", "$[0]: a number that would become 0: 0.2e-323"],
    [
      "{\"a\":[9007199254740993]}",
      "$.a[0]: an integer that would become 9007199254740992: 9007199254740993; send it as text"
    ],
    [
      "-18446744073709551615",
      "$: an integer that would become -18446744073709552000: -18446744073709551615; "
      + "send it as text"
    ],
    [`0.${"0".repeat(400)}1`, `$: a number that would become 0: 0.${"0".repeat(38)}...`],
    ["1".repeat(400), `$: a number that would become infinite: ${"1".repeat(40)}...`]
  ])("%s is refused, with its path", (written, refusal) => {
    expect(inexact(written)).toBe(refusal)
    expect(Json.read(written)).toBeUndefined()
  })

  it.each(["1e21", "1.5e300", "5e-324", "-0", "0e999", "0.0e-999", "9007199254740992", "1e+22"])(
    "%s is what it looks like",
    (written) => expect(Json.parse(`[${written}]`)).toEqual([Number(written)])
  )

  it("is any double, as JavaScript writes it", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (double) => {
        expect(Json.parse(JSON.stringify({ a: [double] }))).toEqual({ a: [double + 0] })
      }),
      { numRuns: 5_000 }
    )
  })

  it("is the nearest double, and refused where an integer would change or it would vanish", () => {
    fc.assert(
      fc.property(decimal, (written) => {
        const double = Number(written)
        const isInteger = /^-?\d+$/u.test(written)
        const changes = isInteger && Number.isFinite(double) && expanded(double) !== written
        const vanishes = double === 0 && /^[^e]*[1-9]/u.test(written)
        const isRefused = changes || vanishes || !Number.isFinite(double)
        expect(inexact(`[${written}]`) !== undefined).toBe(isRefused)
        if (!isRefused) expect(Json.parse(`[${written}]`)).toEqual([double])
      }),
      { numRuns: 5_000 }
    )
  })

  it("is found beside texts and keys that look like such numbers", () => {
    const texts = "{\"1e400\":\"9007199254740993\",\"a\\\"\":[\"1e-400\",true,{}]}"
    expect(Json.parse(texts)).toEqual({ "1e400": "9007199254740993", "a\"": ["1e-400", true, {}] })
    expect(inexact(`[${texts} , 1e400 ]`)).toMatch(/^\$\[1\]: /u)
  })
})

describe("how deep JSON nests", () => {
  it("is seen in the text, with any keys and texts", () => {
    fc.assert(
      fc.property(json, (value) => {
        const depth = depthOf(value)
        for (const written of [JSON.stringify(value), escapedText(value)]) {
          expect(Json.isDeeperThan(written, depth)).toBe(false)
          expect(Json.isDeeperThan(written, depth - 1)).toBe(depth > 0)
        }
      }),
      { numRuns: 2_000 }
    )
  })

  it("is seen where the text is too deep to be read, or never ends", () => {
    const brackets = "[".repeat(400_000)
    expect(Json.isDeeperThan(brackets, 399_999)).toBe(true)
    expect(Json.isDeeperThan(brackets, 400_000)).toBe(false)
    expect(Json.isDeeperThan(JSON.stringify(brackets), 0)).toBe(false)
  })

  it.each([
    ["1,024 levels are read", 1_024],
    ["1,025 levels are refused", 1_025],
    ["490,000 levels are refused", 490_000]
  ])("is counted before a text is parsed: %s", (_, depth) => {
    const written = `${"[".repeat(depth)}${"]".repeat(depth)}`
    const native = vi.spyOn(JSON, "parse")
    const outcomes = [Json.parse, Json.parseMarked, CanonicalJson.decode].map((read) => {
      try {
        return typeof read(written)
      } catch (error) {
        return error instanceof RangeError ? error.message : error
      }
    })
    const parsed = native.mock.calls.length
    native.mockRestore()
    const isRead = depth <= Json.depthMax
    expect(parsed).toBe(isRead ? 3 : 0)
    expect(outcomes).toEqual(
      Array.from({ length: 3 }, () => isRead ? "object" : "nested deeper than 1024 levels")
    )
    expect(Json.read(written) === undefined).toBe(!isRead)
  })
})
