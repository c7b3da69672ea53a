// Checks that a store is refused that says that it was filled, and lacks what it had before.
import { describe, expect, it } from "vitest"
import { FillingWatch } from "../../src/testing/simulator/FillingWatch.ts"
import type { Loss } from "../../src/testing/simulator/History.ts"
import * as Document from "../../src/core/crdt/Document.ts"

const row = { partition: 3, bucket: "notes", partitionKey: "sk", sortKey: "" }
const primaries = ["n1", "n2", "n3"]

const heldOf = (counters: { readonly [node: string]: number }) =>
  new Map(Object.entries(counters).map(([node, counter]) => [node, new Map([["a", counter]])]))

/** n1 loses its disk, and is filled; `has` is what it has of the document then. */
const problemsOf = ({ after, before, has = {}, isMended = false, losses = [], twin = "" }: {
  readonly before: { readonly [node: string]: number }
  readonly after: { readonly [node: string]: number }
  readonly has?: { readonly [actor: string]: number }
  readonly losses?: ReadonlyArray<Loss>
  readonly twin?: string
  readonly isMended?: boolean
}) => {
  let held = heldOf(before)
  const known: Array<Loss> = []
  const watch = new FillingWatch({
    contexts: { held: () => held },
    documents: () => [{ bucket: "notes", key: "k", row, primaries }],
    nodes: () => ["n1", "n2", "n3", "n4"],
    read: () => {
      const context = new Map(Object.entries(has))
      const document = { ...Document.empty, context }
      return { _tag: "Found", document, digest: "", own: "" }
    },
    losses: known,
    isMended: () => isMended,
    isTwinned: (node) => node === twin
  })
  watch.loses("n1")
  held = heldOf(after)
  known.push(...losses)
  watch.filled("n1")
  return watch.problems
}

const both = { n1: 5, n2: 5 }

describe("a store that was filled", () => {
  it("has what it had before, and another node has had all the time", () => {
    expect(problemsOf({ before: both, after: { n2: 6 }, has: { a: 5 } })).toEqual([])
    expect(problemsOf({ before: both, after: { n2: 6 }, has: { a: 4 } })).toEqual([
      "n1 was filled without a 5 of notes/k, which it had, and n2 has"
    ])
    expect(problemsOf({ before: { n1: 5, n4: 5 }, after: { n4: 5 } })).toEqual([
      "n1 was filled without a 5 of notes/k, which it had, and n4 has"
    ])
  })

  it("may lack what no other node has had all the time", () => {
    expect(problemsOf({ before: { n1: 5, n2: 4 }, after: { n2: 4, n3: 4 } })).toEqual([])
  })

  it("may lack what it never had, or what only two processes under one id have", () => {
    expect(problemsOf({ before: { n2: 5 }, after: { n2: 5 } })).toEqual([])
    expect(problemsOf({ before: both, after: { n2: 5 }, twin: "n2" })).toEqual([])
    expect(problemsOf({ before: both, after: { n2: 5 }, twin: "n1" })).toEqual([])
  })

  it("may lack something of a document of which it knows that it does", () => {
    expect(problemsOf({ before: both, after: { n2: 5 }, isMended: true })).toEqual([])
  })

  it("may lack what its disk lost once more without telling", () => {
    const losses = [{ node: "n1", at: 9, document: "notes/k" }]
    expect(problemsOf({ before: both, after: { n2: 5 }, losses })).toEqual([])
  })
})
