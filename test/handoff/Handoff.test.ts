// Checks that other nodes stand in for primaries that cannot be reached, keep what these are to
// have, and hand it over when they are back.
import { afterEach, describe, expect, it } from "vitest"
import * as Schema from "effect/Schema"
import { Explanation } from "../../schemas/Explanation.ts"
import { HintReport } from "../../schemas/HintReport.ts"
import { questionsBy } from "../../src/client/NodeQuestions.ts"
import { BucketName } from "../../src/core/model/Names.ts"
import { QuorumNotMet } from "../../src/core/model/StoreError.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

const notes = Bucket.siblings("notes", { key: Key.text, value: Schema.String })
const counts = Bucket.crdt("counts", { key: Key.text, type: Crdt.counter })
const buckets = [notes, counts]

let stepped: SteppedCluster
afterEach(() => stepped.stop())

/** A cluster with the primaries of one document, and the others, the first fallback first. */
const start = async (
  bucket: typeof notes | typeof counts,
  { limits = {}, nodes = 5 }: { readonly limits?: object; readonly nodes?: number } = {}
) => {
  stepped = await SteppedCluster.start({ nodes, buckets, limits })
  // All have heard from all.
  stepped.runtime.advance(2_000)
  const { others, primaries } = stepped.nodesOf(bucket, "k")
  const [first = 0, second = 0, third = 0] = primaries
  return { first, second, third, primaries, others, fallback: others[0]! }
}

const put = (at: number, text: string, settings: object = {}) =>
  stepped.write(at, notes, { key: "k", op: "put", args: [text], ...settings })

const hintsAt = (at: number) => stepped.nodes[at - 1]!.core.replica.hints

/** By target: how many documents a node owes it. */
const owedAt = (at: number) =>
  Object.fromEntries(hintsAt(at).owed().map(({ hints, target }) => [target, hints]))

/** What an operator is told at a node. */
const reportAt = (at: number): HintReport => {
  const told: Array<unknown> = []
  questionsBy(stepped.cluster.backends[at - 1]!).hints((outcome) => told.push(outcome))
  expect(told).toHaveLength(1)
  return Schema.decodeUnknownSync(HintReport)(told[0])
}

const explanationAt = (at: number): Explanation => {
  const told: Array<unknown> = []
  const bucket = BucketName.make(notes.name)
  stepped.cluster.backends[at - 1]!.explain({ bucket, key: "k" }, (outcome) => told.push(outcome))
  stepped.runtime.advance(2_000)
  expect(told).toHaveLength(1)
  return Schema.decodeUnknownSync(Explanation)(told[0])
}

const isKept = (bucket: typeof notes | typeof counts, at: number): boolean =>
  stepped.nodes[at - 1]!.core.replica.read(stepped.rowOf(bucket, "k"))._tag === "Found"

/** Suspects each node that is cut off now. */
const letSuspect = (at: number): void => {
  for (const bucket of buckets) stepped.read(at, bucket, { key: "k", r: "all", sloppy: false })
  stepped.runtime.advance(2_500)
}

const restart = async (at: number): Promise<void> => {
  stepped.cluster.crash(stepped.nodes[at - 1]!.id)
  await stepped.restart(at)
}

const settle = (): void => {
  stepped.heal()
  stepped.runtime.advance(6_000)
}

describe("a write of which a primary is down", () => {
  it("goes to a fallback, which keeps document and hint, and hands both over", async () => {
    const { fallback, first, third } = await start(notes)
    stepped.cut(third)
    const asked = put(first, "x", { w: "all" })
    expect(asked.isOpen).toBe(true)
    stepped.runtime.advance(900)
    expect(asked.texts).toEqual(["x"])
    expect(owedAt(fallback)).toEqual({ [`n${third}`]: 1 })
    expect(isKept(notes, fallback)).toBe(true)
    expect(isKept(notes, third)).toBe(false)
    settle()
    expect(isKept(notes, third)).toBe(true)
    expect(owedAt(fallback)).toEqual({})
    expect(isKept(notes, fallback)).toBe(false)
  })

  it("goes to a fallback at once where the primary is suspect", async () => {
    const { fallback, first, third } = await start(notes)
    stepped.cut(third)
    letSuspect(first)
    expect(put(first, "x", { w: "all" }).isOpen).toBe(false)
    expect(owedAt(fallback)[`n${third}`]).toBe(1)
  })

  it("goes to a fallback in the end, though its client was answered by the others", async () => {
    const { fallback, first, third } = await start(notes)
    stepped.cut(third)
    expect(put(first, "x").isOpen).toBe(false)
    expect(owedAt(fallback)).toEqual({})
    stepped.runtime.advance(2_500)
    expect(owedAt(fallback)).toEqual({ [`n${third}`]: 1 })
  })

  it("waits for the primary where no other node may stand in", async () => {
    const { fallback, first, third } = await start(notes)
    stepped.cut(third)
    letSuspect(first)
    const asked = put(first, "x", { w: "all", sloppy: false })
    const read = stepped.read(first, notes, { key: "k", r: "all", sloppy: false })
    stepped.runtime.advance(2_000)
    for (const { error } of [asked, read]) {
      expect(error).toMatchObject({ _tag: "QuorumNotMet", sloppy: false })
      expect(error.message).toContain("; sloppy: false lets no other node stand in")
    }
    expect(asked.error.message).toContain(`n${third}`)
    expect(owedAt(fallback)[`n${third}`]).toBeUndefined()
  })

  it("does not count fallbacks where primaries are asked for", async () => {
    const { first, third } = await start(notes)
    stepped.cut(third)
    letSuspect(first)
    const asked = put(first, "x", { w: 1, pw: "all" })
    stepped.runtime.advance(2_000)
    expect(asked.error).toBeInstanceOf(QuorumNotMet)
    expect(asked.error.message).toContain(`n${third}`)
  })
})

describe("a hint", () => {
  it("is one for many writes of a document, and brings the last", async () => {
    const { fallback, first, third } = await start(notes)
    stepped.cut(third)
    letSuspect(first)
    for (const text of ["a", "b", "c"]) put(first, text)
    expect(owedAt(fallback)[`n${third}`]).toBe(1)
    settle()
    expect(owedAt(fallback)).toEqual({})
    expect(stepped.read(third, notes, { key: "k", r: 1 }).texts).toEqual(["a", "b", "c"])
  })

  it("outlives a restart of its node, and of its target", async () => {
    const { fallback, first, third } = await start(notes)
    stepped.cut(third)
    letSuspect(first)
    put(first, "x")
    await restart(fallback)
    expect(owedAt(fallback)[`n${third}`]).toBe(1)
    expect(isKept(notes, fallback)).toBe(true)
    await restart(third)
    settle()
    expect(isKept(notes, third)).toBe(true)
    expect(owedAt(fallback)).toEqual({})
  })

  it("stays until its target confirms, and is sent again", async () => {
    const { fallback, first, third } = await start(notes, { limits: { handoffCheckMillis: 3_000 } })
    stepped.cut(third)
    letSuspect(first)
    put(first, "x")
    stepped.heal()
    stepped.runtime.advance(1_500)
    stepped.loses = ({ from, to }) => from === `n${third}` && to === `n${fallback}`
    stepped.runtime.advance(2_500)
    expect(isKept(notes, third)).toBe(true)
    expect(owedAt(fallback)[`n${third}`]).toBe(1)
    expect(isKept(notes, fallback)).toBe(true)
    stepped.loses = () => false
    stepped.runtime.advance(7_000)
    expect(owedAt(fallback)).toEqual({})
    expect(isKept(notes, fallback)).toBe(false)
  })

  it.each([
    ["more slowly while clients' requests take long", 1_000, 1],
    ["at the whole rate while they are quick", 1, 3]
  ])("goes out %s", async (_, requestMillis, expected) => {
    const limits = { repairBytesPerSecond: 1_400, backgroundWindowMillis: 2_000 }
    const { fallback } = await start(notes, { limits })
    stepped.cut(fallback)
    letSuspect(fallback)
    put(fallback, "x".repeat(600), { w: 1 })
    expect(Object.values(owedAt(fallback))).toEqual([1, 1, 1])
    const { coordinator, handoff } = stepped.nodes[fallback - 1]!.core
    const { background } = coordinator.admission()
    const now = stepped.runtime.elapsed()
    for (let i = 0; i < 1_000; i++) background.ended(requestMillis, now)
    stepped.heal()
    // Each of the three copies takes half a second of the budget, and of a tenth of it 5 s.
    stepped.runtime.advance(3_500)
    expect(handoff.stats().hintsDelivered).toBe(expected)
    stepped.runtime.advance(12_000)
    expect(owedAt(fallback)).toEqual({})
  })

  it("is refused by a node that keeps too much, and the next one takes it", async () => {
    const { first, others, third } = await start(notes, { limits: { hintBytesMax: 0 } })
    stepped.cut(third)
    letSuspect(first)
    const asked = put(first, "x", { w: "all" })
    stepped.runtime.advance(2_000)
    expect(asked.error.message).toContain("bytes for other nodes")
    expect(others.map((at) => hintsAt(at).stats().hintsRefused > 0)).toEqual([true, true])
  })
})

describe("an operator", () => {
  it("is told how much is kept for whom, since when, and when it was delivered", async () => {
    const { fallback, first, third } = await start(notes, { limits: { hintBytesMax: 100_000 } })
    expect(reportAt(fallback)).toEqual({
      node: `n${fallback}`,
      bytes: 0,
      bytesMax: 100_000,
      nodes: []
    })
    stepped.cut(third)
    letSuspect(first)
    letSuspect(fallback)
    put(first, "x")
    stepped.runtime.advance(1_500)
    const { bytes, nodes: [owed] } = reportAt(fallback)
    expect(owed).toMatchObject({ node: `n${third}`, believedUp: false, documents: 1, bytes })
    expect(bytes).toBeGreaterThan(0)
    expect(owed!.oldestMillis).toBe(1_500)
    expect(owed).not.toHaveProperty("deliveredMillis")
    settle()
    const after = reportAt(fallback)
    expect(after).toMatchObject({
      bytes: 0,
      nodes: [{ node: `n${third}`, believedUp: true, documents: 0, bytes: 0 }]
    })
    expect(after.nodes[0]).not.toHaveProperty("oldestMillis")
    expect(after.nodes[0]!.deliveredMillis).toBeLessThan(6_000)
  })

  it("is told by an explanation who keeps a document for whom, and who does not say", async () => {
    const { fallback, first, others, third } = await start(notes)
    stepped.cut(third)
    letSuspect(first)
    put(first, "x")
    stepped.runtime.advance(1_500)
    stepped.cut(others[1]!)
    const atOwner = explanationAt(first)
    expect(atOwner.replicas.map(({ outcome }) => outcome)).toEqual([
      "found",
      "found",
      "unreachable"
    ])
    expect(atOwner.hints).toMatchObject({
      kept: [{ node: `n${fallback}`, owner: `n${third}`, ageMillis: expect.any(Number) }],
      untold: [`n${others[1]}`]
    })
    expect(atOwner.hints!.kept[0]!.ageMillis).toBeGreaterThanOrEqual(1_500)
    expect(explanationAt(fallback).hints).toMatchObject({ kept: [{ node: `n${fallback}` }] })
    settle()
    expect(explanationAt(first)).toMatchObject({ agreed: true, hints: { kept: [], untold: [] } })
  })
})

describe("a node that is cut off from all primaries", () => {
  it("takes a write, which the primaries have when they are back, once", async () => {
    const { fallback, primaries } = await start(counts)
    stepped.cut(fallback)
    const add = () => stepped.write(fallback, counts, { key: "k", op: "add", args: [1], w: 1 })
    // The first is sent to a primary, so it is not taken here, whatever happens.
    const first = add()
    stepped.runtime.advance(4_000)
    expect(first.error).toBeInstanceOf(QuorumNotMet)
    letSuspect(fallback)
    expect(add().isOpen).toBe(false)
    expect(add().isOpen).toBe(false)
    expect(owedAt(fallback)).toMatchObject(
      Object.fromEntries(primaries.map((at) => [`n${at}`, 1]))
    )
    settle()
    expect(owedAt(fallback)).toEqual({})
    expect(isKept(counts, fallback)).toBe(false)
    for (const at of primaries) {
      expect(stepped.read(at, counts, { key: "k", r: 1 }).answer.values).toEqual([2])
    }
  })

  it("shows what it took, and does not say of what it has not that it is nowhere", async () => {
    const { fallback } = await start(notes)
    stepped.cut(fallback)
    letSuspect(fallback)
    const nothing = stepped.read(fallback, notes, { key: "k", r: 1 })
    stepped.runtime.advance(2_000)
    expect(nothing.error).toBeInstanceOf(QuorumNotMet)
    put(fallback, "x", { w: 1 })
    expect(stepped.read(fallback, notes, { key: "k", r: 1 }).texts).toEqual(["x"])
  })

  it("begins another birth where it takes a document again that it has handed over", async () => {
    const { fallback, first } = await start(notes)
    for (const text of ["a", "b"]) {
      stepped.cut(fallback)
      letSuspect(fallback)
      expect(put(fallback, text, { w: 1 }).isOpen).toBe(false)
      settle()
      expect(isKept(notes, fallback)).toBe(false)
    }
    expect(stepped.read(first, notes, { key: "k" }).texts).toEqual(["a", "b"])
  })
})

describe("a session", () => {
  it("reads its write from a fallback, while the hint is not delivered", async () => {
    const limits = { handoffCheckMillis: 60_000 }
    const { first, second, third } = await start(notes, { limits })
    stepped.cut(second, third)
    letSuspect(first)
    const written = put(first, "x", { w: 2 })
    expect(written.isOpen).toBe(false)
    stepped.heal()
    stepped.cut(first)
    const read = stepped.read(second, notes, {
      key: "k",
      r: 1,
      after: [written.answer.context]
    })
    stepped.runtime.advance(900)
    expect(read.texts).toEqual(["x"])
  })
})
