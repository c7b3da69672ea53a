// Shows the checker of last-write-wins histories that it must refuse, and their right versions.
import { describe, expect, it } from "vitest"
import { lastWriteWins } from "../../../src/testing/simulator/checkers/LastWriteWins.ts"
import { epochMillis } from "../../../src/testing/simulator/SimRuntime.ts"
import { finalOf, history, type HistoryStep, problems, shown } from "./histories.ts"

const put = { kind: "put", seen: "nothing" } as const
const first: HistoryStep = { id: 1, action: put, stamp: 10, result: shown("o1", [1], 10) }
const second: HistoryStep = { id: 2, action: put, stamp: 20, result: shown("o2", [2], 20) }

const refused = (
  steps: ReadonlyArray<HistoryStep>,
  final: ReturnType<typeof shown>,
  guarded = false
) =>
  problems(
    lastWriteWins,
    history("registers", steps, final, guarded ? { guarded: new Set([1]) } : {})
  )

/** The problems where a write's answer shows a second one, which began at this time. */
const overtaken = (invokedAt: number, maker: string) => {
  const final = shown("o2", [1, 2], 20)
  const steps = [{ ...first, endedAt: 50, result: final }, { ...second, invokedAt }]
  const makers = new Map([[1, new Set([maker])]])
  return problems(lastWriteWins, history("registers", steps, final, { makers }))
}

/** The stamp of a clock that is right at this time of the run. */
const stampAt = (millis: number): number => (epochMillis + millis) * 1_000

/** The problems of a write from 2,000 to 2,100 ms with the stamp of another time. */
const stamped = (millis: number) => {
  const stamp = stampAt(millis)
  const step = { ...first, stamp, invokedAt: 2_000, endedAt: 2_100, clockErrorMillis: 500 }
  return refused([step], shown("o1", [1], stamp))
}

describe("the checker of last-write-wins", () => {
  it("accepts the write with the greatest stamp", () => {
    expect(refused([first, second], shown("o2", [1, 2], 20))).toEqual([])
  })

  it("refuses that an acknowledged write with a greater stamp is gone", () => {
    expect(refused([first, second], shown("o1", [1], 10)))
      .toEqual(["\"o1\" with stamp 10 though o2 has stamp 20"])
  })

  it("refuses that an acknowledged write left nothing", () => {
    expect(refused([first], shown(undefined, []))).toHaveLength(2)
  })

  it("refuses that a write wins which an acknowledged one had seen, with any stamps", () => {
    const replaced = { ...second, stamp: 5, saw: shown("o1", [1], 10) }
    expect(refused([first, { ...replaced, sendings: 2 }], shown("o1", [1, 2], 10)))
      .toEqual(["\"o1\" with stamp 10 though o2 had seen it"])
  })

  it("accepts a winner that was carried out again after an acknowledged write had seen it", () => {
    const replaced = { ...second, stamp: 15, saw: shown("o1", [1], 10) }
    const dots = [1, 2].map((counter) => ({ actor: `n${counter}.000000000life01.1`, counter }))
    const applied = new Map([[1, { dots, stamps: [10, 20] }], [2, { dots: [], stamps: [15] }]])
    const wins = (stamp: number) =>
      problems(
        lastWriteWins,
        history(
          "registers",
          [{ ...first, sendings: 2 }, { ...replaced, sendings: 2 }],
          shown("o1", [1, 2], stamp),
          { applied }
        )
      )
    expect(wins(20)).toEqual([])
    expect(wins(10)).not.toEqual([])
  })

  it("refuses a lesser stamp of a write that is later by every clock", () => {
    const early = { ...first, stamp: stampAt(0), invokedAt: 0, endedAt: 5 }
    const late = { ...second, stamp: stampAt(-100), invokedAt: 2_000, endedAt: 2_005 }
    const lost = (clockErrorMillis: number) =>
      refused([early, { ...late, clockErrorMillis }], shown("o1", [1, 2], stampAt(0)))
    expect(lost(100)).toContainEqual(
      expect.stringContaining(`o2 has stamp ${stampAt(-100)}, though`)
    )
    expect(lost(Infinity)).toEqual([])
    expect(lost(3_000)).toEqual([])
  })

  it("refuses a stamp that is not of its write's time by any clock", () => {
    for (const millis of [1_500, 2_050, 2_600]) expect(stamped(millis)).toEqual([])
    for (const millis of [1_400, 2_700]) {
      expect(stamped(millis)).toEqual([expect.stringContaining(`is stamped ${millis} ms`)])
    }
  })

  it("follows contexts through a write of unknown outcome", () => {
    const unsure: HistoryStep = {
      ...second,
      outcome: "info",
      saw: shown("o1", [1], 10),
      result: undefined
    }
    const third: HistoryStep = {
      id: 3,
      action: put,
      stamp: 5,
      saw: shown("o2", [2], 20),
      result: shown("o3", [3], 5),
      sendings: 2
    }
    expect(refused([first, unsure, third], shown("o1", [1, 2, 3], 10)))
      .toEqual(["\"o1\" with stamp 10 though o3 had seen it"])
  })

  it("refuses that a session's earlier write wins over its later one", () => {
    const later: HistoryStep = { ...second, stamp: 5, result: shown("o2", [2], 5) }
    const final = shown("o1", [1, 2], 10)
    expect(refused([first, later], final, true))
      .toEqual(["\"o1\" with stamp 10 though o2 had seen it"])
    expect(refused([first, later], final, false)).toEqual([])
  })

  it("accepts an absent document after a delete, and refuses it without one", () => {
    const deleted: HistoryStep = {
      id: 3,
      action: { kind: "delete", seen: "nothing" },
      stamp: 30,
      result: shown(undefined, [3], 30)
    }
    const nothing = shown(undefined, [1, 3], 30)
    expect(refused([first, deleted], nothing)).toEqual([])
    expect(refused([{ ...first, stamp: 30 }], nothing)).toHaveLength(1)
  })

  it("accepts a write of unknown outcome, and refuses one that was refused", () => {
    const unsure: HistoryStep = { ...second, outcome: "info", result: undefined }
    expect(refused([first, unsure], shown("o2", [1, 2], 20))).toEqual([])
    const failed: HistoryStep = { ...second, outcome: "fail", result: undefined }
    expect(refused([first, failed], shown("o2", [1, 2], 20)))
      .toEqual(["\"o2\" with stamp 20, which no write explains"])
  })

  it("forgives the loss of a write that one replica acknowledged where a disk was damaged", () => {
    const forfeit = { ...second, available: true }
    const final = shown("o1", [1], 10)
    const damaged = { damaged: new Set(["n2"]) }
    expect(problems(lastWriteWins, history("registers", [first, forfeit], final, damaged)))
      .toEqual([])
    expect(problems(lastWriteWins, history("registers", [first, second], final, damaged)))
      .toHaveLength(1)
    const copies = (node: string) => ({ copies: new Map([[2, new Map([[node, 0]])]]), ...damaged })
    expect(problems(lastWriteWins, history("registers", [first, forfeit], final, copies("n2"))))
      .toEqual([])
    expect(problems(lastWriteWins, history("registers", [first, forfeit], final, copies("n1"))))
      .toHaveLength(1)
  })

  it("forgives the loss of one that a stand-in had, where an owner's disk was damaged", () => {
    const forfeit = { ...second, available: true }
    const final = shown("o1", [1], 10)
    const onStandIn = { copies: new Map([[2, new Map([["n4", 0]])]]) }
    const lost = (damaged: string) =>
      problems(
        lastWriteWins,
        history("registers", [first, forfeit], final, { ...onStandIn, damaged: new Set([damaged]) })
      )
    expect(lost("n2")).toEqual([])
    expect(lost("n5")).toHaveLength(1)
  })

  it("refuses an earlier value in an acknowledgement, wherever the write was sent", () => {
    const other: HistoryStep = { ...second, result: shown("o1", [1, 2], 10) }
    const refusal = ["o2 was acknowledged with another value: \"o1\""]
    expect(refused([first, other], shown("o2", [1, 2], 20))).toEqual(refusal)
    const final = [finalOf("registers", shown("o2", [1, 2], 20), { primaries: ["n2", "n3"] })]
    const forwardedOn = history("registers", [first, other], shown("o2", [1, 2], 20), { final })
    expect(problems(lastWriteWins, forwardedOn)).toEqual(refusal)
  })

  it("accepts a later value in the acknowledgement of a write that its node sent on", () => {
    const refusal = ["o1 was acknowledged with another value: \"o2\""]
    expect(overtaken(40, "n2")).toEqual([])
    expect(overtaken(40, "n1")).toEqual(refusal)
    expect(overtaken(60, "n2")).toEqual(refusal)
  })
})
