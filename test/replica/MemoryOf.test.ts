// Checks that the memory of a decoded document is estimated about right, whatever its shape.
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { expect, it } from "vitest"
import { Children } from "../../src/core/crdt/Children.ts"
import * as Document from "../../src/core/crdt/Document.ts"
import * as DocumentCodec from "../../src/core/crdt/DocumentCodec.ts"
import { childKey, type DotStore } from "../../src/core/crdt/DotStore.ts"
import { DocumentCache } from "../../src/replica/DocumentCache.ts"
import type { LocalDocument } from "../../src/replica/LocalDocument.ts"

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

const actorsOf = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, i) => `n${i}.000000000000001.1`)

const contextOf = (count: number, counter: number) =>
  new Map(actorsOf(count).map((actor) => [actor, counter] as const))

const register = (length: number) => (i: number): Document.Document => ({
  ...Document.empty,
  context: contextOf(1, i + 1),
  store: {
    kind: "latest",
    actor: actorsOf(1)[0]!,
    counter: i + 1,
    stamp: 1e15 + i,
    value: JSON.stringify("x".repeat(length) + i)
  }
})

const siblings = (i: number): Document.Document => ({
  ...Document.empty,
  context: contextOf(5, i + 1),
  store: {
    kind: "values",
    siblings: actorsOf(5).map((actor) => ({
      actor,
      counter: i + 1,
      stamp: 1e15,
      value: JSON.stringify("v".repeat(30) + i)
    }))
  }
})

const set = (i: number): Document.Document => {
  const elements = Array.from({ length: 20 }, (_, n): [string, DotStore] => [
    childKey("values", `"e${i}-${n}"`),
    {
      kind: "values",
      siblings: [{ actor: actorsOf(1)[0]!, counter: n + 1, stamp: 0, value: "" }]
    }
  ])
  const store = { kind: "tree", children: Children.of(elements) } as const
  return { ...Document.empty, context: contextOf(1, 21), store }
}

const counter = (i: number): Document.Document => {
  const updates = Array.from({ length: 16 }, (_, n) => ({ counter: i + n + 1, sum: n + 1 }))
  const total = { removed: { counter: 0, sum: 0 }, updates, isCut: false }
  const totals = new Map(actorsOf(3).map((actor) => [actor, total] as const))
  return { ...Document.empty, context: contextOf(3, i + 16), store: { kind: "counter", totals } }
}

it.each(
  [
    ["registers of 60 characters", register(60)],
    ["registers of 4,000 characters", register(4_000)],
    ["five siblings", siblings],
    ["sets of 20 elements", set],
    ["counters of three actors", counter]
  ] as const
)("a cache full of %s takes as much memory as its limit says", (_, make) => {
  const limit = 8 * 2 ** 20
  const read = (i: number): LocalDocument & { readonly bytes: number } => {
    const { bytes, digest } = DocumentCodec.encode(make(i))
    const document = DocumentCodec.decode(new Uint8Array(bytes))
    return { document, digest, own: actorsOf(1)[0]!, bytes: bytes.length }
  }
  const fill = (cache: DocumentCache): void => {
    for (let i = 0; cache.size === i; i++) {
      const { bytes, ...held } = read(i)
      cache.set({ partition: 1, bucket: "b", partitionKey: `sk${i}`, sortKey: "" }, held, bytes)
    }
  }
  // The first time makes code too, and lets go of what a test's start has left.
  const first = new DocumentCache(limit)
  fill(first)
  first.clear()
  collect()
  const before = process.memoryUsage().heapUsed
  const cache = new DocumentCache(limit)
  fill(cache)
  collect()
  const taken = process.memoryUsage().heapUsed - before
  expect(cache.bytes).toBeLessThanOrEqual(limit)
  expect(taken / limit).toBeGreaterThan(0.7)
  expect(taken / limit).toBeLessThan(1.3)
})
