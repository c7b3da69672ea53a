// Compares the read decision with its specification, event by event.
import { describe, expect, it } from "vitest"
import * as ReadDecision from "../../../src/core/quorum/ReadDecision.ts"
import type { Nodes } from "../../../src/core/quorum/Targets.ts"
import { exploreAll, exploreSome, type Extent } from "./Exploration.ts"
import { allKinds, kinds, nodeChoices, nodeName, range, settledKinds } from "./NodesModel.ts"
import { readCases, reads, sparingCases } from "./ReadModel.ts"

const casesFor = (count: number, among = settledKinds) =>
  nodeChoices({ count, among }).flatMap((nodes) => readCases(nodes))

const sparingFor = (count: number, among = settledKinds) =>
  nodeChoices({ count, among }).flatMap(sparingCases)

/** Compares every order of events in each case; returns the number of steps compared. */
const compareAll = (cases: ReturnType<typeof casesFor>, extent: Extent): number =>
  cases.reduce((steps, one) => steps + exploreAll(reads(ReadDecision, one, extent)), 0)

/** Compares a sample of orders of repeated and contradictory events, the same at each run. */
const compareSome = (cases: ReturnType<typeof casesFor>, walks: number): number => {
  const extent = { noise: true, late: true }
  return cases.reduce(
    (steps, one, seed) =>
      steps + exploreSome(reads(ReadDecision, one, extent), { walks, stepsEach: 25, seed }),
    0
  )
}

const nodes: Nodes = {
  targets: [
    { node: nodeName("a"), ...kinds.complete },
    { node: nodeName("b"), ...kinds.complete },
    { node: nodeName("c"), ...kinds.incomplete }
  ],
  fallbacks: [nodeName("d")]
}
const after = (
  needs: ReadDecision.ReadCounts,
  events: ReadonlyArray<ReadDecision.ReadEvent>,
  covered = true
) => events.reduce(ReadDecision.step, ReadDecision.make(needs, nodes, { covered }))
const found = (index: number, covered = true) =>
  ({ _tag: "Found", index, version: `v${index}`, covered, complete: true }) as const
const absent = (index: number) =>
  ({ _tag: "Absent", index, completeness: index === 2 ? "incomplete" : "complete" }) as const
const unreachable = (index: number) => ({ _tag: "Unreachable", index }) as const

/** Two answers to a read that spares these. */
const twoFound = (spared: number) =>
  [found(0), found(1)].reduce(
    ReadDecision.step,
    ReadDecision.make({ r: 2, pr: 0 }, { ...nodes, fallbacks: [] }, { covered: true, spared })
  )

// Each test also counts its steps, lest it compare nothing.
describe("every read of up to three replicas", () => {
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
    const cases = casesFor(2).filter(({ nodes }) => nodes.fallbacks.length < 2)
    expect(compareAll(cases, { noise: true, late: false })).toBeGreaterThan(10_000)
  })

  it("two targets amid a transfer, or believed down, in every order", () => {
    const extent = { noise: false, late: true }
    expect(compareAll(casesFor(2, allKinds), extent)).toBeGreaterThan(10_000)
  })
})

describe("every read that spares some of its targets", () => {
  it("n = 2, up to 2 fallbacks: whatever each says, in whatever order, and however late", () => {
    expect(compareAll(sparingFor(2), { noise: false, late: true })).toBeGreaterThan(1_000)
    const cases = sparingFor(2).filter(({ nodes }) => nodes.fallbacks.length < 2)
    expect(compareAll(cases, { noise: true, late: false })).toBeGreaterThan(10_000)
  })

  it("n = 3, without fallbacks: whatever each says, in whatever order, and however late", () => {
    const cases = sparingFor(3).filter(({ nodes }) => nodes.fallbacks.length === 0)
    expect(compareAll(cases, { noise: false, late: true })).toBeGreaterThan(100_000)
  })

  it("up to five targets amid a transfer, or believed down: a sample", () => {
    const cases = range(3, 5).flatMap((n) => sparingFor(n, allKinds).filter((_, i) => i % 97 === 0))
    expect(compareSome(cases, 2)).toBeGreaterThan(10_000)
  })

  it("a read that hears the same from the same nodes is answered alike, spared or not", () => {
    const few = twoFound(0b100)
    const all = twoFound(0)
    expect(few.outcome).toEqual(all.outcome)
    expect(ReadDecision.had(few)).toEqual(ReadDecision.had(all))
    expect(ReadDecision.awaited(few)).toEqual(["c"])
  })
})

describe("a sample of larger reads", () => {
  it.each([3, 4, 5])("n = %i: the same walks at each run, through each legal r and pr", (n) => {
    expect(compareSome(casesFor(n), 8)).toBeGreaterThan(10_000)
  })

  it("up to five targets amid a transfer, or believed down", () => {
    const cases = range(3, 5).flatMap((n) => casesFor(n, allKinds).filter((_, i) => i % 11 === 0))
    expect(compareSome(cases, 2)).toBeGreaterThan(10_000)
  })
})

describe("the outcome of a read", () => {
  it("an empty fallback or incomplete primary cannot make a document be not found", () => {
    const empty = after({ r: 1, pr: 0 }, [unreachable(0), absent(2), absent(3)])
    expect(empty.outcome._tag).toBe("Wait")
    expect(ReadDecision.step(empty, absent(1)).outcome._tag).toBe("Answer")
    expect(ReadDecision.step(empty, unreachable(1)).outcome).toEqual({
      _tag: "Fail",
      needed: { r: 1, pr: 0 },
      had: { r: 0, pr: 0 },
      unreachable: ["a", "b"],
      damaged: [],
      incomplete: ["c"]
    })
  })

  it("a state of an incomplete primary counts for r; for pr it does not", () => {
    const incomplete = { ...found(0), complete: false }
    expect(after({ r: 1, pr: 0 }, [incomplete]).outcome._tag).toBe("Answer")
    const strict = after({ r: 2, pr: 2 }, [incomplete, absent(1), unreachable(2)])
    expect(strict.outcome).toMatchObject({ had: { r: 1, pr: 0 }, incomplete: ["a"] })
  })

  it("a session waits for the writes that it has seen, and is told if no node has them", () => {
    const early = after({ r: 1, pr: 0 }, [found(0, false), found(1, false)], false)
    expect(early.outcome._tag).toBe("Wait")
    expect(ReadDecision.step(early, found(2, true)).outcome._tag).toBe("Answer")
    expect(ReadDecision.step(early, { _tag: "Damaged", index: 2 }).outcome).toEqual({
      _tag: "NotCovered",
      needed: { r: 1, pr: 0 },
      had: { r: 2, pr: 2 },
      unreachable: [],
      damaged: ["c"],
      incomplete: []
    })
  })

  it("a stale, empty or damaged replica is repaired; a fallback with a hint, or not at all", () => {
    const all = after({ r: 1, pr: 0 }, [unreachable(1), found(0), absent(2), found(3)])
    expect(ReadDecision.isFinished(all)).toBe(true)
    expect(ReadDecision.repairs(all, "v0")).toEqual([
      { node: "c", hintFor: undefined },
      { node: "d", hintFor: "b" }
    ])
    const damaged = after({ r: 1, pr: 0 }, [
      { _tag: "Damaged", index: 1 },
      found(0),
      unreachable(2)
    ])
    expect(ReadDecision.repairs(ReadDecision.step(damaged, absent(3)), "v0")).toEqual([
      { node: "b", hintFor: undefined }
    ])
  })

  it("a step leaves the decision it came from as it was", () => {
    const before = after({ r: 2, pr: 0 }, [found(0)])
    const copy = structuredClone(before)
    ReadDecision.step(ReadDecision.step(before, unreachable(1)), found(2))
    expect(before).toEqual(copy)
  })
})
