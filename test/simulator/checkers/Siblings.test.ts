// Shows the checker of siblings histories that it must refuse, and their right versions.
import { describe, expect, it } from "vitest"
import { siblings } from "../../../src/testing/simulator/checkers/Siblings.ts"
import { history, type HistoryStep, problems, shown } from "./histories.ts"

const put = { kind: "put", seen: "fresh" } as const
const first: HistoryStep = { id: 1, action: put }
const second: HistoryStep = { id: 2, action: put }

const refused = (steps: ReadonlyArray<HistoryStep>, final: ReturnType<typeof shown>) =>
  problems(siblings, history("notes", steps, final))

describe("the checker of siblings", () => {
  it("accepts concurrent writes side by side", () => {
    expect(refused([first, second], shown(["o1", "o2"], [1, 2]))).toEqual([])
  })

  it("accepts that a write replaced the siblings that it had seen", () => {
    const after = { ...second, saw: shown(["o1"], [1]) }
    expect(refused([first, after], shown(["o2"], [1, 2]))).toEqual([])
  })

  it("refuses that an acknowledged write is gone which no other had seen", () => {
    expect(refused([first, second], shown(["o2"], [1, 2])))
      .toEqual(["n1", "n2", "n3"].map((node) => `o1 was acknowledged and is lost at ${node}`))
  })

  it("refuses that a write replaced a sibling that its client was not shown", () => {
    const after = { ...second, saw: shown([], [1]) }
    expect(refused([first, after], shown(["o2"], [1, 2]))).toHaveLength(3)
  })

  it("accepts that a write is gone whose successor is gone rightly", () => {
    const unsure: HistoryStep = { ...second, outcome: "info", saw: shown(["o1"], [1]) }
    const third: HistoryStep = { id: 3, action: put, saw: shown(["o2"], [1, 2]) }
    expect(refused([first, unsure, third], shown(["o3"], [1, 2, 3]))).toEqual([])
  })

  it("refuses that a write is gone for one that left no trace", () => {
    const unsure: HistoryStep = {
      ...second,
      outcome: "info",
      saw: shown(["o1"], [1]),
      stored: false
    }
    expect(refused([first, unsure], shown([], [1]))).toHaveLength(3)
  })

  it("accepts that a write is gone whose successor was shown, though no disk ever had it", () => {
    const unsure: HistoryStep = {
      ...second,
      outcome: "info",
      saw: shown(["o1"], [1]),
      stored: false
    }
    const third: HistoryStep = { id: 3, action: put, saw: shown(["o2"], [1, 2]) }
    const final = shown(["o3"], [1, 2, 3])
    const makers = new Map([[2, new Set(["n1"])]])
    const steps = [first, unsure, third]
    expect(problems(siblings, history("notes", steps, final, { makers }))).toEqual([])
    expect(problems(siblings, history("notes", steps, final))).toHaveLength(3)
  })

  it("accepts that a delete took the siblings that it had seen, and no more", () => {
    const deleted: HistoryStep = {
      id: 3,
      action: { kind: "delete", seen: "fresh" },
      saw: shown(["o1"], [1])
    }
    expect(refused([first, deleted], shown([], [1, 3]))).toEqual([])
    expect(refused([first, second, deleted], shown([], [1, 2, 3]))).toHaveLength(3)
  })

  it("accepts that a blind delete took the siblings that its answer had seen", () => {
    const deleted: HistoryStep = {
      id: 3,
      action: { kind: "delete", seen: "nothing" },
      result: shown([], [1, 3])
    }
    expect(refused([first, deleted], shown([], [1, 3]))).toEqual([])
    expect(refused([first, deleted], shown(["o1"], [1, 3]))).not.toEqual([])
    expect(refused([first, second, deleted], shown([], [1, 2, 3]))).toHaveLength(3)
  })

  it("refuses that a replaced sibling comes back", () => {
    const after = { ...second, saw: shown(["o1"], [1]) }
    expect(refused([first, after], shown(["o1", "o2"], [1, 2])))
      .toEqual(["o1 is shown though o2 had seen it"])
  })

  it("refuses that a read shows a write beside one that had seen it", () => {
    const after = { ...second, saw: shown(["o1"], [1]) }
    const read: HistoryStep = {
      id: 3,
      action: { kind: "read" },
      result: shown(["o1", "o2"], [1, 2])
    }
    expect(refused([first, after, read], shown(["o2"], [1, 2])))
      .toEqual(["to o3, o1 is shown though o2 had seen it"])
  })

  it("refuses that a write that was applied once is shown twice", () => {
    const read: HistoryStep = { id: 3, action: { kind: "read" }, result: shown(["o1", "o1"], [1]) }
    expect(refused([first, read], shown(["o1"], [1]))).toEqual(["to o3, o1 is shown twice"])
  })
})
