/**
 * Shows what a counter does at the end of the integers, which no generated amount reaches.
 */
import { describe, expect, it } from "vitest"
import * as Document from "../../../src/core/crdt/Document.ts"
import * as DocumentCodec from "../../../src/core/crdt/DocumentCodec.ts"
import * as Crdt from "../../../src/core/strategy/Crdt.ts"
import * as CrdtStrategy from "../../../src/core/strategy/CrdtStrategy.ts"

const strategy = CrdtStrategy.make(Crdt.counter.definition)
const most = Number.MAX_SAFE_INTEGER

const add = (document: Document.Document, node: string, amount: number) => {
  const actor = `${node}.000000000000000.1`
  return strategy.operations.get("add")!.mutate({
    document,
    dot: { actor, counter: (document.context.get(actor) ?? 0) + 1 },
    nowMillis: 0,
    seen: undefined,
    stampSeen: 0,
    counterUpdatesMax: 16,
    args: [amount]
  })
}

const added = (document: Document.Document, node: string, amount: number): Document.Document => {
  const mutated = add(document, node, amount)
  if (mutated._tag !== "Changed") throw new Error(mutated._tag)
  return Document.apply(document, mutated.delta)
}

const deleted = (document: Document.Document) => {
  const mutated = strategy.operations.get("delete")!.mutate({
    document,
    dot: { actor: "n9.000000000000000.1", counter: 1 },
    nowMillis: 0,
    seen: undefined,
    stampSeen: 0,
    counterUpdatesMax: 16,
    args: []
  })
  if (mutated._tag !== "Changed") throw new Error(mutated._tag)
  const after = Document.apply(document, mutated.delta)
  return { document: after, values: strategy.view(after, 0).values }
}

const shown = (document: Document.Document): number =>
  Crdt.counter.decodeView(JSON.parse(strategy.view(document, 0).values[0]!))

/** The joined state where each of these was added at a replica of its own. */
const together = (...amounts: ReadonlyArray<number>): Document.Document =>
  amounts
    .map((amount, i) => added(Document.empty, `n${i}`, amount))
    .reduce((one, other) => Document.join(one, other))

describe("a counter whose replicas together pass the exact integers", () => {
  it("shows the greatest integer, which its schema takes", () => {
    expect(shown(together(most, most))).toBe(most)
    expect(shown(together(-most, -most, -1))).toBe(-most)
  })

  it("shows the exact sum where that is small, in any order", () => {
    expect(shown(together(most, most, -most))).toBe(most)
    expect(shown(together(most, most, -most, -most, 1))).toBe(1)
    expect(shown(together(1, -most, most, most, -most))).toBe(1)
  })

  it("takes an amount that leads back, and refuses one that leads further", () => {
    const full = together(most, most)
    expect(add(full, "n5", 1)).toMatchObject({ _tag: "InvalidArguments", path: "$[0]" })
    expect(shown(added(added(full, "n5", -most), "n6", -1))).toBe(most - 1)
  })
})

describe("a counter that goes up and down", () => {
  const large = 1e15
  const rounds = (count: number): Document.Document => {
    let document = Document.empty
    for (let round = 0; round < count; round++) {
      document = added(added(document, "n1", large), "n1", -large)
    }
    return document
  }

  it("does not wear out: only the sum that it shows has a limit", () => {
    const document = rounds(1000)
    expect(shown(document)).toBe(0)
    expect(shown(added(document, "n1", most))).toBe(most)
    expect(add(added(document, "n1", 1), "n1", most)).toMatchObject({ _tag: "InvalidArguments" })
  })

  it("may pass 2^53 - 1 at one node, as long as the sum that it shows does not", () => {
    let document = Document.empty
    for (let round = 0; round < 5; round++) {
      document = added(added(document, "n1", most), "n2", -most)
    }
    const { bytes } = DocumentCodec.encode(document)
    expect(shown(DocumentCodec.decode(bytes))).toBe(0)
    expect(shown(added(document, "n1", -7))).toBe(-7)
  })

  it("comes back into its range by any amount that leads there, and can be deleted", () => {
    const full = together(most, most)
    expect(shown(added(full, "n5", -1))).toBe(most)
    expect(shown(added(added(full, "n5", -most), "n5", -1))).toBe(most - 1)
    expect(deleted(full).values).toEqual([])
    expect(deleted(rounds(10)).values).toEqual([])
    expect(shown(added(deleted(full).document, "n1", 3))).toBe(3)
  })
})

describe("an amount", () => {
  it("is refused unless it is a safe integer", () => {
    for (const amount of [0.5, Number.NaN, Infinity, 2 ** 53]) {
      expect(add(Document.empty, "n1", amount)).toMatchObject({ _tag: "InvalidArguments" })
    }
  })
})
