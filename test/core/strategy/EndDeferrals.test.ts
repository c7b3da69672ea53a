// Checks that removals end whose dots are lost, at every replica and in any order of messages, and
// that nothing else changes by it.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Dot } from "../../../src/core/clock/Dot.ts"
import * as VersionVector from "../../../src/core/clock/VersionVector.ts"
import * as Document from "../../../src/core/crdt/Document.ts"
import * as DocumentCodec from "../../../src/core/crdt/DocumentCodec.ts"
import * as CrdtStrategy from "../../../src/core/strategy/CrdtStrategy.ts"
import { awaitedDots, endDeferrals, endedBy } from "../../../src/core/strategy/EndDeferrals.ts"
import type { Operation } from "../../../src/core/strategy/Strategy.ts"

const { operations, view } = CrdtStrategy.make({ type: "set" })
const actorOf = (node: string) => `${node}.000000000000000.1`
const lostDot: Dot = { actor: actorOf("gone"), counter: 5 }
const lost = new Map([[lostDot.actor, lostDot.counter]])

const applied = (
  document: Document.Document,
  operation: Operation,
  options: {
    readonly dot: Dot
    readonly args?: ReadonlyArray<unknown>
    readonly seen?: VersionVector.VersionVector
  }
): Document.Document => {
  const { args = [], dot, seen } = options
  const mutated = operation.mutate({
    document,
    dot,
    nowMillis: 0,
    counterUpdatesMax: 16,
    seen: seen === undefined ? undefined : { vector: seen, stamp: 0 },
    stampSeen: 0,
    args
  })
  if (mutated._tag !== "Changed") throw new Error(mutated._tag)
  return Document.apply(document, mutated.delta)
}

const add = (document: Document.Document, dot: Dot, value: string) =>
  applied(document, operations.get("add")!, { dot, args: [value] })

const remove = (
  document: Document.Document,
  dot: Dot,
  value: string,
  seen: VersionVector.VersionVector
) => applied(document, operations.get("remove")!, { dot, args: [value], seen })

const end = (document: Document.Document, dot: Dot) =>
  applied(document, endDeferrals(lost), { dot })

const textOf = (document: Document.Document) => DocumentCodec.encode(document).digest
const valuesOf = (document: Document.Document) => view(document, 0).values

const own = (counter: number): Dot => ({ actor: actorOf("a"), counter })
const other = (counter: number): Dot => ({ actor: actorOf("b"), counter })

describe("a removal whose dots are lost", () => {
  it("ends, by a dot of its own, and takes nothing more away", () => {
    const kept = add(Document.empty, own(1), "kept")
    const waiting = remove(kept, own(2), "x", new Map([...kept.context, ...lost]))
    expect(waiting.deferred).toHaveLength(1)
    expect([...awaitedDots(waiting)]).toEqual([...lost])
    const ended = end(waiting, own(3))
    expect(ended.deferred).toEqual([])
    expect(valuesOf(ended)).toEqual(valuesOf(kept))
    expect(VersionVector.covers(ended.context, new Map([[own(3).actor, 3]]))).toBe(true)
    expect(VersionVector.covers(ended.context, lost)).toBe(false)
  })

  it("waits on where it waits for anything else", () => {
    const seen = new Map([...lost, [other(9).actor, 9]])
    const waiting = remove(Document.empty, own(1), "x", seen)
    expect(endedBy(waiting, lost)).toEqual([])
    const ended = end(waiting, own(2))
    expect(ended.deferred).toHaveLength(1)
    // What it waits for arrives, and is removed; the lost dot alone is left.
    const arrived = Document.join(ended, add(Document.empty, other(9), "x"))
    expect(valuesOf(arrived)).toEqual([])
    expect(end(arrived, own(3)).deferred).toEqual([])
  })

  it("does not end with the value that its own change had made", () => {
    const waiting = remove(Document.empty, own(1), "x", lost)
    const delta: Document.Delta = {
      seen: { vector: VersionVector.empty, dots: [own(1), own(2)] },
      store: undefined,
      deferred: [],
      expiry: []
    }
    expect(Document.apply(waiting, delta).deferred).toHaveLength(1)
  })
})

/** Steps of three replicas that add, remove with what is lost, end removals, and meet. */
const steps = fc.array(
  fc.record({
    at: fc.nat(2),
    from: fc.nat(2),
    kind: fc.constantFrom("add", "remove", "end", "join", "join"),
    value: fc.constantFrom("x", "y")
  }),
  { maxLength: 25 }
)

describe("replicas of a document with such removals", () => {
  it("become the same in any order, and keep none that one of them has ended", () => {
    let ended = 0
    fc.assert(
      fc.property(steps, fc.constantFrom([0, 1, 2], [2, 1, 0], [1, 2, 0]), (all, order) => {
        const replicas = [0, 1, 2].map(() => Document.empty)
        all.forEach(({ at, from, kind, value }, index) => {
          const here = replicas[at]!
          const dot = { actor: actorOf(`n${at}`), counter: index + 1 }
          switch (kind) {
            case "add":
              return void (replicas[at] = add(here, dot, value))
            case "remove": {
              const seen = VersionVector.join(here.context, lost)
              return void (replicas[at] = remove(here, dot, value, seen))
            }
            case "end":
              if (here.deferred.length > 0) ended++
              return void (replicas[at] = end(here, dot))
            case "join":
              return void (replicas[at] = Document.join(here, replicas[from]!))
          }
        })
        const joined = replicas.reduce(Document.join)
        const reordered = order.map((index) => replicas[index]!).reduceRight((right, left) =>
          Document.join(left, right)
        )
        expect(textOf(reordered)).toBe(textOf(joined))
        for (const replica of replicas) {
          expect(textOf(Document.join(joined, replica))).toBe(textOf(joined))
          for (const deferral of joined.deferred) {
            const knows = VersionVector.contains(replica.context, deferral.actor, deferral.counter)
            const has = replica.deferred.some((d) =>
              d.actor === deferral.actor && d.counter === deferral.counter
            )
            expect(has || !knows).toBe(true)
          }
        }
      }),
      { numRuns: 2_000 }
    )
    expect(ended).toBeGreaterThan(100)
  })
})
