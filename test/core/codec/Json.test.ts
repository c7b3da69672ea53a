// Checks that JSON is read as written, after any earlier objects.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Json from "../../../src/core/codec/Json.ts"

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
})
