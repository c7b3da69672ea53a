// Runs every plan that once failed: what was found and mended stays so.
import { describe, expect, it } from "vitest"
import { checkAll } from "../../src/testing/simulator/Checkers.ts"
import { counterexamples } from "./Counterexamples.ts"
import { runPlan } from "./judged.ts"

describe("a plan that once failed", () => {
  it.each(counterexamples())("passes: %s", (_, { plan }) => {
    expect(checkAll(runPlan(plan).record)).toEqual([])
  })
})
