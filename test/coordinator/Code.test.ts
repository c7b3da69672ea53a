// Checks nodes with the application's code, without it, and with another declaration.
import { afterEach, describe, expect, it } from "vitest"
import * as Schema from "effect/Schema"
import { BucketMismatch, InvalidValue, Undecodable } from "../../src/core/model/StoreError.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { buckets, notes, profiles, scores, shelves } from "../cluster/buckets.ts"
import type { MemoryClusterOptions } from "../cluster/memoryCluster.ts"
import { node, SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
const start = async (served: MemoryClusterOptions["buckets"]): Promise<void> => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets: served })
}
afterEach(() => stepped.stop())

const definitions = buckets.map(({ definition }) => definition)

/** Two siblings that every node holds. */
const putTwo = (bucket: typeof scores | typeof notes, values: ReadonlyArray<string | number>) => {
  for (const value of values) {
    stepped.write(1, bucket, { key: "k", op: "put", args: [value], w: "all" })
  }
}

describe("a node that has a bucket's code", () => {
  it("makes one value of siblings for each client that asks, and says how many", async () => {
    await start(buckets)
    putTwo(scores, [3, 5, 4])
    const body = { key: "k" }
    expect(stepped.read(2, scores, { ...body, merge: true }).answer)
      .toMatchObject({ values: [5], siblings: 3 })
    expect(stepped.read(2, scores, body).answer.values).toHaveLength(3)
    expect(stepped.read(2, scores, { ...body, merge: true }).answer.siblings).toBe(3)
    putTwo(notes, ["a", "b"])
    expect(stepped.read(2, notes, { ...body, merge: true }).texts).toEqual(["a", "b"])
  })

  it("refuses values and arguments that the bucket does not take, and says where", async () => {
    await start(buckets)
    const wrong = [
      [stepped.write(1, profiles, { key: "k", op: "put", args: [{ name: 7 }] }), "$[0].name"],
      [stepped.write(1, profiles, { key: "k", op: "put", args: [{}] }), "$[0].name"],
      [stepped.write(1, profiles, { key: "k", op: "put", args: [] }), "$"],
      [stepped.write(1, shelves, { key: "k", op: "books.add", args: [7] }), "$[0]"],
      [stepped.write(1, shelves, { key: "k", op: "visits.add", args: [0.5] }), "$[0]"]
    ] as const
    for (const [{ error }, path] of wrong) {
      expect(error).toBeInstanceOf(InvalidValue)
      expect(error).toMatchObject({ path })
    }
  })

  it("goes on when that code fails, and says so", async () => {
    const touchy = Schema.Struct({ name: Schema.String }).check(
      Schema.makeFilter(({ name }) => {
        if (name === "boom") throw new Error("touched")
        return true
      })
    )
    const fragile = Bucket.merge("fragile", {
      key: Key.text,
      value: touchy,
      merge: () => {
        throw new Error("cannot merge")
      }
    })
    await start([fragile])
    const put = (name: string) =>
      stepped.write(1, fragile, { key: "k", op: "put", args: [{ name }], w: "all" })
    expect(put("boom").error).toBeInstanceOf(InvalidValue)
    put("a")
    expect(put("b").answer.values).toHaveLength(2)
    const { error } = stepped.read(2, fragile, { key: "k", merge: true })
    expect(error).toBeInstanceOf(Undecodable)
    expect(error.message).toContain("cannot merge")
    expect(stepped.read(2, fragile, { key: "k" }).answer.values).toHaveLength(2)
  })
})

describe("a node that knows a bucket by its definition alone", () => {
  it("carries out operations, serves siblings and states, and merges nothing", async () => {
    await start((id) => (id === node(1) ? definitions : buckets))
    putTwo(scores, [3, 5])
    expect(stepped.read(1, scores, { key: "k", merge: true }).texts).toEqual(["3", "5"])
    expect(stepped.read(2, scores, { key: "k", merge: true }).answer.values).toEqual([5])
    stepped.write(1, shelves, { key: "k", op: "books.add", args: ["Emma"], w: "all" })
    stepped.write(1, shelves, { key: "k", op: "visits.add", args: [2], w: "all" })
    for (const nodeNumber of [1, 2, 3]) {
      expect(stepped.read(nodeNumber, shelves, { key: "k", r: "all" }).answer.values)
        .toEqual([{ books: ["Emma"], label: null, visits: 2 }])
    }
  })

  it("checks the type of a value, and takes one that only the code would refuse", async () => {
    await start(definitions)
    expect(stepped.write(1, shelves, { key: "k", op: "visits.add", args: ["x"] }).error)
      .toMatchObject({ _tag: "InvalidValue", path: "$[0]" })
    expect(stepped.write(1, profiles, { key: "k", op: "put", args: [] }).error)
      .toMatchObject({ _tag: "InvalidValue", path: "$[0]" })
    expect(stepped.write(1, profiles, { key: "k", op: "put", args: [7] }).answer.values)
      .toEqual([7])
  })
})

/** Elements and keys that have several texts in their schemas. */
const visitors = Bucket.crdt("visitors", {
  key: Key.make({ partition: { day: Schema.Date } }),
  type: Crdt.map(Crdt.set(Schema.Struct({ at: Schema.Date })))
})
const day = { day: "1970-01-01T00:00:00.000Z" }

describe("an argument", () => {
  const args = ["door", { at: "1970-01-01" }]
  const added = { door: [{ at: "1970-01-01T00:00:00.000Z" }] }

  it("is stored in one form where a node has the code, though another has none", async () => {
    stepped = await SteppedCluster.start({
      nodes: 4,
      buckets: (id) => (id === node(1) ? [visitors.definition] : [visitors])
    })
    for (const nodeNumber of [2, 3, 4]) {
      const write = { key: { day: "1970-01-01" }, op: "add", args, w: "all" } as const
      stepped.write(nodeNumber, visitors, write)
      expect(stepped.read(nodeNumber, visitors, { key: day, r: "all" }).answer.values)
        .toEqual([added])
    }
  })

  it("is canonical JSON of its shape where no node has the code", async () => {
    await start([visitors.definition])
    const write = (given: ReadonlyArray<any>) =>
      stepped.write(1, visitors, { key: day, op: "add", args: given })
    for (
      const [given, path] of [
        [["door"], "$[1]"],
        [[7, 1], "$[0]"],
        [["door", 1, 2], "$"],
        [["door", { a: [new Map()] }], "$[1].a[0]"],
        [["\ud800", 1], "$[0]"]
      ] as const
    ) {
      expect(write(given).error).toMatchObject({ _tag: "InvalidValue", path })
    }
    expect(write(["door", { b: -0, a: 1e21 }]).answer.texts).toEqual([
      `{"door":[{"a":1e+21,"b":0}]}`
    ])
  })

  it("is stored as it was given, though its owner changes it while it is under way", async () => {
    stepped = await SteppedCluster.start({ nodes: 4, buckets: [shelves] })
    const label = { colour: "green" }
    const [forwarding] = stepped.nodesOf(shelves, "k").others
    stepped.loses = () => true
    const write = { key: "k", op: "label.set", args: [label] }
    const asked = stepped.write(forwarding!, shelves, write)
    label.colour = "red"
    stepped.loses = () => false
    stepped.runtime.advance(1_000)
    expect(asked.answer.values).toMatchObject([{ label: { colour: "green" } }])
  })
})

describe("a node that does not know a bucket", () => {
  it("says so to clients, and keeps its documents all the same", async () => {
    await start((id) => (id === node(1) ? [] : buckets))
    expect(stepped.read(1, notes, { key: "k" }).error)
      .toMatchObject({ _tag: "UnknownBucket", bucket: "notes" })
    stepped.write(2, notes, { key: "k", op: "put", args: ["x"], w: "all" })
    expect(stepped.held(notes, "k")[0]?.context.size).toBe(1)
    stepped.cut(3)
    expect(stepped.read(2, notes, { key: "k", r: 2 }).answer.values).toEqual(["x"])
  })
})

describe("a node that declares a bucket otherwise", () => {
  const others = Bucket.lww("profiles", {
    key: Key.text,
    value: Schema.Struct({ name: Schema.String, age: Schema.Int })
  })

  it("is a mismatch for clients with another declaration, and for no others", async () => {
    await start((id) => (id === node(1) ? [others] : buckets))
    const put = { key: "k", op: "put", args: [{ name: "Ada" }], fingerprint: profiles.fingerprint }
    const { error } = stepped.write(1, profiles, put)
    expect(error).toBeInstanceOf(BucketMismatch)
    expect(error).toMatchObject({
      bucket: "profiles",
      expected: others.fingerprint,
      actual: profiles.fingerprint
    })
    expect(stepped.write(2, profiles, put).answer.replied).toBe(2)
  })

  it("refuses the others' documents, and is not counted: nothing is mixed", async () => {
    await start((id) => (id === node(1) ? [others] : buckets))
    const put = { key: "k", op: "put", args: [{ name: "Ada" }] }
    const written = stepped.write(2, profiles, { ...put, w: "all" })
    expect(written.error).toMatchObject({
      _tag: "QuorumNotMet",
      refused: [{ node: "n1", reason: expect.stringContaining("declared otherwise here") }]
    })
    expect(stepped.held(profiles, "k")[0]?.context.size).toBe(0)
    const read = stepped.read(2, profiles, { key: "k", r: "all" })
    expect(read.error).toMatchObject({
      _tag: "QuorumNotMet",
      unreachable: [],
      refused: [{ node: "n1", reason: expect.stringContaining("declared otherwise here") }]
    })
    expect(stepped.counts(2).readRepairs).toBe(0)
    expect(stepped.held(profiles, "k").map((held) => held?.context.size)).toEqual([0, 1, 1])
  })
})

describe("a node whose bucket was declared otherwise before", () => {
  it("says so of values that it stored then, keeps them, and serves all others", async () => {
    const before = Bucket.siblings("profiles", { key: Key.text, value: Schema.String })
    let served: ReadonlyArray<Bucket.Any> = [before]
    await start(() => served)
    stepped.write(1, before, { key: "k", op: "put", args: ["x"], w: "all" })
    served = [profiles]
    for (const nodeNumber of [1, 2, 3]) {
      stepped.cluster.crash(node(nodeNumber))
      await stepped.restart(nodeNumber)
    }
    const put = { key: "k", op: "put", args: [{ name: "Ada" }] }
    expect(stepped.read(1, profiles, { key: "k" }).error).toBeInstanceOf(Undecodable)
    expect(stepped.read(1, profiles, { key: "k" }).error.message).toContain("declared otherwise")
    expect(stepped.write(1, profiles, put).error).toBeInstanceOf(InvalidValue)
    expect(stepped.write(1, profiles, { key: "k", op: "delete" }).error)
      .toBeInstanceOf(InvalidValue)
    expect(stepped.write(1, profiles, { ...put, key: "l" }).answer.replied).toBe(2)
    served = [before]
    for (const nodeNumber of [1, 2, 3]) {
      stepped.cluster.crash(node(nodeNumber))
      await stepped.restart(nodeNumber)
    }
    expect(stepped.read(1, before, { key: "k", r: "all" }).answer.values).toEqual(["x"])
  })
})
