// Checks that a misspelt name leads to the name that was meant, and another one to none.
import { expect, it } from "vitest"
import { namesText, nearestName } from "../../../src/core/model/NearestName.ts"

const known = ["key", "consistency", "timeout", "r", "w", "pw", "dw", "EVERWRITE_DATA_DIR"]

it.each([
  ["W", "w"],
  ["consitency", "consistency"],
  ["consistence", "consistency"],
  ["time-out", "timeout"],
  ["EVERWRITE_DATADIR", "EVERWRITE_DATA_DIR"],
  ["EVERWRITE_DATA_DIRECTORY", "EVERWRITE_DATA_DIR"],
  ["EVERWRITE_WHEN", undefined],
  ["q", undefined],
  ["limit", undefined],
  ["", undefined],
  ["w".repeat(100_000), undefined]
])("the name nearest to %.30s is %s", (name, nearest) => {
  expect(nearestName(name, known)).toBe(nearest)
})

it("names are joined as in a sentence", () => {
  expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(namesText))
    .toEqual(["", "a", "a or b", "a, b or c"])
})
