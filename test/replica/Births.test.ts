// Checks under which actor a replica makes its dots: it never continues what it may have forgotten,
// and no dot is made twice.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Dot from "../../src/core/clock/Dot.ts"
import * as Document from "../../src/core/crdt/Document.ts"
import type { RowKey } from "../../src/storage/Storage.ts"
import { batchOf, removal } from "../storage/documents.ts"
import { Bench, key } from "./bench.ts"

const others: ReadonlyArray<RowKey> = [key, { ...key, partitionKey: "sother" }]

/** The dot of the only sibling that `operate("put", ...)` just made. */
const dotOf = (bench: Bench, value: unknown, at = key): Dot.Dot => {
  const { document } = bench.operate("put", [value], { key: at, seen: bench.seen(at) })
  if (document.store?.kind !== "values") throw new Error("siblings are values")
  return document.store.siblings.at(-1)!
}

const keyOf = (number: number): RowKey => ({ ...key, partitionKey: `s${number}` })

const actorOf = (bench: Bench, birth: number): Dot.Actor =>
  Dot.actor({ node: bench.node, incarnation: bench.incarnations[0]!, birth })

/** Writes twice, then puts the row of the first write back; gives the document of both. */
const thenOldRow = (bench: Bench): Document.Document => {
  bench.operate("put", ["first"])
  const old = bench.storage.read(key)
  const handedOver = bench.operate("put", ["second"]).document
  if (old._tag !== "Found") throw new Error("the row is there")
  const { header } = old.document
  const change = { key, header, elements: [], elementCount: 0 }
  bench.storage.write(batchOf(change), () => undefined)
  bench.runtime.runReady()
  return handedOver
}

/** Of which memory may tell: of none, so that leaves do, or of all. */
const limits = [{ lastIssuedDotsMax: 0 }, {}]

describe.each(limits)("a replica with the limits %o", (options) => {
  it("begins a new birth where its row is an old one, so that no write is lost", () => {
    const bench = new Bench(options)
    const handedOver = thenOldRow(bench)
    const both = Document.join(handedOver, bench.operate("put", ["third"]).document)
    expect(both.store?.kind === "values" && both.store.siblings.map(({ value }) => value).sort())
      .toEqual(["\"first\"", "\"second\"", "\"third\""])
    expect(bench.replica.stats().births).toBe(2)
  })

  it("begins a new birth where a join was written over an old row", () => {
    const bench = new Bench(options)
    const other = new Bench({ node: "n2" })
    const handedOver = thenOldRow(bench)
    other.operate("put", ["there"])
    bench.join(other.document())
    const both = Document.join(handedOver, bench.operate("put", ["third"]).document)
    expect(both.store?.kind === "values" && both.store.siblings.map(({ value }) => value).sort())
      .toEqual(["\"first\"", "\"second\"", "\"there\"", "\"third\""])
    expect(bench.replica.stats().births).toBe(2)
  })

  it("goes on under one actor after joins that its row has taken up", () => {
    const bench = new Bench(options)
    const other = new Bench({ node: "n2" })
    const { actor } = dotOf(bench, 1)
    for (const value of [2, 3]) {
      other.operate("put", [value])
      bench.join(other.document())
      expect(dotOf(bench, value).actor).toBe(actor)
    }
    expect(bench.replica.stats().births).toBe(1)
  })
})

describe("a replica with more documents than memory may tell of", () => {
  const written = fc.array(fc.nat(12), { minLength: 1, maxLength: 60, size: "max" })

  it("begins one birth for each document, in whatever order they are written", () => {
    const options = fc.record({
      lastIssuedDotsMax: fc.nat(6),
      cacheBytesMax: fc.constantFrom(0, 400, 100_000)
    })
    fc.assert(fc.property(written, options, (numbers, limits) => {
      const bench = new Bench(limits)
      for (const number of numbers) bench.operate("put", [number], { key: keyOf(number) })
      const documents = new Set(numbers).size
      const { births, lastDots } = bench.replica.stats()
      expect(births).toBe(documents)
      expect(lastDots).toBe(Math.min(documents, limits.lastIssuedDotsMax))
    }))
  })

  it("begins a new birth where the leaf of a document is damaged", () => {
    const bench = new Bench({ lastIssuedDotsMax: 0 })
    const { actor } = dotOf(bench, 1)
    bench.disk.database.exec("UPDATE family_rows SET bytes = x'00' WHERE family = 2")
    expect(dotOf(bench, 2).actor).not.toBe(actor)
    expect(bench.replica.stats().births).toBe(2)
  })

  it("writes no leaf of a document of which memory tells", () => {
    const bench = new Bench({ lastIssuedDotsMax: 1 })
    const leaves = () =>
      bench.storage.scanRows({ family: "leaf", under: [], after: undefined, limit: 9 }).length
    for (const number of [1, 1, 2, 2, 1]) bench.operate("put", [number], { key: keyOf(number) })
    expect(leaves()).toBe(1)
    expect(bench.replica.stats()).toMatchObject({ births: 2, leafReads: 1 })
  })
})

describe("a replica", () => {
  it("goes on under one actor while it holds its row, also after joins", () => {
    const bench = new Bench()
    const other = new Bench({ node: "n2" })
    other.operate("put", ["there"])
    const first = dotOf(bench, 1)
    expect(dotOf(bench, 2).actor).toBe(first.actor)
    bench.join(other.document())
    const third = dotOf(bench, 3)
    expect(third.actor).toBe(first.actor)
    expect(third.counter).toBeGreaterThan(first.counter)
    expect(bench.replica.stats().births).toBe(1)
    expect(bench.actors()).toHaveLength(2)
  })

  it("begins a new birth for each document, under its node and incarnation", () => {
    const bench = new Bench({ node: "n7" })
    const actors = others.map((at) => dotOf(bench, 1, at).actor)
    expect(new Set(actors).size).toBe(2)
    for (const actor of actors) {
      expect(Dot.isActorOf(actor, { node: bench.node, incarnation: bench.incarnations[0]! })).toBe(
        true
      )
    }
  })

  it("begins a new birth where it only holds others' dots", () => {
    const [bench, other] = [new Bench(), new Bench({ node: "n2" })]
    other.operate("put", ["there"])
    bench.join(other.document())
    dotOf(bench, 1)
    expect(bench.replica.stats().births).toBe(1)
  })

  it("begins a new birth where its row was dropped, so that the first write is not lost", () => {
    const bench = new Bench()
    const handedOver = bench.operate("put", ["first"]).document
    bench.storage.write(batchOf(removal(key)), () => undefined)
    bench.runtime.runReady()
    const blind = bench.operate("put", ["second"]).document
    const [both] = [Document.join(handedOver, blind)]
    expect(both.store?.kind === "values" && both.store.siblings.map(({ value }) => value).sort())
      .toEqual(["\"first\"", "\"second\""])
    expect(bench.replica.stats().births).toBe(2)
  })

  it("begins a new birth where its row is damaged", () => {
    const bench = new Bench()
    const lost = dotOf(bench, 1)
    bench.damage()
    const next = dotOf(bench, 2)
    expect(next.actor).not.toBe(lost.actor)
    expect(bench.actors()).toEqual([next.actor])
    expect(bench.replica.stats()).toMatchObject({ births: 2 })
  })

  it("begins a new incarnation at each start, though its row is intact", () => {
    const bench = new Bench()
    const before = dotOf(bench, 1)
    bench.crash()
    const after = dotOf(bench, 2)
    expect(bench.actors()).toEqual([before.actor, after.actor].sort())
    expect(Dot.isActorOf(after.actor, { node: bench.node, incarnation: bench.incarnations[1]! }))
      .toBe(
        true
      )
  })

  it("begins a new incarnation at each start, though its clock went back", () => {
    const bench = new Bench()
    bench.runtime.wallOffsetMillis -= 86_400_000
    bench.crash()
    bench.crash()
    expect(bench.incarnations).toEqual([...bench.incarnations].sort())
    expect(new Set(bench.incarnations).size).toBe(3)
  })

  it("begins a new incarnation where its document holds the dot to be made", () => {
    const bench = new Bench()
    bench.join({ ...Document.empty, context: new Map([[actorOf(bench, 1), 1_000]]) })
    const dot = dotOf(bench, "acknowledged")
    expect(Dot.isActorOf(dot.actor, { node: bench.node, incarnation: bench.incarnations[0]! }))
      .toBe(false)
    expect(bench.values()).toEqual(["acknowledged"])
    expect(dotOf(bench, "next").actor).toBe(dot.actor)
    expect(bench.replica.stats()).toMatchObject({ births: 2, incarnationsEnded: 1 })
  })

  it("begins a new incarnation where a removal that waits has seen the dot to be made", () => {
    const bench = new Bench({ strategy: { family: "crdt", type: { type: "set" } } })
    const seen = new Map([[actorOf(bench, 1), 1_000]])
    const removal = { actor: "n2.000000000000000.1", counter: 2, seen, path: [] }
    bench.join({ ...Document.empty, context: new Map([[removal.actor, 2]]), deferred: [removal] })
    bench.operate("add", ["acknowledged"])
    bench.join({ ...Document.empty, context: new Map([["n3.000000000000000.1", 2]]) })
    expect(bench.values()).toEqual([["acknowledged"]])
    expect(bench.replica.stats().incarnationsEnded).toBe(1)
  })

  it("begins a new incarnation where its client has seen the dot to be made", () => {
    const bench = new Bench()
    const vector = new Map([[actorOf(bench, 1), 1_000]])
    const options = { seen: { vector, stamp: 0 } }
    const { updated } = bench.begin([["put", 1], ["put", 2]], options)
    expect(updated._tag).toBe("Updated")
    expect(bench.values()).toEqual([1, 2])
    expect(bench.replica.stats().incarnationsEnded).toBe(1)
  })

  it("begins a new birth where its document holds more of its actor than it made", () => {
    const bench = new Bench()
    const { actor } = dotOf(bench, "first")
    bench.join({ ...Document.empty, context: new Map([[actor, 1_000]]) })
    bench.operate("put", ["acknowledged"])
    expect(bench.values()).toEqual(["acknowledged"])
    expect(bench.replica.stats().births).toBe(2)
  })

  it("makes no dot twice, with any fault of its rows, commits and process", () => {
    const step = fc.record({
      act: fc.constantFrom("put", "put", "put", "refuse", "crash", "damage", "drop", "fail"),
      at: fc.constantFrom(...others)
    })
    fc.assert(fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const bench = new Bench()
      const made: Array<string> = []
      let values = 0
      const put = (at: RowKey): void => {
        const fresh = [++values, ++values].map(String)
        const { updated } = bench.begin(fresh.map((value) => ["put", Number(value)]), { key: at })
        if (updated._tag !== "Updated" || updated.document.store?.kind !== "values") return
        const mine = updated.document.store.siblings.filter(({ value }) => fresh.includes(value))
        expect(mine).toHaveLength(2)
        made.push(...mine.map((dot) => `${dot.actor} ${dot.counter}`))
      }
      for (const { act, at } of steps) {
        if (act === "put") put(at)
        else if (act === "refuse") bench.begin([["put", 1], ["put"]], { key: at })
        else if (act === "crash") bench.crash()
        else if (act === "damage") bench.damage()
        else if (act === "drop") {
          bench.storage.write(batchOf(removal(at)), () => undefined)
        } else {
          const mend = bench.failCommits()
          put(at)
          bench.runtime.runReady()
          mend()
        }
        bench.runtime.runReady()
      }
      expect(new Set(made).size).toBe(made.length)
    }))
  })
})
