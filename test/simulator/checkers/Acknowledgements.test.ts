// Shows histories that the checker of acknowledgements must accept, and such that it must refuse.
import { describe, expect, it } from "vitest"
import { acknowledgements } from "../../../src/testing/simulator/checkers/Acknowledgements.ts"
import type { Record } from "../../../src/testing/simulator/History.ts"
import { history, type HistoryStep, problems, shown } from "./histories.ts"

const put: HistoryStep = { id: 1, action: { kind: "put", seen: "nothing" }, endedAt: 20 }

/** A write and since when nodes have had it on disk. */
const told = (step: HistoryStep, since: { readonly [node: string]: number }) =>
  problems(
    acknowledgements,
    history("notes", [step], shown(["o1"], [1]), {
      copies: new Map([[1, new Map(Object.entries(since))]])
    })
  )

const refused = (changes: Partial<Record>) =>
  problems(
    acknowledgements,
    history("notes", [{ ...put, outcome: "fail" }], shown([], []), changes)
  )

describe("an acknowledged write", () => {
  it("is on two disks of three when it is acknowledged", () => {
    expect(told(put, { n1: 12, n2: 20 })).toEqual([])
    expect(told(put, { n1: 12, n2: 21, n3: 30 })).toEqual([
      "o1 was on 1 disks of 2 when it was acknowledged"
    ])
  })

  it("is on one where one was to answer", () => {
    expect(told({ ...put, available: true }, { n1: 12 })).toEqual([])
    expect(told({ ...put, available: true }, { n1: 21 })).not.toEqual([])
  })
})

describe("a refused write", () => {
  it("was carried out by no replica", () => {
    expect(refused({})).toEqual([])
    expect(refused({ makers: new Map([[1, new Set(["n2"])]]) })).toEqual([
      "o1 was refused, and carried out by n2"
    ])
  })

  it("may have been carried out by another process under the same id", () => {
    const makers = new Map([[1, new Set(["n2"])]])
    expect(refused({ makers, twinned: new Set(["n2"]) })).toEqual([])
  })
})

it("asks nothing of a write of unknown outcome", () => {
  expect(told({ ...put, outcome: "info" }, { n1: 12 })).toEqual([])
  expect(told({ ...put, outcome: "info" }, {})).toEqual([])
})
