// Checks that joins stay joins where a dot has one content at one replica and another elsewhere:
// bytes that changed on their way, or a node that broke a promise, must not keep replicas apart.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as CounterTotal from "../../../src/core/crdt/CounterTotal.ts"
import * as Document from "../../../src/core/crdt/Document.ts"
import { Children } from "../../../src/core/crdt/Children.ts"
import * as DocumentCodec from "../../../src/core/crdt/DocumentCodec.ts"
import type { CounterUpdate, DotStore, PerActorTotal } from "../../../src/core/crdt/DotStore.ts"
import { definitions, threeDocuments } from "../reachable.ts"
import { faultsOf, textOf } from "./documents.ts"

/** Numbers from 0 to 2, one after the other: mostly 0, which changes nothing. */
type Choices = () => number

const choices = fc.infiniteStream(fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 2 }) }
)).map((stream): Choices => () => Number(stream.next().value))

const updateOf = ({ counter, sum }: CounterUpdate, next: Choices): CounterUpdate =>
  counter === 0 ? { counter, sum } : { counter, sum: Number(sum) + next() }

const totalOf = (total: PerActorTotal, next: Choices): PerActorTotal => {
  const removed = updateOf(total.removed, next)
  const updates = total.updates.map((update) => updateOf(update, next))
  const isShort = next() === 2 && updates.length > 1
  const isCut = updates.length > 0 && (total.isCut || isShort || next() === 2)
  return { removed, updates: isShort ? updates.slice(1) : updates, isCut }
}

/** The store with other contents under some of its dots. */
const storeOf = (store: DotStore, next: Choices): DotStore => {
  switch (store.kind) {
    case "latest": {
      const value = [store.value, "\"zz\"", null][next()]!
      return { ...store, stamp: store.stamp + next(), value: value ?? null }
    }
    case "values":
      return {
        kind: "values",
        siblings: store.siblings.map((sibling) => ({
          ...sibling,
          stamp: sibling.stamp + next(),
          value: [sibling.value, "\"zz\"", "0"][next()]!
        }))
      }
    case "counter": {
      const totals = [...store.totals].map(([actor, total]) =>
        [actor, totalOf(total, next)] as const
      )
      return { kind: "counter", totals: new Map(totals) }
    }
    case "tree": {
      const children = [...store.children].map(([key, child]) =>
        [key, storeOf(child, next)] as const
      )
      return { kind: "tree", children: Children.of(children) }
    }
  }
}

const documentOf = (document: Document.Document, next: Choices): Document.Document => ({
  ...document,
  store: document.store && storeOf(document.store, next),
  expiry: document.expiry.map((entry) => ({ ...entry, at: [entry.at, 7, null][next()] ?? null }))
})

/** The document whose waiting removals had seen more, or remove elsewhere. */
const withOtherDeferrals = (document: Document.Document, next: Choices): Document.Document => ({
  ...document,
  deferred: document.deferred.map((deferral) => ({
    ...deferral,
    seen: next() === 0 ? deferral.seen : new Map([...deferral.seen, ["zz.000000000000000.1", 9]]),
    path: next() === 0 ? deferral.path : deferral.path.slice(1)
  }))
})

const bytesOf = (document: Document.Document): string =>
  Buffer.from(DocumentCodec.encode(document).bytes).toString("hex")

const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] as const

const conflictsOf = (left: Document.Document, right: Document.Document): number => {
  let count = 0
  Document.joinTelling(left, right, () => void count++)
  return count
}

describe.each(definitions)("documents of %s with other contents under the same dots", (_, type) => {
  const three = fc.tuple(threeDocuments(type), fc.array(choices, { minLength: 3, maxLength: 3 }))
    .map(([documents, streams]) =>
      documents.map((document, i) => documentOf(document, streams[i]!))
    )

  it("join to the same bytes in any order, and again to these", () => {
    fc.assert(
      fc.property(three, (documents) => {
        const [a, b, c] = documents
        const ab = Document.join(a!, b!)
        expect(bytesOf(Document.join(b!, a!))).toBe(bytesOf(ab))
        expect(Document.join(ab, b!)).toBe(ab)
        expect(Document.join(ab, a!)).toBe(ab)
        expect(faultsOf(ab)).toEqual([])
        expect(bytesOf(DocumentCodec.decode(DocumentCodec.encode(ab).bytes))).toBe(bytesOf(ab))
        const all = bytesOf(Document.join(ab, c!))
        for (const [i, j, k] of orders) {
          const [first, second, third] = [documents[i]!, documents[j]!, documents[k]!]
          expect(bytesOf(Document.join(Document.join(first, second), third))).toBe(all)
          expect(bytesOf(Document.join(first, Document.join(second, third)))).toBe(all)
        }
      }),
      { numRuns: 300 }
    )
  })

  it("join alike in both orders where waiting removals differ too", () => {
    const two = fc.tuple(three, choices).map(([[a, b], next]) => [a!, withOtherDeferrals(b!, next)])
    fc.assert(fc.property(two, ([a, b]) => {
      const ab = Document.join(a!, b!)
      expect(bytesOf(Document.join(b!, a!))).toBe(bytesOf(ab))
      expect(Document.join(ab, b!)).toBe(ab)
    }))
  })

  it("tell of a conflict on joining, and no documents of one history do", () => {
    const documents = fc.tuple(threeDocuments(type), choices)
    fc.assert(fc.property(documents, ([[a, b], next]) => {
      expect(conflictsOf(a, b)).toBe(0)
      const other = documentOf(a, next)
      expect(conflictsOf(a, other) > 0).toBe(textOf(a) !== textOf(other))
      expect(conflictsOf(other, a) > 0).toBe(textOf(a) !== textOf(other))
    }))
  })
})

describe("entries of one actor in a counter that contradict each other", () => {
  it("join in any order to the same", () => {
    const update = fc.record({ counter: fc.integer({ min: 1, max: 6 }), sum: fc.nat(3) })
    const entry = fc.tuple(
      fc.option(update, { nil: { counter: 0, sum: 0 } }),
      fc.array(update, { maxLength: 4 }),
      fc.boolean()
    ).map(([removed, some, cut]): PerActorTotal => {
      const updates = some.filter(({ counter }) => counter > removed.counter)
        .toSorted((a, b) => a.counter - b.counter)
        .filter(({ counter }, i, all) => counter !== all[i + 1]?.counter)
      return { removed, updates, isCut: cut && updates.length > 0 }
    })
    fc.assert(
      fc.property(entry, entry, entry, (a, b, c) => {
        const { join } = CounterTotal
        const all = join(join(a, b), c)
        expect(join(b, a)).toEqual(join(a, b))
        expect(join(a, join(b, c))).toEqual(all)
        expect(join(join(a, c), b)).toEqual(all)
        expect(join(all, b)).toBe(all)
      }),
      { numRuns: 5_000 }
    )
  })
})
