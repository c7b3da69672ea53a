// Checks that an error says which request failed, where in it, and where it was called.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Schema from "effect/Schema"
import { makeDb } from "../../src/client/Promises.ts"
import * as Errors from "../../src/core/model/StoreError.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { connect, connectHttp } from "../../src/index.ts"
import { buckets, profiles } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { ways, type WayToStore } from "./ways.ts"

const json = Bucket.lww("json", { key: Key.text, value: Schema.Json })
const lists = Bucket.crdt("lists", {
  key: Key.text,
  type: Crdt.document({ visits: Crdt.counter, label: Crdt.register(Schema.Json) })
})

const failureOf = async (promise: Promise<unknown>): Promise<any> =>
  promise.then(() => expect.fail("it succeeds"), (error: unknown) => error)

const any = (value: unknown): any => value

/** A value nested so deep that whoever recurses into it runs out of stack. */
const nested = (depth: number): Schema.Json => {
  let value: Schema.Json = 1
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value }
  return value
}

describe.each(ways)("%s, an error", (_, open) => {
  let cluster: MemoryCluster
  let store: WayToStore
  beforeAll(async () => {
    cluster = await makeCluster({ nodes: 3, buckets: [...buckets, json, lists] })
    store = await open(cluster)
  })
  afterAll(() => cluster.stop())

  it("names bucket, key and operation of the request, in its text and in its stack", async () => {
    const handle = store.bucket(profiles)
    const read = await failureOf(handle.get("ada", { r: 9 }))
    expect(read.request).toEqual({ bucket: "profiles", key: "ada", operation: "get" })
    expect(read.message).toMatch(/^r is 9, expected .* \(get of profiles "ada"\)$/u)
    expect(read.stack.split("\n")[0]).toBe(`InvalidRequest: ${read.message}`)
    const write = await failureOf(handle.put("ada", { name: "Ada" }, { w: 9 }))
    expect(write.request).toEqual({ bucket: "profiles", key: "ada", operation: "put" })
    const edit = failureOf(
      store.bucket(lists).edit("l", (list) => [list.visits.add(1), list.visits.add(1)], { w: 9 })
    )
    expect((await edit).request.operation).toBe("edit of 2 operations")
  })

  it("is each request's own, where one event ends several", async () => {
    const handle = store.bucket(profiles)
    const many = await Promise.all(
      ["a", "b", "c"].map((key) => failureOf(handle.get(key, { r: 9 })))
    )
    expect(many.map(({ request }) => request.key)).toEqual(["a", "b", "c"])
  })

  it("has the path to the fault, however deep, and never a fault of the engine", async () => {
    const handle = store.bucket(json)
    const path = { deep: { list: [0, 1, { x: Number.NaN }] } }
    expect(await failureOf(handle.put("k", path))).toMatchObject({ path: "$.deep.list[2].x" })
    for (const depth of [40, 5_000, 100_000]) {
      const error = await failureOf(handle.put("k", nested(depth)))
      expect(error).toBeInstanceOf(Errors.InvalidValue)
      expect(error.message.length).toBeLessThan(1_000)
    }
    const key: any = nested(5_000)
    expect(await failureOf(handle.put(key, 1))).toBeInstanceOf(Errors.InvalidKey)
    expect(await failureOf(store.bucket(lists).label.set("l", nested(5_000))))
      .toMatchObject({ _tag: "InvalidValue", operation: "label.set" })
  })

  it("names the operation of an edit that is at fault, by the builder or by hand", async () => {
    const handle = store.bucket(lists)
    const built = handle.edit("l", (list) => [list.visits.add(1), list.visits.add(0.5)])
    expect(await failureOf(built))
      .toMatchObject({ _tag: "InvalidValue", operation: "visits.add", index: 1, path: "$[0]" })
    const label = { name: "label.set", args: [1] }
    const byHand = handle.edit("l", () => [label, label, { name: "label.set", args: [Infinity] }])
    expect(await failureOf(byHand)).toMatchObject({ operation: "label.set", index: 2 })
    const atNode = handle.edit("l", () => [label, { name: "visits.add", args: ["x"] }])
    expect(await failureOf(atNode)).toMatchObject({ operation: "visits.add", index: 1 })
    const unknown = handle.edit("l", () => [label, { name: "burn", args: [] }])
    expect(await failureOf(unknown)).toMatchObject({ _tag: "UnknownOperation", index: 1 })
  })

  it("of another declaration says what differs", async () => {
    const other = Bucket.siblings("profiles", { key: Key.text, value: Schema.String })
    expect(await failureOf(store.bucket(other).get("k"))).toMatchObject({
      _tag: "BucketMismatch",
      differs: [
        "its strategy is {\"family\":\"siblings\"} here and {\"family\":\"lww\"} there",
        "the schema of its values is another one here"
      ]
    })
  })
})

describe("with call sites an error", () => {
  it("has the stack of the call", async () => {
    const cluster = await makeCluster({ nodes: 1, buckets })
    const [backend] = cluster.backends
    const db = makeDb({ profiles }, backend!, async () => undefined, { callSites: true })
    const applicationCode = () => db.profiles.get("ada", { r: 9 })
    const { message, stack } = await failureOf(applicationCode())
    expect(stack.split("\n").slice(0, 2)).toEqual([
      `InvalidRequest: ${message}`,
      expect.stringContaining("applicationCode")
    ])
    cluster.stop()
  })
})

describe("a program without types gets a typed error for", () => {
  it.each([
    ["no options", () => connect({ profiles }, any(undefined)), "servers is missing"],
    ["empty options", () => connect({ profiles }, any({})), "servers is missing"],
    [
      "servers of numbers",
      () => connect({ profiles }, any({ servers: [1] })),
      "servers is a list of number"
    ],
    ["no server of several", () => connect({ profiles }, { servers: [] }), "servers is empty"],
    ["a server without a name", () => connect({ profiles }, { servers: " " }), "servers is empty"],
    ["no buckets", () => connect(any(undefined), { servers: "x" }), "buckets is missing"],
    ["an object without buckets", () => connect({}, { servers: "x" }), "buckets is empty"],
    [
      "an address in place of buckets",
      () => connect(any("nats://x"), any({})),
      "buckets is string"
    ],
    [
      "a list of buckets",
      () => connect(any([profiles]), { servers: "x" }),
      "buckets is a list of object"
    ],
    ["no buckets over HTTP", async () => connectHttp({}, { url: "http://x" }), "buckets is empty"],
    [
      "a bucket that is none",
      () => connect(any({ profiles: {} }), { servers: "x" }),
      "bucket profiles is empty"
    ],
    ["no address", async () => connectHttp({ profiles }, any({})), "url is missing"],
    ["an empty address", async () => connectHttp({ profiles }, { url: "" }), "url is empty"]
  ])("%s", async (_, open, message) => {
    const error = await failureOf(open())
    expect(error).toBeInstanceOf(Errors.InvalidRequest)
    expect(error.message).toContain(message)
  })
})
