// Shows the checker of equal contexts histories that it must refuse, and their right versions.
import { describe, expect, it } from "vitest"
import { equalContexts } from "../../../src/testing/simulator/checkers/EqualContexts.ts"
import type { Shown } from "../../../src/testing/simulator/History.ts"
import { history, type HistoryStep, problems, shown } from "./histories.ts"

const read = (id: number, result: Shown): HistoryStep => ({ id, action: { kind: "read" }, result })

const refused = (results: ReadonlyArray<Shown>, final: Shown) =>
  problems(
    equalContexts,
    history("registers", results.map((result, i) => read(i + 1, result)), final)
  )

describe("the checker of equal contexts", () => {
  it("accepts different values with different contexts, and a value that is shown again", () => {
    const [first, both] = [shown("o1", [1]), shown("o2", [1, 2])]
    expect(refused([first, both, first, shown("o2", [2, 1])], both)).toEqual([])
    expect(refused([shown(undefined, []), shown(undefined, [])], shown("o1", [1]))).toEqual([])
  })

  it("refuses two values with the same context, however its actors are ordered", () => {
    expect(refused([shown("o1", [1, 2]), shown("o2", [2, 1])], shown("o3", [1, 2, 3])))
      .toEqual(["o1 was shown \"o1\", and o2 \"o2\" under the same context"])
  })

  it("refuses a value and none with the same context, also in the last reads", () => {
    const [value, none] = [shown("o1", [1]), shown(undefined, [1])]
    expect(refused([value, none], shown("o2", [1, 2]))).toHaveLength(1)
    expect(refused([value], none)).not.toEqual([])
  })
})
