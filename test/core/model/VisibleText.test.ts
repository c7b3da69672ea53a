// Checks that no text reaches a terminal with a character that it would carry out or not show.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  hidesCharacters,
  trimmed,
  trimmedSecret,
  visible,
  visibleJson
} from "../../../src/core/model/VisibleText.ts"

const text = fc.string({ unit: "binary" })

/** All controls, and characters of formats. */
const unseen = /[\p{Cc}\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]/u

describe("a text for people", () => {
  it.each([
    ["alice\r", "alice\\r"],
    ["\u001b[2Jx", "\\u001b[2Jx"],
    ["\u009b2J", "\\u009b2J"],
    ["a\u200bb\u202e", "a\\u200bb\\u202e"],
    ["\u{e0041}", "\\udb40\\udc41"],
    ["ä 😀", "ä 😀"]
  ])("shows %j as %s", (given, shown) => {
    expect(visible(given)).toBe(shown)
  })

  it("has no character that is not seen", () => {
    fc.assert(fc.property(text, (given) => {
      expect(visible(given)).not.toMatch(unseen)
      expect(hidesCharacters(visible(given))).toBe(false)
    }))
  })
})

it("JSON for a terminal has no character that is not seen, and is read as the same value", () => {
  fc.assert(fc.property(fc.record({ a: text, b: fc.array(text) }), (value) => {
    const json = visibleJson(value)
    expect(json).not.toMatch(unseen)
    expect(JSON.parse(json)).toEqual(value)
  }))
})

it("a trimmed text has neither spaces nor invisible characters around it", () => {
  expect(trimmed("\ufeff data\r\n\u200b ")).toBe("data")
  expect(trimmed(" a b ")).toBe("a b")
  expect(trimmed(" \r")).toBe("")
})

it("a secret loses the end of its line and the mark of its encoding, and no space", () => {
  expect(trimmedSecret("\ufeff s3cret \r\n")).toBe(" s3cret ")
})
