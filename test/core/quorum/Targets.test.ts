// Checks the sets of nodes that the decisions count with.
import { describe, expect, it } from "vitest"
import { InvariantViolation } from "../../../src/core/Invariant.ts"
import * as Targets from "../../../src/core/quorum/Targets.ts"
import { generator } from "./Exploration.ts"
import { kinds, nodeName, range } from "./NodesModel.ts"

const nodes = (
  counts: { readonly targets: number; readonly fallbacks: number }
): Targets.Nodes => ({
  targets: range(1, counts.targets).map((i) => ({ node: nodeName(`a${i}`), ...kinds.complete })),
  fallbacks: range(1, counts.fallbacks).map((i) => nodeName(`b${i}`))
})

describe("sets of nodes", () => {
  it("the size of a set is the number of its bits", () => {
    const pick = generator(1)
    for (const set of [0, 1, 2 ** 30 - 1, ...range(1, 1000).map(() => pick(2 ** 30))]) {
      expect(Targets.size(set)).toBe(set.toString(2).replaceAll("0", "").length)
    }
  })

  it("every node has an index, under which it is found again; a stranger has none", () => {
    const made = Targets.make(nodes({ targets: 3, fallbacks: 2 }))
    const names = ["a1", "a2", "a3", "b1", "b2"].map(nodeName)
    expect(names.map((name) => Targets.indexOf(made, name))).toEqual([0, 1, 2, 3, 4])
    expect(Targets.nodesOf(made, 0b11111)).toEqual(names)
    expect(Targets.indexOf(made, nodeName("c"))).toBe(-1)
  })

  it("an index that is none, or of a node not asked, is in no set", () => {
    const asked = 0b101
    expect([-1, 0, 1, 2, 3, 31, 32, 33].map((index) => Targets.only(index, asked))).toEqual([
      0,
      1,
      0,
      4,
      0,
      0,
      0,
      0
    ])
  })

  it("a list of fallbacks longer than a set is used as far as the set goes", () => {
    const made = Targets.make(nodes({ targets: 3, fallbacks: 100 }))
    const used = range(1, 60).reduce<Targets.StandIns>(
      (standIns) => Targets.substitute(made, standIns, 2 ** 30 - 1),
      []
    )
    expect(used).toHaveLength(27)
    expect(Targets.asked(made, used)).toBe(2 ** 30 - 1)
    expect(Targets.substitutes(made, used, 26)).toMatchObject([{ index: 29, node: "b27" }])
  })

  it("more targets than a set holds are refused", () => {
    expect(() => Targets.make(nodes({ targets: 31, fallbacks: 0 }))).toThrow(InvariantViolation)
    expect(Targets.size(Targets.make(nodes({ targets: 30, fallbacks: 0 })).primaries)).toBe(30)
  })
})
