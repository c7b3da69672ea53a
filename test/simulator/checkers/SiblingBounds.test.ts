// Shows the checker of how many siblings there are histories that it must refuse, and their right
// versions.
import { describe, expect, it } from "vitest"
import { siblingBounds } from "../../../src/testing/simulator/checkers/SiblingBounds.ts"
import type { Shown } from "../../../src/testing/simulator/History.ts"
import { history, type HistoryStep, problems, shown } from "./histories.ts"

const put = { kind: "put", seen: "fresh" } as const
const first: HistoryStep = { id: 1, action: put }
const second: HistoryStep = { id: 2, action: put }
/** Its client was shown the first, with a context that does not say so. */
const after: HistoryStep = { ...second, saw: shown(["o1"], []) }
const nothing = shown([], [])

const read = (result: Shown): HistoryStep => ({ id: 9, action: { kind: "read" }, result })

const refused = (steps: ReadonlyArray<HistoryStep>, final = nothing) =>
  problems(siblingBounds, history("notes", steps, final))

describe("the checker of how many siblings there are", () => {
  it("accepts as many siblings as there are writes that had not seen one another", () => {
    const all = shown(["o1", "o2"], [1, 2])
    expect(refused([first, second, read(all)], all)).toEqual([])
    expect(refused([first, after, read(shown(["o2"], [1, 2]))])).toEqual([])
  })

  it("refuses a sibling beside one whose writer had been shown it, with any context", () => {
    expect(refused([first, after, read(shown(["o1", "o2"], [1, 2]))]))
      .toEqual(["to o9, o1 is shown beside o2, whose writer had been shown it"])
    expect(refused([first, after], shown(["o2", "o1"], [1, 2]))).toHaveLength(1)
  })

  it("refuses a sibling beside one that had replaced its own successor", () => {
    const third: HistoryStep = { id: 3, action: put, saw: shown(["o2"], []) }
    expect(refused([first, after, third, read(shown(["o1", "o3"], [1, 2, 3]))]))
      .toEqual(["to o9, o1 is shown beside o3, whose writer had been shown it"])
    expect(refused([first, second, third, read(shown(["o1", "o3"], [1, 2, 3]))])).toEqual([])
  })

  it("accepts a sibling beside one that saw it only where it may have been applied twice", () => {
    const again: HistoryStep = { ...first, sendings: 2 }
    expect(refused([again, after, read(shown(["o1", "o2"], [1, 2]))])).toHaveLength(1)
    const twice: HistoryStep = { ...again, timesMax: 2 }
    expect(refused([twice, after, read(shown(["o1", "o2"], [1, 2]))])).toEqual([])
  })

  it("refuses that a write that was carried out once is shown twice, also in the end", () => {
    expect(refused([first, read(shown(["o1", "o1"], [1]))]))
      .toEqual(["to o9, o1 is shown 2 times"])
    expect(refused([first], shown(["o1", "o1"], [1]))).toHaveLength(1)
  })

  it("accepts that a write is shown twice whose client preferred that to not knowing", () => {
    const both = shown(["o1", "o1"], [1])
    const twice: HistoryStep = { ...first, timesMax: 2 }
    expect(problems(siblingBounds, history("notes", [twice, read(both)], both))).toEqual([])
  })
})
