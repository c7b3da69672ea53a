// Checks that views of every kind become plain JSON, and that nothing else passes for it.
import { describe, expect, it } from "vitest"
import { toJson } from "../../src/client/ToJson.ts"
import { InvalidRequest } from "../../src/core/model/StoreError.ts"

describe("toJson", () => {
  it("makes objects of maps and arrays of sets, however deep they are", () => {
    const view = {
      lines: new Map([["apple", new Map([["tags", new Set(["green", "sour"])]])]]),
      counts: [new Set([1]), 2]
    }
    expect(toJson(view)).toEqual({
      lines: { apple: { tags: ["green", "sour"] } },
      counts: [[1], 2]
    })
  })

  it("makes texts of dates and of big integers", () => {
    const at = new Date("2026-01-01T12:00:00Z")
    expect(toJson({ at, total: 2n ** 70n }))
      .toEqual({ at: "2026-01-01T12:00:00.000Z", total: "1180591620717411303424" })
  })

  it("makes pairs of a map whose keys are no texts", () => {
    expect(toJson(new Map([[1, "one"]]))).toEqual([[1, "one"]])
  })

  it("leaves a field out that holds undefined, and makes null of no view", () => {
    const json = toJson({ coupon: undefined, count: 0 })
    expect(Object.keys(json)).toEqual(["count"])
    expect(toJson(undefined)).toBeNull()
  })

  it("keeps a field that every object has already", () => {
    const json = toJson(new Map([["constructor", 1], ["toString", 2]]))
    expect(JSON.stringify(json)).toBe("{\"constructor\":1,\"toString\":2}")
  })

  it("refuses what JSON cannot hold, and names its place", () => {
    const circle: Array<unknown> = []
    circle.push(circle)
    const kept: ReadonlyArray<unknown> = [
      NaN,
      Symbol("s"),
      () => 1,
      new Error("of a class"),
      circle
    ]
    for (const value of kept) {
      expect(() => toJson({ a: [value] })).toThrow(InvalidRequest)
      expect(() => toJson({ a: [value] })).toThrow(/\$\.a\[0\]/u)
    }
    expect(() => toJson(new Date(NaN))).toThrow(InvalidRequest)
  })
})
