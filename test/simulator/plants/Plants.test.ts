// Checks that planted bugs are found: the checkers bite.
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { findPlant } from "./FindPlant.ts"
import { edited, urlOf } from "./Plant.ts"
import { plants } from "./Plants.ts"

/** Bugs that are found under one of the first few seeds; the table of all is in the README. */
const fast = [
  "actor-reused-after-restart",
  "blind-put-replaces",
  "context-joined-into-a-type",
  "deferral-dropped",
  "ids-not-kept",
  "no-birth-after-a-lost-row",
  "one-acknowledgement-less",
  "read-repair-bumps-the-clock",
  "read-repairs-nobody",
  "removal-takes-the-unseen",
  "session-ignored",
  "sibling-comes-back",
  "stamp-without-causal-floor",
  "third-sibling-dropped",
  "tombstone-dropped",
  "totals-added-up",
  "version-vector-for-dots"
]

describe("every planted bug", () => {
  it.each(plants)("$name changes text that stands in its file exactly once", ({ edits }) => {
    for (const edit of edits) {
      const text = readFileSync(fileURLToPath(urlOf(edit)), "utf8")
      expect(edited(text, edit)).not.toBe(text)
    }
  })

  it("has a name of its own", () => {
    expect(new Set(plants.map(({ name }) => name)).size).toBe(plants.length)
  })
})

describe("a checker", () => {
  it.each(plants.filter(({ name }) => fast.includes(name)))("finds $name", async (plant) => {
    expect(await findPlant(plant, { seeds: 40 })).toMatchObject({ violation: {} })
  })
})
