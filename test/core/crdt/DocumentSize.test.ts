// Checks which writes a document's limits refuse: those that make more of what is too much.
import { describe, expect, it } from "vitest"
import { Children } from "../../../src/core/crdt/Children.ts"
import * as Document from "../../../src/core/crdt/Document.ts"
import { childKey, type DotStore } from "../../../src/core/crdt/DotStore.ts"
import * as DocumentSize from "../../../src/core/crdt/DocumentSize.ts"

const limits = { siblingsMax: 4, elementsMax: 4, documentActorsMax: 4, documentBytesMax: 1_000 }

const contextOf = (actors: number) =>
  new Map(Array.from({ length: actors }, (_, i) => [`n1.${i}.0`, 1] as const))

const siblings = (count: number, value = "v"): DotStore => ({
  kind: "values",
  siblings: Array.from(
    { length: count },
    (_, i) => ({ actor: `n1.${i}.0`, counter: 1, stamp: 0, value })
  )
})

const withSiblings = (count: number): Document.Document => ({
  ...Document.empty,
  context: contextOf(1),
  store: siblings(count)
})

const withElements = (count: number): Document.Document => ({
  ...Document.empty,
  context: contextOf(1),
  store: {
    kind: "tree",
    children: Children.of(
      Array.from({ length: count }, (_, i) => [childKey("values", `e${i}`), siblings(1)] as const)
    )
  }
})

const withActors = (count: number, value = "v"): Document.Document => ({
  ...Document.empty,
  context: contextOf(count),
  store: siblings(1, value)
})

const counter = (count: number): Document.Document => ({
  ...Document.empty,
  context: contextOf(count),
  store: {
    kind: "counter",
    totals: new Map([...contextOf(count)].map(([actor]) => [actor, {
      removed: { counter: 0, sum: 0 },
      updates: [{ counter: 1, sum: 1 }],
      isCut: false
    }]))
  }
})

const ofBytes = (count: number): Document.Document => withActors(1, "v".repeat(count))

const bytesOf = (document: Document.Document): number =>
  document.store?.kind === "values" ? document.store.siblings[0]?.value.length ?? 0 : 0

const decide = (before: Document.Document, after: Document.Document) =>
  DocumentSize.decide(
    { document: before, bytes: () => bytesOf(before) },
    { document: after, bytes: () => bytesOf(after) },
    limits
  )

const kinds = [
  ["siblings", withSiblings, 1],
  ["elements", withElements, 1],
  ["bytes", ofBytes, 250]
] as const

describe.each(kinds)("a limit of %s", (limit, make, unit) => {
  it("takes a write that reaches it, and says that it is near from half of it on", () => {
    expect(decide(make(unit), make(2 * unit))).toEqual({ _tag: "Small" })
    for (const count of [3, 4]) {
      const near = { limit, had: count * unit, allowed: 4 * unit }
      expect(decide(make(2 * unit), make(count * unit))).toEqual({ _tag: "Large", near })
    }
  })

  it("refuses a write that would pass it, or go further beyond it", () => {
    const refused = (had: number) => ({
      _tag: "Refused",
      excess: { limit, had: had * unit, allowed: 4 * unit }
    })
    expect(decide(make(4 * unit), make(5 * unit))).toEqual(refused(5))
    expect(decide(make(8 * unit), make(9 * unit))).toEqual(refused(9))
  })

  it("takes a write that leaves a document beyond it as it is, or makes it smaller", () => {
    for (const count of [9, 8, 5, 1, 0]) {
      expect(decide(make(9 * unit), make(count * unit))._tag).not.toBe("Refused")
    }
  })
})

describe("a limit of actors", () => {
  it("refuses content under a new actor", () => {
    expect(decide(withActors(4), withActors(5, "longer"))).toEqual({
      _tag: "Refused",
      excess: { limit: "actors", had: 5, allowed: 4 }
    })
  })

  it("takes a removal, and a value that is no longer than the one before, by a new actor", () => {
    const removed = { ...Document.empty, context: contextOf(5) }
    expect(decide(withActors(4), removed)).toEqual({ _tag: "Small" })
    expect(decide(withActors(4, "long"), withActors(5, "less"))).toEqual({ _tag: "Small" })
  })

  it("takes the delete of a last-write-wins register by a new actor, be one there or not", () => {
    const deleted = { kind: "latest", actor: "n1.9.0", counter: 1, stamp: 9, value: null } as const
    const after = { ...Document.empty, context: contextOf(5), store: deleted }
    const before = { ...after, context: contextOf(4), store: { ...deleted, value: "v" } }
    expect(decide(before, after)).toEqual({ _tag: "Small" })
    expect(decide({ ...before, store: undefined }, after)).toEqual({ _tag: "Small" })
  })

  it("counts the actors of a counter as content, so that each may go on alone", () => {
    expect(decide(counter(4), counter(4))._tag).not.toBe("Refused")
    expect(decide(counter(4), counter(5))._tag).toBe("Refused")
  })
})
