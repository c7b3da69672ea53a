// Compares the write decision with its specification, event by event.
import { describe, expect, it } from "vitest"
import type { Nodes } from "../../../src/core/quorum/Targets.ts"
import * as WriteDecision from "../../../src/core/quorum/WriteDecision.ts"
import { exploreAll, exploreSome, type Extent } from "./Exploration.ts"
import { allKinds, kinds, nodeChoices, nodeName, range, settledKinds } from "./NodesModel.ts"
import { writeCases, writes } from "./WriteModel.ts"

const casesFor = (count: number, among = settledKinds) =>
  nodeChoices({ count, among }).flatMap(writeCases)

/** Compares every order of events in each case; returns the number of steps compared. */
const compareAll = (cases: ReturnType<typeof casesFor>, extent: Extent): number =>
  cases.reduce((steps, one) => steps + exploreAll(writes(WriteDecision, one, extent)), 0)

/** Compares a sample of orders of repeated and contradictory events, the same at each run. */
const compareSome = (cases: ReturnType<typeof casesFor>, walks: number): number => {
  const extent = { noise: true, late: true }
  return cases.reduce(
    (steps, one, seed) =>
      steps + exploreSome(writes(WriteDecision, one, extent), { walks, stepsEach: 25, seed }),
    0
  )
}

const nodes = (...fallbacks: ReadonlyArray<string>): Nodes => ({
  targets: ["a", "b", "c"].map((name) => ({ node: nodeName(name), ...kinds.complete })),
  fallbacks: fallbacks.map(nodeName)
})
const after = (
  needs: WriteDecision.WriteCounts,
  where: Nodes,
  events: ReadonlyArray<WriteDecision.WriteEvent>
) => events.reduce(WriteDecision.step, WriteDecision.make(needs, where))
const stored = (index: number) =>
  ({ _tag: "Acknowledged", index, durable: true, complete: true }) as const
const unreachable = (index: number) => ({ _tag: "Unreachable", index }) as const
const refused = (index: number) => ({ _tag: "Refused", index, reason: "full" }) as const

// Each test also counts its steps, lest it compare nothing.
describe("every write of up to three replicas", () => {
  it.each([[1, 100], [2, 1_000], [3, 100_000]])(
    "n = %i: whatever each says, in whatever order",
    (n, least) => {
      const extent = { noise: false, late: false }
      expect(compareAll(casesFor(n), extent)).toBeGreaterThan(least)
    }
  )

  it.each([[1, 2], [2, 2], [3, 1]])(
    "n = %i, up to %i fallbacks: and however late",
    (n, fallbacks) => {
      const cases = casesFor(n).filter(({ nodes }) => nodes.fallbacks.length <= fallbacks)
      expect(compareAll(cases, { noise: false, late: true })).toBeGreaterThan(100)
    }
  )

  it("n = 1: repeats, contradictions and strangers change nothing, before or after", () => {
    expect(compareAll(casesFor(1), { noise: true, late: true })).toBeGreaterThan(10_000)
  })

  it("n = 2: repeats, contradictions and strangers change nothing before the outcome", () => {
    const cases = casesFor(2)
    expect(compareAll(cases, { noise: true, late: false })).toBeGreaterThan(10_000)
  })

  it("two targets amid a transfer, or believed down, in every order", () => {
    const extent = { noise: false, late: true }
    expect(compareAll(casesFor(2, allKinds), extent)).toBeGreaterThan(10_000)
  })
})

describe("a sample of larger writes", () => {
  it.each([3, 4, 5])("n = %i: the same walks at each run, through each legal w, pw and dw", (n) => {
    expect(compareSome(casesFor(n), 4)).toBeGreaterThan(10_000)
  })

  it("up to five targets amid a transfer, or believed down", () => {
    const cases = range(3, 5).flatMap((n) => casesFor(n, allKinds).filter((_, i) => i % 41 === 0))
    expect(compareSome(cases, 2)).toBeGreaterThan(10_000)
  })
})

describe("the outcome of a write", () => {
  it("a node cut off from all others accepts w: 1, and names the targets of hints", () => {
    const write = after({ w: 1, pw: 0, dw: 1 }, nodes("d"), [
      stored(0),
      unreachable(1),
      unreachable(2)
    ])
    expect(write.outcome._tag).toBe("Answer")
    const late = after({ w: 1, pw: 0, dw: 1 }, nodes("d"), [stored(0), unreachable(1)])
    expect(late.substitutes).toEqual([{ index: 3, node: "d", hintFor: "b" }])
  })

  it("a fallback completes w and dw; pw it does not", () => {
    const events = [stored(0), unreachable(1), stored(3)]
    expect(after({ w: 2, pw: 0, dw: 2 }, nodes("d"), events).outcome._tag).toBe("Answer")
    expect(after({ w: 2, pw: 2, dw: 2 }, nodes("d"), events).outcome._tag).toBe("Wait")
  })

  it("dw waits for the disks of nodes with the write in memory, until the deadline", () => {
    const inMemory = (index: number) => ({ ...stored(index), durable: false })
    const write = after({ w: 1, pw: 0, dw: 1 }, nodes(), [0, 1, 2].map(inMemory))
    expect([write.outcome._tag, WriteDecision.isFinished(write)]).toEqual(["Wait", false])
    expect(WriteDecision.step(write, stored(0)).outcome._tag).toBe("Answer")
    const late = WriteDecision.step(write, { _tag: "Deadline" })
    expect(late.outcome).toMatchObject({ _tag: "Fail", had: { w: 3, pw: 0, dw: 0 } })
    expect(WriteDecision.isFinished(late)).toBe(true)
  })

  it("an incomplete primary counts for w and dw; for pw it does not", () => {
    const incomplete = { ...stored(1), complete: false }
    const events = [stored(0), incomplete, unreachable(2)]
    expect(after({ w: 2, pw: 1, dw: 2 }, nodes(), events).outcome._tag).toBe("Answer")
    expect(after({ w: 2, pw: 2, dw: 2 }, nodes(), events).outcome).toMatchObject({
      had: { w: 2, pw: 1, dw: 2 },
      incomplete: ["b"]
    })
  })

  it("pw counts what is on disk, unless the write needs no disk", () => {
    const inMemory = { ...stored(1), durable: false }
    expect(after({ w: 2, pw: 2, dw: 1 }, nodes(), [stored(0), inMemory]).outcome._tag).toBe("Wait")
    expect(after({ w: 2, pw: 2, dw: 0 }, nodes(), [stored(0), inMemory]).outcome._tag)
      .toBe("Answer")
  })

  it("an unmet quorum says the counts needed and had, and which nodes did not help", () => {
    const events = [stored(0), refused(1), unreachable(2)]
    expect(after({ w: 2, pw: 1, dw: 0 }, nodes(), events).outcome).toEqual({
      _tag: "Fail",
      needed: { w: 2, pw: 1, dw: 0 },
      had: { w: 1, pw: 1, dw: 1 },
      unreachable: ["c"],
      refused: [{ node: "b", reason: "full" }],
      incomplete: [],
      mayHaveApplied: true
    })
  })

  it("a write refused by every node has not applied; an unreachable node leaves it open", () => {
    const needs = { w: 1, pw: 0, dw: 0 }
    const told = (events: ReadonlyArray<WriteDecision.WriteEvent>) =>
      after(needs, nodes("d"), events).outcome
    expect(told([0, 1, 2, 3].map(refused))).toMatchObject({ mayHaveApplied: false })
    expect(told([...[0, 1, 2].map(refused), unreachable(3)])).toMatchObject({
      mayHaveApplied: true
    })
  })

  it("pw that the cluster cannot give fails before anything is sent", () => {
    const { fallbacks, targets } = nodes("d")
    const down = targets.map((target, i) => ({ ...target, up: i === 0 }))
    const write = WriteDecision.make({ w: 1, pw: 2, dw: 0 }, { targets: down, fallbacks })
    expect(write.outcome).toMatchObject({ _tag: "Fail", mayHaveApplied: false })
    expect(write.substitutes).toEqual([])
  })

  it("a step leaves the decision it came from as it was", () => {
    const before = WriteDecision.make({ w: 2, pw: 0, dw: 0 }, nodes("d"))
    const copy = structuredClone(before)
    WriteDecision.step(WriteDecision.step(before, unreachable(0)), stored(1))
    expect(before).toEqual(copy)
  })
})
