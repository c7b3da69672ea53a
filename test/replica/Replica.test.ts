// Checks what becomes of operations and joins at one replica: on success, on a failing disk, on
// damaged rows, and when there is nothing to do.
import { describe, expect, it } from "vitest"
import * as Dot from "../../src/core/clock/Dot.ts"
import * as VersionVector from "../../src/core/clock/VersionVector.ts"
import type { RowKey } from "../../src/core/model/RowKey.ts"
import * as Document from "../../src/core/crdt/Document.ts"
import type { StrategyDefinition } from "../../src/core/model/BucketDefinition.ts"
import { textOf } from "../core/crdt/documents.ts"
import { Bench, type BenchOptions, key } from "./bench.ts"

const shelf: StrategyDefinition = {
  family: "crdt",
  type: {
    type: "document",
    fields: { books: { type: "set" }, visits: { type: "counter" }, label: { type: "register" } }
  }
}

const noReply = () => {
  throw new Error("a refusal settles nothing")
}

describe.each<[string, BenchOptions]>([
  ["without a cache", {}],
  ["with a cache", { cacheBytesMax: 1_000_000 }]
])("a replica %s", (_, options) => {
  it("shows an operation at once, and settles it once it is on disk", () => {
    const bench = new Bench(options)
    const { settlements, updated } = bench.begin([["put", "x"]])
    expect(updated).toMatchObject({ _tag: "Updated", isRetry: false })
    expect(bench.values()).toEqual(["x"])
    expect(settlements).toEqual([])
    bench.runtime.runReady()
    expect(settlements).toEqual([undefined])
    bench.crash()
    expect(bench.values()).toEqual(["x"])
  })

  it("applies several operations as one change, or none of them", () => {
    const bench = new Bench({ ...options, strategy: shelf })
    bench.operate("books.add", ["Emma"])
    const before = textOf(bench.document())
    const { settlements, updated } = bench.begin([
      ["books.add", "Persuasion"],
      ["visits.add", "many"]
    ])
    expect(updated).toMatchObject({ _tag: "InvalidArguments", path: "$[0]" })
    bench.runtime.runReady()
    expect(settlements).toEqual([])
    expect(textOf(bench.document())).toBe(before)
    bench.begin([["books.add", "Persuasion"], ["visits.add", 2], ["visits.add", 3]])
    bench.runtime.runReady()
    bench.crash()
    expect(bench.values()).toEqual([{ books: ["Emma", "Persuasion"], visits: 5, label: null }])
  })

  it("hides a write that failed to commit, and makes its next dots in another incarnation", () => {
    const bench = new Bench(options)
    bench.operate("put", ["kept"])
    const mend = bench.failCommits()
    const { settlements, updated } = bench.begin([["put", "lost"]])
    bench.runtime.runReady()
    expect(settlements).toMatchObject([{ kind: "failing" }])
    expect(bench.values()).toEqual(["kept"])
    expect(bench.replica.incarnation() > bench.incarnations[0]!).toBe(true)
    expect(bench.replica.stats().incarnationsEnded).toBe(1)
    mend()
    const next = bench.operate("put", ["next"]).document
    const incarnation = { node: bench.node, incarnation: bench.replica.incarnation() }
    const fresh = [...next.context.keys()].filter((actor) => Dot.isActorOf(actor, incarnation))
    expect(fresh).toHaveLength(1)
    // The write that failed here was sent all the same: no later state may claim to have seen it.
    if (updated._tag !== "Updated") throw new Error(updated._tag)
    expect(VersionVector.covers(next.context, updated.document.context)).toBe(false)
    const joined = Document.join(next, updated.document)
    expect(joined.store?.kind === "values" && joined.store.siblings.length).toBe(3)
  })

  it("records the incarnation it went on in, so that the next start begins a later one", () => {
    const bench = new Bench(options)
    const mend = bench.failCommits()
    bench.begin([["put", "lost"]])
    bench.runtime.runReady()
    mend()
    bench.operate("put", ["x"])
    const ended = bench.replica.incarnation()
    bench.runtime.wallOffsetMillis -= 86_400_000
    bench.crash()
    expect(bench.replica.incarnation() > ended).toBe(true)
  })

  it("ends its incarnation once for all that fails with one commit", () => {
    const bench = new Bench(options)
    const mend = bench.failCommits()
    for (const value of [1, 2, 3]) {
      bench.begin([["put", value]], { key: { ...key, partitionKey: `s${value}` } })
    }
    bench.runtime.runReady()
    expect(bench.replica.stats().incarnationsEnded).toBe(1)
    mend()
  })

  it("tells a retry how the first attempt's commit ended", () => {
    const bench = new Bench(options)
    const id = { session: "s", sequence: 1, at: bench.runtime.now() }
    const mend = bench.failCommits()
    bench.begin([["put", "x"]], { id })
    const retry = bench.begin([["put", "x"]], { id })
    bench.runtime.runReady()
    mend()
    expect(retry.updated).toMatchObject({ isRetry: true })
    expect(retry.settlements).toMatchObject([{ kind: "failing" }])
  })

  it("changes nothing and writes nothing when a join brings nothing new", () => {
    const bench = new Bench(options)
    bench.operate("put", ["x"])
    const other = new Bench({ ...options, node: "n2" })
    other.operate("put", ["y"])
    bench.join(other.document())
    const joined = textOf(bench.document())
    const { changes } = bench.storage.stats()
    expect(bench.join(other.document())).toEqual([undefined])
    expect(bench.join(bench.document())).toEqual([undefined])
    expect(bench.join(Document.empty)).toEqual([undefined])
    expect(textOf(bench.document())).toBe(joined)
    expect(bench.storage.stats().changes).toBe(changes)
    expect(bench.replica.stats()).toMatchObject({ joins: 4, divergences: 0 })
  })

  it("settles a join that brings nothing new only once the row that it found is on disk", () => {
    const bench = new Bench(options)
    const other = new Bench({ ...options, node: "n2" })
    other.operate("put", ["y"])
    const settled: Array<string> = []
    const arrival = { key, document: other.document() }
    const mend = bench.failCommits()
    for (const name of ["first", "again"]) {
      bench.replica.join(arrival, (failure) => settled.push(`${name} ${failure?.kind}`))
    }
    expect(settled).toEqual([])
    bench.runtime.runReady()
    mend()
    expect(settled).toEqual(["first failing", "again failing"])
  })

  it("counts equal contexts with unequal states, whichever side holds more", () => {
    const bench = new Bench(options)
    const { document } = bench.operate("put", ["x"])
    if (document.store?.kind !== "values") throw new Error("siblings are values")
    const [dot] = document.store.siblings
    const other = { ...dot!, counter: dot!.counter - 1, value: "\"y\"" }
    bench.join(document)
    expect(bench.replica.stats().divergences).toBe(0)
    bench.join({ ...document, store: { kind: "values", siblings: [other, dot!] } })
    expect(bench.replica.stats().divergences).toBe(1)
    expect(bench.values()).toEqual(["x"])
    // A sibling that one side has seen and does not hold was removed there: joining takes it here
    // too.
    bench.join({ ...document, store: undefined })
    expect(bench.replica.stats().divergences).toBe(2)
    expect(bench.values()).toEqual([])
  })

  it("takes the greater of two contents of one dot, counts it, and names the document", () => {
    const named: Array<string> = []
    const onConflict = ({ bucket }: RowKey) => void named.push(bucket)
    const [bench, other] = ["n1", "n2"].map((node) => new Bench({ ...options, node, onConflict }))
    const { document } = bench!.operate("put", ["x"])
    if (document.store?.kind !== "values") throw new Error("siblings are values")
    const [sibling] = document.store.siblings
    const siblings = [{ ...sibling!, value: "\"y\"" }]
    other!.join({ ...document, store: { kind: "values", siblings } })
    bench!.join(other!.document())
    other!.join(document)
    expect([bench!.values(), other!.values()]).toEqual([["y"], ["y"]])
    expect(textOf(bench!.document())).toBe(textOf(other!.document()))
    expect([bench!, other!].map(({ replica }) => replica.stats().conflicts)).toEqual([1, 1])
    expect(named).toEqual(["things", "things"])
    bench!.join(other!.document())
    expect(bench!.replica.stats().conflicts).toBe(1)
  })

  it("counts equal contexts with unequal expiries, whichever side has one", () => {
    const bench = new Bench(options)
    const { document } = bench.operate("put", ["x"])
    const [actor, counter] = [...document.context][0]!
    const expiring = { ...document, expiry: [{ actor, counter, at: 5 }] }
    bench.join(expiring)
    expect(bench.replica.stats().divergences).toBe(1)
    const other = new Bench({ ...options, node: "n2" })
    other.join(expiring)
    expect(other.replica.stats().divergences).toBe(0)
    other.replica.join({ key, document }, () => {})
    expect(other.replica.stats().divergences).toBe(1)
  })

  it("counts the last writes that are lost to others made at the same time, each once", () => {
    const lww = { ...options, strategy: { family: "lww" } } as const
    const [one, other] = [new Bench(lww), new Bench({ ...lww, node: "n2" })]
    const discards = () => [one, other].map(({ replica }) => replica.stats().discards)
    one.operate("put", ["x"])
    other.join(one.document())
    other.operate("put", ["y"])
    one.join(other.document())
    expect(discards()).toEqual([0, 0])
    one.operate("put", ["from one"])
    other.operate("put", ["from the other"])
    one.join(other.document())
    one.join(other.document())
    expect(discards()).toEqual([1, 0])
    other.join(one.document())
    expect(discards()).toEqual([1, 0])
    expect(one.values()).toEqual(other.values())
  })

  it("refuses documents and operations of another kind than the stored one", () => {
    const bench = new Bench({ ...options, strategy: shelf })
    bench.operate("books.add", ["Emma"])
    const before = textOf(bench.document())
    const notes = new Bench({ node: "n2" })
    notes.operate("put", ["x"])
    expect(bench.replica.join({ key, document: notes.document() }, noReply))
      .toMatchObject({ _tag: "Refused", reason: expect.stringContaining("another kind") })
    expect(notes.replica.join({ key, document: bench.document() }, noReply))
      .toMatchObject({ _tag: "Refused" })
    const other = new Bench({ ...options, strategy: { family: "lww" } })
    other.join(bench.document())
    expect(other.begin([["put", "x"]]).updated).toMatchObject({
      _tag: "InvalidArguments",
      problem: expect.stringContaining("another kind")
    })
    bench.runtime.runReady()
    expect(textOf(bench.document())).toBe(before)
    expect(textOf(other.document())).toBe(before)
  })
})

describe("a damaged row", () => {
  it("counts as missing, is repaired by a join, and leaves nothing behind", () => {
    const bench = new Bench({ strategy: shelf })
    for (const book of ["Emma", "Persuasion", "Sanditon"]) bench.operate("books.add", [book])
    const whole = bench.document()
    const rows = bench.rowCount()
    bench.damage("path LIKE '%Emma%'")
    expect(bench.replica.read(key)).toMatchObject({ _tag: "Damaged" })
    expect(bench.join(whole)).toEqual([undefined])
    expect(textOf(bench.document())).toBe(textOf(whole))
    expect(bench.rowCount()).toBe(rows)
    expect(bench.replica.stats().damaged).toBeGreaterThan(0)
  })

  it("is repaired by less than it held: only that is there then", () => {
    const bench = new Bench({ strategy: shelf })
    bench.operate("books.add", ["Emma"])
    const early = bench.document()
    for (const book of ["Persuasion", "Sanditon"]) bench.operate("books.add", [book])
    bench.damage("path = ''")
    bench.join(early)
    expect(textOf(bench.document())).toBe(textOf(early))
    expect(bench.rowCount()).toBe(2)
  })

  it("takes a write, which begins anew and wipes the rest", () => {
    const bench = new Bench({ strategy: shelf })
    for (const book of ["Emma", "Persuasion"]) bench.operate("books.add", [book])
    const lost = bench.document()
    bench.damage("path LIKE '%Emma%'")
    bench.operate("books.add", ["Sanditon"])
    expect(bench.values()).toMatchObject([{ books: ["Sanditon"] }])
    bench.join(lost)
    expect(bench.values()).toMatchObject([{ books: ["Emma", "Persuasion", "Sanditon"] }])
  })
})

describe("a disk that takes no writes", () => {
  it("is tried once a second until it works again, even if it takes node metadata", () => {
    const bench = new Bench()
    const mend = bench.failCommits()
    bench.runtime.advance(5_000)
    expect(bench.replica.writable()).toBe(true)
    bench.begin([["put", 1]])
    bench.runtime.runReady()
    expect([1, 2, 3].map(() => bench.replica.writable())).toEqual([false, false, false])
    expect(bench.storage.healthy()).toBe(true)
    bench.runtime.advance(999)
    expect(bench.replica.writable()).toBe(false)
    bench.runtime.advance(1)
    expect(bench.replica.writable()).toBe(true)
    bench.begin([["put", 2]])
    expect([1, 2].map(() => bench.replica.writable())).toEqual([false, false])
    bench.runtime.runReady()
    bench.runtime.advance(1_000)
    mend()
    bench.operate("put", [3])
    expect([1, 2].map(() => bench.replica.writable())).toEqual([true, true])
  })

  it("is not taken for tried by a request that only asks, or brings nothing new", () => {
    const bench = new Bench()
    bench.operate("put", [1])
    const known = bench.document()
    const mend = bench.failCommits()
    bench.begin([["put", 2]])
    bench.runtime.runReady()
    mend()
    bench.runtime.advance(1_000)
    expect(bench.replica.writable()).toBe(true)
    bench.join(known)
    expect(bench.replica.writable()).toBe(true)
  })

  it("whose queue is full refuses at once: nothing is made that was not kept", () => {
    const bench = new Bench({ limits: { waitingChangesMax: 1 } })
    const { settlements: first } = bench.begin([["put", 1]])
    const refused = bench.begin([["put", 2]])
    expect(refused.updated).toMatchObject({ _tag: "Unwritten", failure: { kind: "overloaded" } })
    const other = new Bench({ node: "n2" })
    other.operate("put", ["y"])
    expect(bench.replica.join({ key, document: other.document() }, noReply)).toMatchObject({
      _tag: "Refused",
      reason: expect.stringContaining("overloaded")
    })
    expect(bench.values()).toEqual([1])
    bench.runtime.runReady()
    expect([first, refused.settlements]).toEqual([[undefined], []])
    expect(bench.replica.stats().incarnationsEnded).toBe(0)
    bench.operate("put", [3])
    expect(bench.values()).toEqual([1, 3])
    expect(bench.actors()).toHaveLength(1)
  })
})
