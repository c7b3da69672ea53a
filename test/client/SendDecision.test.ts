// Checks the decisions of a client together with those of the nodes: in every order of events one
// operation is applied once at most, and what the client is told of it is true.
import { describe, expect, it } from "vitest"
import { stream } from "../../src/testing/simulator/SeededRandom.ts"
import { idsEnough, World } from "./operationWorld.ts"

const told = ({ outcome }: World): string => {
  if (outcome === undefined) return "nothing"
  const doubt = "mayHaveApplied" in outcome && outcome.mayHaveApplied ? " in doubt" : ""
  return outcome._tag + doubt
}

const play = (seed: number, ifUnknown: "fail" | "apply") => {
  const random = stream(seed, "operation")
  const world = new World({
    random,
    ifUnknown,
    idsMax: random.pick([1, 2, 3, idsEnough]),
    sendingsPerNode: random.integer(1, 3)
  })
  const steps = random.integer(3, 80)
  for (let i = 0; i < steps; i++) world.proceed()
  world.end()
  return world
}

describe("a client and three nodes", () => {
  it("apply an operation once at most, and a client that is told so was answered truly", () => {
    const outcomes = new Map<string, number>()
    for (let seed = 1; seed <= 30_000; seed++) {
      const world = play(seed, "fail")
      const outcome = told(world)
      const name = `${outcome}, applied ${world.timesApplied}`
      outcomes.set(name, (outcomes.get(name) ?? 0) + 1)
      expect(world.timesApplied, `seed ${seed}: ${outcome}`).toBeLessThan(2)
      if (outcome === "Answer") expect(world.timesApplied, `seed ${seed}`).toBe(1)
      else if (!outcome.endsWith("in doubt")) expect(world.timesApplied, `seed ${seed}`).toBe(0)
    }
    for (
      const name of [
        "Answer, applied 1",
        "NoAnswer in doubt, applied 0",
        "NoAnswer in doubt, applied 1",
        "OperationUnknown in doubt, applied 0",
        "OperationUnknown in doubt, applied 1",
        "NodeUnavailable, applied 0"
      ]
    ) expect([...outcomes.keys()]).toContain(name)
  })

  it("never answer that nobody can tell where the client prefers a second time", () => {
    let twice = 0
    for (let seed = 1; seed <= 10_000; seed++) {
      const world = play(seed, "apply")
      if (world.timesApplied > 1) twice++
    }
    expect(twice).toBeGreaterThan(0)
  })
})
