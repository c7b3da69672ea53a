// Checks which targets a read spares: that the others are enough, and which they are.
import { describe, expect, it } from "vitest"
import * as ReadDecision from "../../../src/core/quorum/ReadDecision.ts"
import * as SparedTargets from "../../../src/core/quorum/SparedTargets.ts"
import * as Targets from "../../../src/core/quorum/Targets.ts"
import { allKinds, nodeChoices, nodeName, range } from "./NodesModel.ts"
import { readCases } from "./ReadModel.ts"

const kind = { primary: true, previous: false, up: true }
const nodes = {
  targets: ["a", "b", "c"].map((name) => ({ node: nodeName(name), ...kind })),
  fallbacks: []
}
const indices = (set: number) => range(0, 29).filter((index) => Targets.has(set, index))

const preferring = (suspects: number, turn: number, incomplete = -1) => {
  const targets = nodes.targets.map((target, i) => ({ ...target, primary: i !== incomplete }))
  return indices(
    SparedTargets.choose({ r: 2, pr: 0 }, { ...nodes, targets }, { own: 0, suspects, turn })
  )
}

describe("the targets that a read spares", () => {
  it("leave as many as can meet the needs, or none is spared", () => {
    let compared = 0
    for (const choice of range(1, 4).flatMap((count) => nodeChoices({ count, among: allKinds }))) {
      for (const { needs } of readCases(choice)) {
        for (const turn of range(0, 2 * choice.targets.length - 1)) {
          const suspects = turn % 2 === 0 ? 0 : 0b101
          const own = turn < choice.targets.length ? 0 : -1
          const spared = SparedTargets.choose(needs, choice, { own, suspects, turn })
          const read = ReadDecision.make(needs, choice, { covered: true, spared })
          // It would ask those that it spares, if the others could not meet the needs.
          expect(read.spared).toBe(read.outcome._tag === "Wait" ? spared : 0)
          expect(Targets.has(spared, own)).toBe(false)
          expect(indices(spared).every((index) => choice.targets[index]!.up)).toBe(true)
          compared++
        }
      }
    }
    expect(compared).toBeGreaterThan(10_000)
  })

  it("are all that the needs do not ask for", () => {
    const preference = { own: 1, suspects: 0, turn: 0 }
    expect(indices(SparedTargets.choose({ r: 1, pr: 0 }, nodes, preference))).toEqual([0, 2])
    expect(indices(SparedTargets.choose({ r: 2, pr: 0 }, nodes, preference))).toEqual([0])
    expect(indices(SparedTargets.choose({ r: 1, pr: 2 }, nodes, preference))).toEqual([0])
    expect(indices(SparedTargets.choose({ r: 3, pr: 0 }, nodes, preference))).toEqual([])
  })

  it("take turns, so that reads ask each of the others as often", () => {
    const asked = [0, 0, 0]
    for (const number of range(1, 30_000)) {
      const turn = SparedTargets.shuffled(2 * number) >>> 8
      const spared = SparedTargets.choose({ r: 2, pr: 0 }, nodes, { own: 0, suspects: 0, turn })
      asked[spared === 0b010 ? 2 : 1]!++
    }
    expect(asked[1]).toBeGreaterThan(14_000)
    expect(asked[2]).toBeGreaterThan(14_000)
  })

  it("are those that are suspect, and then those that are incomplete", () => {
    for (const turn of [0, 1, 2]) {
      expect(preferring(0b010, turn)).toEqual([1])
      expect(preferring(0b100, turn)).toEqual([2])
      expect(preferring(0, turn, 1)).toEqual([1])
      expect(preferring(0b100, turn, 1)).toEqual([2])
    }
  })

  it("are none amid a transfer", () => {
    const targets = nodes.targets.map((target) => ({ ...target, previous: true }))
    const preference = { own: 0, suspects: 0, turn: 0 }
    expect(SparedTargets.choose({ r: 1, pr: 0 }, { ...nodes, targets }, preference)).toBe(0)
  })
})
