// Checks keys as people write them against the definition of their bucket.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { KeyDefinition } from "../../../src/core/model/BucketDefinition.ts"
import { MalformedKey } from "../../../src/core/model/DocumentKey.ts"
import { bareText, decodeKey, encodeKey } from "../../../src/core/model/KeyFields.ts"

const order: KeyDefinition = {
  bare: false,
  partition: [["shop", "text"], ["year", "integer"]],
  sort: [["at", "integer"], ["id", "text"]]
}

const text = fc.string({ unit: "binary" })
const integer = fc.maxSafeInteger()
const orderKey = fc.record({ shop: text, year: integer, at: integer, id: text })

/** Why `json` is no key of this definition. */
const refusal = (definition: KeyDefinition, json: unknown): string => {
  try {
    return `accepted as ${JSON.stringify(encodeKey(definition, json))}`
  } catch (error) {
    if (error instanceof MalformedKey) return error.message
    throw error
  }
}

describe("keys", () => {
  it("are decoded to the fields they were made from", () => {
    fc.assert(fc.property(orderKey, (key) => {
      expect(decodeKey(order, encodeKey(order, key))).toEqual(key)
    }))
    fc.assert(fc.property(text, (key) => {
      expect(decodeKey(bareText, encodeKey(bareText, key))).toBe(key)
    }))
  })

  it("share a partition exactly where they share the partition fields", () => {
    fc.assert(fc.property(orderKey, orderKey, fc.boolean(), (left, other, alike) => {
      const right = alike ? { ...other, shop: left.shop, year: left.year } : other
      const [a, b] = [encodeKey(order, left), encodeKey(order, right)]
      expect(a.partition === b.partition)
        .toBe(left.shop === right.shop && left.year === right.year)
      expect(a.sort === b.sort).toBe(left.at === right.at && left.id === right.id)
    }))
  })

  it("without sort fields have an empty sort half", () => {
    expect(encodeKey(bareText, "alice").sort).toBe("")
  })

  it.each<[string, KeyDefinition, unknown, string]>([
    ["a number for a text", bareText, 7, "key: expected a text"],
    ["an object for a text", bareText, { key: "a" }, "key: expected a text"],
    [
      "a text for an object",
      order,
      "a",
      "expected an object with shop (text), year (integer), at (integer), id (text)"
    ],
    ["an array for an object", order, ["a", 1, 2, "b"], "expected an object with shop"],
    ["null for an object", order, null, "expected an object with shop"],
    ["a missing field", order, { shop: "a", year: 1, at: 2 }, "id: expected a text"],
    ["a fraction", order, { shop: "a", year: 1.5, at: 2, id: "b" }, "year: expected an integer"],
    [
      "digits as text",
      order,
      { shop: "a", year: "1", at: 2, id: "b" },
      "year: expected an integer"
    ],
    ["too large an integer", order, { shop: "a", year: 2 ** 53, at: 2, id: "b" }, "year: expected"],
    ["a lone surrogate", bareText, "\ud800", "text with a lone surrogate"]
  ])("are refused with the name of the field: %s", (_, definition, json, refused) => {
    expect(refusal(definition, json)).toContain(refused)
  })

  it("do not find fields on the prototype of an object", () => {
    const definition: KeyDefinition = { bare: false, partition: [["toString", "text"]], sort: [] }
    expect(refusal(definition, {})).toBe("toString: expected a text")
  })
})
