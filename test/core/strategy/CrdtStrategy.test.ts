/**
 * Shows that states do not grow with the number of operations, which readers cannot see.
 */
import { describe, expect, it } from "vitest"
import * as Document from "../../../src/core/crdt/Document.ts"
import * as DocumentCodec from "../../../src/core/crdt/DocumentCodec.ts"
import type { TypeDefinition } from "../../../src/core/model/BucketDefinition.ts"
import * as CrdtStrategy from "../../../src/core/strategy/CrdtStrategy.ts"

const actor = "n1.000000000000000.1"

/** The operations in turn, by one client through one replica. */
const after = (
  type: TypeDefinition,
  operations: ReadonlyArray<readonly [name: string, ...args: ReadonlyArray<unknown>]>
): Document.Document => {
  const strategy = CrdtStrategy.make(type)
  return operations.reduce((document, [name, ...args], i) => {
    const mutated = strategy.operations.get(name)!.mutate({
      document,
      dot: { actor, counter: i + 1 },
      nowMillis: 0,
      seen: undefined,
      stampSeen: 0,
      counterUpdatesMax: 16,
      args
    })
    if (mutated._tag !== "Changed") throw new Error(mutated._tag)
    return Document.apply(document, mutated.delta)
  }, Document.empty)
}

const sizeOf = (document: Document.Document): number => DocumentCodec.encode(document).bytes.length

const repeated = <A>(times: number, items: ReadonlyArray<A>): ReadonlyArray<A> =>
  Array.from({ length: times }, () => items).flat()

describe("a state is as large after a hundred rounds as after one", () => {
  const types: Record<string, readonly [TypeDefinition, ...Parameters<typeof after>[1]]> = {
    "a register that is written": [{ type: "register" }, ["set", "a"], ["set", "b"]],
    "a register that is written and cleared": [{ type: "register" }, ["set", "a"], ["clear"]],
    "a set to which one element is added": [{ type: "set" }, ["add", "a"], ["add", "a"]],
    "a set whose element goes and comes": [{ type: "set" }, ["add", "a"], ["remove", "a"]],
    "a map whose entry is dropped": [
      { type: "map", of: { type: "set" } },
      ["add", "x", "a"],
      ["drop", "x"]
    ],
    "a map whose counter is dropped": [
      { type: "map", of: { type: "counter" } },
      ["add", "x", 1],
      ["drop", "x"]
    ]
  }
  for (const [title, [type, ...round]] of Object.entries(types)) {
    it(title, () => {
      // Counters of dots take a byte more as they grow; nothing else may.
      const growth = sizeOf(after(type, repeated(100, round))) - sizeOf(after(type, round))
      expect(growth).toBeLessThanOrEqual(8)
    })
  }
})
