// Checks that the deltas of an edit, joined along their paths, make the document that they make one
// by one, and that nothing is changed which somebody else holds.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { CausalContext } from "../../../src/core/clock/CausalContext.ts"
import { Children } from "../../../src/core/crdt/Children.ts"
import { DeltaJoin } from "../../../src/core/crdt/DeltaJoin.ts"
import * as Document from "../../../src/core/crdt/Document.ts"
import type { StrategyDefinition } from "../../../src/core/model/BucketDefinition.ts"
import * as Strategies from "../../../src/core/strategy/Strategies.ts"
import type { ArgumentKind, Mutated } from "../../../src/core/strategy/Strategy.ts"
import { definitions, threeDocuments } from "../reachable.ts"
import { textOf } from "./documents.ts"

const choice = fc.nat(999)

const call = fc.record({
  operation: choice,
  args: fc.tuple(choice, choice, choice)
})

type Call = typeof call extends fc.Arbitrary<infer C> ? C : never

const edits = fc.record({
  calls: fc.array(call, { minLength: 1, maxLength: 12 }),
  hasContext: fc.boolean()
})

/** Few values, so that operations meet. */
const argument = (kind: ArgumentKind, chosen: number): unknown => {
  if (kind === "integer") return (chosen % 11) - 5
  return kind === "key" ? ["k", "ключ", ""][chosen % 3] : ["x", "y", 1, null][chosen % 4]
}

const actor = "z.000000000000000.1"

/** The operation of a call, on the document that it meets. */
const mutate = (
  definition: StrategyDefinition,
  { args, at, call, document, seen }: {
    readonly call: Call
    readonly args: Call["args"]
    readonly at: number
    readonly document: Document.Document
    readonly seen: CausalContext | undefined
  }
): Mutated => {
  const operations = [...Strategies.make(definition).operations.values()]
  const operation = operations[call.operation % operations.length]!
  return operation.mutate({
    document,
    dot: { actor, counter: at + 1 },
    nowMillis: 1_000,
    seen,
    stampSeen: seen?.stamp ?? 0,
    counterUpdatesMax: 3,
    args: operation.args.map((kind, i) => argument(kind, args[i]!))
  })
}

describe.each(definitions)("an edit of a document of %s", (_, definition) => {
  it("makes the document that its operations make one by one", () => {
    fc.assert(
      fc.property(threeDocuments(definition), edits, ([before, other], edit) => {
        const stamp = Strategies.make(definition).stampOf(other)
        const seen = edit.hasContext ? { vector: other.context, stamp } : undefined
        const beforeText = textOf(before)
        const join = new DeltaJoin(before)
        const deltas: Array<readonly [Document.Delta, string]> = []
        let document = before
        for (const [at, call] of edit.calls.entries()) {
          const options = { call, args: call.args, at, seen }
          const mutated = mutate(definition, { ...options, document })
          const along = mutate(definition, { ...options, document: join.document })
          expect(along._tag).toBe(mutated._tag)
          if (mutated._tag !== "Changed" || along._tag !== "Changed") continue
          document = Document.apply(document, mutated.delta)
          deltas.push([along.delta, JSON.stringify(along.delta.seen.dots)])
          join.add(along.delta)
          expect(textOf({ ...join.document, deferred: [] })).toBe(
            textOf({ ...document, deferred: [] })
          )
        }
        expect(textOf(join.finish())).toBe(textOf(document))
        expect(textOf(before)).toBe(beforeText)
        for (const [delta, dots] of deltas) expect(JSON.stringify(delta.seen.dots)).toBe(dots)
      }),
      { numRuns: 300 }
    )
  })

  it("is left as it is, the same object, by no operation", () => {
    fc.assert(
      fc.property(threeDocuments(definition), ([before]) => {
        expect(new DeltaJoin(before).finish()).toBe(before)
      }),
      { numRuns: 10 }
    )
  })
})

const childrenOf = ({ store }: Document.Document, key: string) => {
  const child = store?.kind === "tree" ? store.children.get(`t${key}`) : undefined
  return child?.kind === "tree" ? child.children : Children.empty
}

it("an edit keeps the parts of a document that it does not touch, the same objects", () => {
  const type = { type: "map", of: { type: "set" } } as const
  const { operations } = Strategies.make({ family: "crdt", type })
  let counter = 0
  const add = (join: DeltaJoin, ...args: ReadonlyArray<unknown>): void => {
    const dot = { actor, counter: ++counter }
    const basis = { dot, nowMillis: 0, seen: undefined, stampSeen: 0, counterUpdatesMax: 3, args }
    const mutated = operations.get("add")!.mutate({ document: join.document, ...basis })
    if (mutated._tag === "Changed") join.add(mutated.delta)
  }
  const first = new DeltaJoin(Document.empty)
  for (const key of ["a", "b"]) for (const value of [1, 2]) add(first, key, value)
  const before = first.finish()
  const second = new DeltaJoin(before)
  add(second, "a", 3)
  const after = second.finish()
  expect(childrenOf(after, "b")).toBe(childrenOf(before, "b"))
  expect(childrenOf(after, "a").get("v1")).toBe(childrenOf(before, "a").get("v1"))
  expect(childrenOf(before, "a").size).toBe(2)
  expect(childrenOf(after, "a").size).toBe(3)
})

it("an edit refuses a delta that says something beside its path", () => {
  const siblings = [{ actor, counter: 1, stamp: 0, value: "" }]
  const leaf = { kind: "values", siblings } as const
  const delta: Document.Delta = {
    seen: { vector: new Map(), dots: siblings },
    store: { kind: "tree", children: Children.of([["va", leaf], ["vb", leaf]]) },
    path: ["va"],
    deferred: [],
    expiry: []
  }
  expect(() => new DeltaJoin(Document.empty).add(delta)).toThrow("beside its path")
})

it("an edit ends the removals that its deltas end, as they do one by one", () => {
  const seen = new Map([["gone.000000000000000.1", 4]])
  const [over, waiting] = [1, 2].map((counter) => ({ actor, counter, seen, path: [] }))
  const before = { ...Document.empty, context: new Map([[actor, 2]]), deferred: [over!, waiting!] }
  const dots = [{ actor, counter: 3 }]
  const delta: Document.Delta = {
    seen: { vector: new Map(), dots },
    store: undefined,
    deferred: [],
    expiry: [],
    ended: [{ actor, counter: 1 }]
  }
  const join = new DeltaJoin(before)
  join.add(delta)
  expect(join.finish().deferred).toEqual([waiting])
  expect(textOf(join.finish())).toBe(textOf(Document.apply(before, delta)))
})
