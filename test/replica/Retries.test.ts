// Checks that an operation with an id is applied once, wherever its first attempt is known.
import { describe, expect, it } from "vitest"
import * as Document from "../../src/core/crdt/Document.ts"
import type { StrategyDefinition } from "../../src/core/model/BucketDefinition.ts"
import { textOf } from "../core/crdt/documents.ts"
import { Bench, key } from "./bench.ts"

const counter: StrategyDefinition = { family: "crdt", type: { type: "counter" } }
const minute = 60_000

const idAt = (bench: Bench, sequence = 1): Document.OperationId => ({
  session: "s",
  sequence,
  at: bench.runtime.now()
})

const digestOf = ({ replica }: Bench): string | undefined => {
  const holding = replica.read(key)
  return holding._tag === "Found" ? holding.digest : undefined
}

describe("a retry", () => {
  it("is answered with the document, and changes nothing", () => {
    const bench = new Bench({ strategy: counter })
    const id = idAt(bench)
    expect(bench.operate("add", [2], { id })).toMatchObject({ isRetry: false })
    bench.operate("add", [3], { id: idAt(bench, 2) })
    const before = textOf(bench.document())
    const { changes } = bench.storage.stats()
    const { document, encoded, isRetry } = bench.operate("add", [2], { id })
    expect(isRetry).toBe(true)
    expect(textOf(document)).toBe(before)
    expect(encoded.bytes.length).toBeGreaterThan(0)
    expect(bench.storage.stats().changes).toBe(changes)
    expect(bench.values()).toEqual([5])
    expect(bench.replica.stats()).toMatchObject({ updates: 2, retries: 1 })
  })

  it("is known after a restart", () => {
    const bench = new Bench({ strategy: counter })
    const id = idAt(bench)
    bench.operate("add", [2], { id })
    bench.crash()
    expect(bench.operate("add", [2], { id })).toMatchObject({ isRetry: true })
    expect(bench.values()).toEqual([2])
  })

  it("is known at another replica whose row lists it, and applied at one that does not", () => {
    const bench = new Bench({ strategy: counter })
    const [informed, ignorant] = ["n2", "n3"].map((node) => new Bench({ strategy: counter, node }))
    const id = idAt(bench)
    bench.operate("add", [2], { id })
    informed!.join(bench.document())
    expect(informed!.operate("add", [2], { id })).toMatchObject({ isRetry: true })
    expect(ignorant!.operate("add", [2], { id })).toMatchObject({ isRetry: false })
  })

  it("after an attempt that failed to commit is applied", () => {
    const bench = new Bench({ strategy: counter })
    const id = idAt(bench)
    const mend = bench.failCommits()
    bench.begin([["add", 2]], { id })
    bench.runtime.runReady()
    mend()
    expect(bench.operate("add", [2], { id })).toMatchObject({ isRetry: false })
    expect(bench.values()).toEqual([2])
  })

  it("after an attempt that was refused is tried again", () => {
    const bench = new Bench({ strategy: counter })
    const id = idAt(bench)
    const { updated } = bench.begin([["add", "two"]], { id })
    expect(updated).toMatchObject({ _tag: "InvalidArguments" })
    expect(bench.operate("add", [2], { id })).toMatchObject({ isRetry: false })
  })

  it("of several operations is known by the one id of all", () => {
    const bench = new Bench({ strategy: counter })
    const id = idAt(bench)
    for (let attempt = 0; attempt < 2; attempt++) {
      bench.begin([["add", 2], ["add", 3]], { id })
      bench.runtime.runReady()
    }
    expect(bench.values()).toEqual([5])
    expect(bench.document().ids).toHaveLength(1)
  })
})

describe("ids", () => {
  it("are of one session, sequence by sequence", () => {
    const bench = new Bench({ strategy: counter })
    const id = idAt(bench)
    bench.operate("add", [1], { id })
    bench.operate("add", [1], { id: { ...id, sequence: 2 } })
    bench.operate("add", [1], { id: { ...id, session: "t" } })
    expect(bench.values()).toEqual([3])
  })

  it("are kept for 20 minutes, and forgotten by the next write after that", () => {
    const bench = new Bench({ strategy: counter })
    const id = idAt(bench)
    bench.operate("add", [2], { id })
    bench.runtime.advance(20 * minute)
    bench.operate("add", [1], { id: idAt(bench, 2) })
    expect(bench.operate("add", [2], { id })).toMatchObject({ isRetry: true })
    bench.runtime.advance(1)
    bench.operate("add", [1], { id: idAt(bench, 3) })
    expect(bench.document().ids.map(({ sequence }) => sequence)).toEqual([2, 3])
  })

  it("do not make two replicas differ that forget at their own time", () => {
    const [bench, other] = [new Bench(), new Bench({ node: "n2" })]
    bench.operate("put", ["x"], { id: idAt(bench) })
    other.join(bench.document())
    const { ids: _, ...rest } = bench.document()
    other.join({ ...rest, ids: [] })
    expect(digestOf(bench)).toBe(digestOf(other))
    expect(digestOf(bench)).toHaveLength(16)
    expect(other.replica.stats().divergences).toBe(0)
  })
})
