// Checks that planted bugs are found: the checkers bite.
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { checkers } from "../../../src/testing/simulator/Checkers.ts"
import { compilePlants } from "./CompilePlants.ts"
import { findPlant } from "./FindPlant.ts"
import { edited, urlOf } from "./Plant.ts"
import { plants } from "./Plants.ts"

/** Rows of the README's table of bugs: name, what is wrong, a seed, found by. */
const rows = readFileSync(new URL("../README.md", import.meta.url), "utf8").split("\n")
  .map((line) => line.split("|").map((cell) => cell.trim()).slice(1, -1))
  .filter((cells) => cells.length === 4 && Number(cells[2]) > 0)

/** The first seeds, which show half of the bugs, as the table says. */
const seedsMax = 6

/** For each checker the bug that it finds soonest, if one of these shows it. A command runs all. */
const sample = new Set(checkers.flatMap(({ name }) => {
  const found = rows.filter(([, , seed, by]) =>
    Number(seed) <= seedsMax && by?.split(", ").includes(name) === true
  )
  return found.sort(([, , one], [, , other]) => Number(one) - Number(other))
    .slice(0, 1).map(([bug]) => bug)
}))

describe("every planted bug", () => {
  it.each(plants)("$name changes text that stands in its file exactly once", ({ edits }) => {
    for (const edit of edits) {
      const text = readFileSync(fileURLToPath(urlOf(edit)), "utf8")
      expect(edited(text, edit)).not.toBe(text)
    }
  })

  it("compiles", () => {
    expect(compilePlants(plants)).toBe("")
  })

  it("has a name of its own", () => {
    expect(new Set(plants.map(({ name }) => name)).size).toBe(plants.length)
  })

  it("has a row in the README's table, with a seed", () => {
    expect(rows.map(([name, bug]) => [name, bug])).toEqual(
      plants.map(({ bug, name }) => [name, bug])
    )
  })
})

describe("every checker", () => {
  it.each(checkers)("finds a planted bug: $name", ({ name }) => {
    expect(rows.flatMap(([, , , by]) => by?.split(", "))).toContain(name)
  })
})

/** Or an invariant of the product, which ends the run. */
const finders = [...checkers.map(({ name }) => name), "run"]

describe("a checker", () => {
  const sampled = plants.filter(({ name }) => sample.has(name))
  it.each(sampled)("finds $name", { timeout: 120_000 }, async (plant) => {
    const [, , seed] = rows.find(([name]) => name === plant.name)!
    // Some more seeds than the one of the table, since what is drawn changes with the simulator.
    const found = await findPlant(plant, { from: Number(seed), seeds: 4 * seedsMax })
    expect(finders).toContain(found?.violation.checker)
  })

  it("finds half of all bugs that need no real database soon, as the table says", () => {
    const inModel = plants.filter(({ isBelowTheModel }) => isBelowTheModel !== true)
    const soon = rows.filter(([, , seed]) => Number(seed) <= seedsMax)
    expect(soon.length).toBeGreaterThanOrEqual(inModel.length / 2)
  })
})
