// Runs every plan that once failed: a mended bug stays mended, and its plan still shows it when
// planted.
import { describe, expect, it } from "vitest"
import { counterexamples } from "./Counterexamples.ts"
import { judgedPlan, lines } from "./judged.ts"
import { replayPlant } from "./plants/FindPlant.ts"
import { foundPlants } from "./plants/found.ts"

const kept = counterexamples()

describe("a plan that once failed", () => {
  it.each(kept)("passes: %s", (_, { plan }) => {
    expect(lines(judgedPlan(plan))).toEqual([])
  })

  it.each(kept)("fails where its bug is planted: %s", async (name, { checker }) => {
    const replayed = await replayPlant(foundPlants.find((plant) => plant.name === name)!)
    expect(replayed?.checkers).toContain(checker)
  })

  it.each(kept)("is small: %s", (_, { plan: { faults, operations } }) => {
    expect(operations.length + faults.length).toBeLessThanOrEqual(50)
  })
})

it("is kept of every bug that the simulator found in the product", () => {
  expect(kept.map(([name]) => name)).toEqual(foundPlants.map(({ name }) => name).sort())
})
