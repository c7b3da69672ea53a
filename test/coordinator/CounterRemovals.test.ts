// Checks that a removal takes from counters what its client had seen, whichever node carries it
// out, in every place where a counter can be.
import * as Schema from "effect/Schema"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { ContextTooOld } from "../../src/core/model/StoreError.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { SteppedCluster, type WriteBody } from "../cluster/steppedCluster.ts"

const key = Key.text
const alone = Bucket.crdt("alone", { key, type: Crdt.counter })
const entries = Bucket.crdt("entries", { key, type: Crdt.map(Crdt.counter) })
const fields = Bucket.crdt("fields", {
  key,
  type: Crdt.document({ count: Crdt.counter, names: Crdt.set(Schema.String) })
})
const nested = Bucket.crdt("nested", {
  key,
  type: Crdt.map(Crdt.document({ count: Crdt.counter, name: Crdt.register(Schema.String) }))
})

interface Place {
  readonly bucket: Bucket.Any
  readonly add: (amount: number) => WriteBody
  readonly remove: WriteBody
  /** The view of a counter that shows this. */
  readonly view: (shown: number) => unknown
}

const places: ReadonlyArray<readonly [title: string, place: Place]> = [
  ["a document that is a counter", {
    bucket: alone,
    add: (amount) => ({ key: "k", op: "add", args: [amount] }),
    remove: { key: "k", op: "delete" },
    view: (shown) => shown
  }],
  ["an entry of a map", {
    bucket: entries,
    add: (amount) => ({ key: "k", op: "add", args: ["x", amount] }),
    remove: { key: "k", op: "drop", args: ["x"] },
    view: (shown) => ({ x: shown })
  }],
  ["a map that is deleted", {
    bucket: entries,
    add: (amount) => ({ key: "k", op: "add", args: ["x", amount] }),
    remove: { key: "k", op: "delete" },
    view: (shown) => ({ x: shown })
  }],
  ["a field of a document", {
    bucket: fields,
    add: (amount) => ({ key: "k", op: "count.add", args: [amount] }),
    remove: { key: "k", op: "delete" },
    view: (shown) => ({ count: shown, names: [] })
  }],
  ["a document in an entry of a map", {
    bucket: nested,
    add: (amount) => ({ key: "k", op: "count.add", args: ["x", amount] }),
    remove: { key: "k", op: "drop", args: ["x"] },
    view: (shown) => ({ x: { count: shown, name: null } })
  }]
]

let stepped: SteppedCluster
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets: [alone, entries, fields, nested] })
})
afterEach(() => stepped.stop())

describe.each(places)("a removal of %s", (_, { add, bucket, remove, view }) => {
  const write = (at: number, body: WriteBody, more: Partial<WriteBody> = {}) =>
    stepped.write(at, bucket, { ...body, ...more }).answer
  const expectEverywhere = (value: unknown): void => {
    for (const at of [1, 2, 3]) {
      const { values } = stepped.read(at, bucket, { key: "k", r: "all" }).answer
      expect(values).toEqual(value === undefined ? [] : [value])
    }
  }

  it.each([1, 2, 3])("leaves an amount that n1 added concurrently, carried out by n%i", (at) => {
    const { context } = write(2, add(10), { w: 3 })
    stepped.cut(1)
    write(1, add(1), { w: 1 })
    stepped.runtime.advance(2_500)
    stepped.heal()
    write(at, remove, { context, w: 2 })
    expectEverywhere(view(1))
  })

  it.each([1, 2, 3])("leaves amounts added since by the same node, carried out by n%i", (at) => {
    const { context } = write(1, add(10), { w: 3 })
    for (const amount of [1, 2]) write(1, add(amount), { w: 3 })
    write(at, remove, { context, w: 3 })
    expectEverywhere(view(3))
  })

  it("takes all that is there, after ten rounds of 10^15 up and down", () => {
    for (let round = 0; round < 10; round++) {
      write(1, add(1e15), { w: 3 })
      write(1, add(-1e15), { w: 3 })
    }
    expectEverywhere(view(0))
    write(2, remove, { w: 3 })
    expectEverywhere(undefined)
  })

  it("by a client that has not seen 16 updates of a node changes nothing, and tells it so", () => {
    const { context } = write(1, add(10), { w: 3 })
    for (let i = 0; i < 16; i++) write(1, add(1), { w: 3 })
    for (const at of [1, 2, 3]) {
      expect(stepped.write(at, bucket, { ...remove, context }).error).toBeInstanceOf(ContextTooOld)
    }
    expectEverywhere(view(26))
    const read = stepped.read(3, bucket, { key: "k", r: "all" }).answer
    write(1, add(2), { w: 3 })
    write(3, remove, { context: read.context, w: 3 })
    expectEverywhere(view(2))
  })
})
