// Checks that errors are the typed errors themselves, found as early as can be, with the place of
// the fault; and what the application's own code throws stays its own.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Schema from "effect/Schema"
import * as Errors from "../../src/core/model/StoreError.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { write } from "../cluster/asked.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { ways, type WayToStore } from "./ways.ts"

const carts = Bucket.lww("carts", {
  key: Key.text,
  value: Schema.Struct({ lines: Schema.Array(Schema.Struct({ quantity: Schema.Int })) })
})
const shelves = Bucket.crdt("shelves", {
  key: Key.text,
  type: Crdt.document({ books: Crdt.set(Schema.String), visits: Crdt.counter })
})
const rooms = Bucket.lww("rooms", {
  key: Key.make({ partition: { hotel: Schema.String }, sort: { floor: Schema.Int } }),
  value: Schema.Json
})
/** Values that nodes without code let in, and their meaning for the code at hand. */
const numbers = Bucket.lww("numbers", { key: Key.text, value: Schema.Int })
const fragile = Bucket.merge("fragile", {
  key: Key.text,
  value: Schema.Int,
  merge: () => {
    throw new Error("no two are alike")
  }
})

const buckets = [carts, shelves, rooms, numbers, fragile]

describe.each(ways)("%s", (_, open) => {
  let cluster: MemoryCluster
  let store: WayToStore
  beforeAll(async () => {
    const served = [carts, shelves, rooms, numbers.definition, fragile.definition]
    cluster = await makeCluster({ nodes: 3, buckets: served, timeoutMillis: 10_000 })
    store = await open(cluster)
  })
  afterAll(() => cluster.stop())
  const sent = () => cluster.nodes.map(({ core }) => core.coordinator.counters().writes)

  it("a value that the schema refuses is not sent; the error says where it is wrong", async () => {
    const before = sent()
    const handle = store.bucket(carts)
    const wrong = handle.put("c", { lines: [{ quantity: 1 }, { quantity: 1.5 }] })
    await expect(wrong).rejects.toBeInstanceOf(Errors.InvalidValue)
    await expect(wrong).rejects.toBeInstanceOf(Error)
    await expect(wrong).rejects.toMatchObject({
      _tag: "InvalidValue",
      bucket: "carts",
      path: "$.lines[1].quantity"
    })
    await expect(wrong).rejects.toThrow("bucket carts, at $.lines[1].quantity")
    expect(sent()).toEqual(before)
  })

  it("so is an argument, named by its place", async () => {
    const handle = store.bucket(shelves)
    await expect(handle.visits.add("s", 0.5)).rejects.toMatchObject({ path: "$[0]" })
    const edit = handle.edit("s", (shelf) => [shelf.visits.add(Number.NaN)])
    await expect(edit).rejects.toBeInstanceOf(Errors.InvalidValue)
  })

  it("so is a key that is none", async () => {
    const handle = store.bucket(rooms)
    for (const key of [{ hotel: "x".repeat(2_000), floor: 1 }, { hotel: "\ud800", floor: 1 }]) {
      await expect(handle.put(key, 1)).rejects.toBeInstanceOf(Errors.InvalidKey)
    }
    const half = handle.get({ hotel: "x", floor: 0.5 })
    await expect(half).rejects.toBeInstanceOf(Errors.InvalidKey)
    await expect(half).rejects.toThrow("$.floor")
  })

  it("a value nested too deeply is refused, and the others of its turn are not", async () => {
    const handle = store.bucket(rooms)
    let deep: Schema.Json = 1
    for (let i = 0; i < 40; i++) deep = [deep]
    const key = { hotel: "h", floor: 1 }
    const [refused, taken] = await Promise.allSettled([
      handle.put(key, deep),
      handle.put({ ...key, floor: 2 }, [1])
    ])
    expect(refused).toMatchObject({ status: "rejected", reason: { _tag: "InvalidValue" } })
    expect(taken).toMatchObject({ status: "fulfilled" })
  })

  it("a stored value that the schema does not read is an error on reading, and stays", async () => {
    const [node] = cluster.backends
    await write(node!, "numbers", { key: "n", op: "put", args: [{ not: "a number" }], w: "all" })
    const handle = store.bucket(numbers)
    await expect(handle.get("n")).rejects.toBeInstanceOf(Errors.Undecodable)
    await expect(handle.get("n")).rejects.toMatchObject({ bucket: "numbers", path: "$" })
    await expect(handle.many(["m", "n"])).rejects.toBeInstanceOf(Errors.Undecodable)
    const json = Bucket.lww("numbers", { key: Key.text, value: Schema.Json })
    await expect(store.bucket(json).get("n")).rejects.toBeInstanceOf(Errors.BucketMismatch)
    await handle.put("n", 7)
    expect(await handle.get("n")).toBe(7)
  })

  it("a merge that fails is an error to a read, and none to a write, of two values", async () => {
    const handle = store.bucket(fragile)
    const absent = await handle.entry("f")
    await handle.replace(absent, 1)
    expect(await handle.get("f")).toBe(1)
    // The write is done, and cannot be shown.
    expect(await handle.replace(absent, 2)).toMatchObject({ _tag: "Unshown", key: "f" })
    await expect(handle.get("f")).rejects.toBeInstanceOf(Errors.Undecodable)
  })

  it("an error that the program's own function throws reaches the program as it is", async () => {
    const fault = new RangeError("of the program")
    const fail = () => {
      throw fault
    }
    await expect(store.bucket(fragile).update("u", fail)).rejects.toBe(fault)
    await expect(store.bucket(shelves).edit("u", fail)).rejects.toBe(fault)
    expect(await store.bucket(fragile).get("u")).toBeUndefined()
  })

  it("a bucket that no node knows is one, too", async () => {
    const unknown = Bucket.lww("unknown", { key: Key.text, value: Schema.Json })
    await expect(store.bucket(unknown).get("k")).rejects.toBeInstanceOf(Errors.UnknownBucket)
  })
})

it("names of fields that a handle uses itself are refused at the declaration", () => {
  for (const name of Bucket.reservedNames) {
    const type: Crdt.CrdtType<any, any> = Crdt.document({ [name]: Crdt.counter })
    expect(() => Bucket.crdt("taken", { key: Key.text, type })).toThrow(Crdt.InvalidDeclaration)
  }
  expect(buckets.map(({ name }) => name)).toHaveLength(5)
})
