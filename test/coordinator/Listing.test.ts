// Checks that a bucket's keys are listed completely, once, in order, and page by page.
import { afterEach, describe, expect, it } from "vitest"
import * as fc from "fast-check"
import * as Schema from "effect/Schema"
import { KeyPage } from "../../schemas/KeyPage.ts"
import { HttpBackend } from "../../src/client/HttpBackend.ts"
import { NatsBackend } from "../../src/client/NatsBackend.ts"
import { decodeCursor, encodeCursor } from "../../src/coordinator/Listing.ts"
import { encodeFields } from "../../src/core/model/DocumentKey.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { startServer } from "../http/served.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { list, listAll, write } from "../cluster/asked.ts"
import { buckets, notes } from "../cluster/buckets.ts"
import { clusterName, makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"

let cluster: MemoryCluster | undefined
afterEach(() => {
  cluster?.stop()
  cluster = undefined
})

const start = async (options: Partial<Parameters<typeof makeCluster>[0]> = {}) => {
  cluster = await makeCluster({ nodes: 5, buckets, timeoutMillis: 10_000, ...options })
  return cluster
}

const n3 = NodeId.make("n3")

const fill = async ({ backends }: MemoryCluster, keys: ReadonlyArray<string>): Promise<void> => {
  await Promise.all(
    keys.map((key, i) =>
      write(backends[i % backends.length]!, "notes", { key, op: "put", args: ["v"], w: "all" })
    )
  )
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `key-${i}`)

describe("a listing", () => {
  it("names every key once, at every size of its pages, from every node", async () => {
    const { backends } = await start()
    const keys = numbered(60)
    await fill(cluster!, keys)
    const orders = await Promise.all(
      [1, 7, 60, 1000].flatMap((limit) => [0, 4].map((i) => listAll(backends[i]!, "notes", limit)))
    )
    for (const order of orders) expect(order).toEqual(orders[0])
    expect(new Set(orders[0])).toEqual(new Set(keys))
    expect(orders[0]).toHaveLength(keys.length)
  })

  it("names documents of any size, is complete, and finds no damage", async () => {
    const { backends, nodes } = await start()
    const sizes = [1, 4_000, 4_096, 4_200, 50_000]
    await Promise.all(
      sizes.map((size) =>
        write(backends[0]!, "notes", {
          key: `${size}`,
          op: "put",
          args: ["x".repeat(size)],
          w: "all"
        })
      )
    )
    const page = await list(backends[1]!, "notes", {})
    expect(new Set(page.keys)).toEqual(new Set(sizes.map(String)))
    expect(page).toMatchObject({ unreachable: [], refused: [] })
    expect(page.partial).toBeUndefined()
    expect(nodes.map(({ core }) => core.replica.stats().damaged)).toEqual([0, 0, 0, 0, 0])
  })

  it("keeps documents of one partition key together, in the order of their sort keys", async () => {
    const { backends } = await start()
    const floors = [10, -3, 2, 0]
    for (const hotel of ["Ada", "Babbage"]) {
      for (const floor of floors) {
        const key = { hotel, floor, name: "a" }
        await write(backends[0]!, "rooms", { key, op: "put", args: [{ beds: 1 }] })
      }
    }
    const keys = await listAll(backends[0]!, "rooms", 3)
    const ordered = floors.toSorted((a, b) => a - b)
    const keysOf = (hotel: string) => ordered.map((floor) => ({ hotel, floor, name: "a" }))
    expect([
      [...keysOf("Ada"), ...keysOf("Babbage")],
      [...keysOf("Babbage"), ...keysOf("Ada")]
    ]).toContainEqual(keys)
  })

  it("leaves out other buckets and deleted documents", async () => {
    const { backends } = await start()
    await fill(cluster!, numbered(20))
    await write(backends[0]!, "profiles", { key: "ada", op: "put", args: [{ name: "Ada" }] })
    for (const key of numbered(10)) {
      await write(backends[0]!, "notes", { key, op: "delete", w: "all" })
    }
    const keys = await listAll(backends[1]!, "notes", 4)
    expect(new Set(keys)).toEqual(new Set(numbered(20).slice(10)))
    expect(await listAll(backends[1]!, "profiles", 4)).toEqual(["ada"])
    expect(await listAll(backends[1]!, "scores", 4)).toEqual([])
  })

  it("names unreachable nodes, and lists the keys that the others hold", async () => {
    const { backends, cut } = await start()
    await fill(cluster!, numbered(30))
    cut(n3)
    const page = await list(backends[0]!, "notes", { limit: 100, timeoutMillis: 50 })
    expect(page.unreachable).toEqual(["n3"])
    expect(page.keys).toHaveLength(30)
    expect(page.next).toBeUndefined()
    expect(Schema.is(KeyPage)(page)).toBe(true)
  })

  it("that would lack partitions is an error, unless that is welcome", async () => {
    const { backends, connect, cut } = await start()
    const server = await startServer({ backend: backends[0]! })
    await fill(cluster!, numbered(120))
    for (const node of ["n3", "n4", "n5"]) cut(NodeId.make(node))
    const remote = new NatsBackend({
      runtime: liveRuntime,
      transport: connect(),
      cluster: clusterName
    })
    const overHttp = new HttpBackend({ runtime: liveRuntime, url: server.url })
    for (const backend of [backends[0]!, remote, overHttp]) {
      const body = { limit: 1000, timeoutMillis: 500 }
      await expect(list(backend, "notes", body)).rejects.toMatchObject({
        _tag: "ListingIncomplete",
        bucket: "notes",
        partitions: 16,
        unreachable: ["n3", "n4", "n5"],
        message: expect.stringMatching(
          /would lack \d+ of 16 partitions; no answer from n3, n4, n5/u
        )
      })
      const page = await list(backend, "notes", { ...body, partial: true })
      expect(page).toMatchObject({ partial: true, unreachable: ["n3", "n4", "n5"] })
      expect(page.keys.length).toBeLessThan(120)
    }
    remote.close()
    await server.stop()
  })

  it("names nodes that declare the bucket otherwise, or whose disk fails", async () => {
    const otherNotes = { ...notes.definition, schema: "0000000000000000" }
    const { backends, nodes } = await start({
      nodes: 3,
      buckets: (node) => (node === n3 ? [otherNotes] : buckets)
    })
    await write(backends[0]!, "notes", { key: "k", op: "put", args: ["v"], w: 2 })
    const page = await list(backends[0]!, "notes")
    expect(page).toMatchObject({ keys: ["k"], refused: [{ node: "n3" }], unreachable: [] })
    expect(page.partial).toBeUndefined()
    nodes[1]!.disk.database.exec("DROP TABLE documents")
    const { partial, refused } = await list(backends[0]!, "notes", { partial: true })
    expect(refused.map(({ node }) => node)).toEqual(["n2", "n3"])
    expect(partial).toBe(true)
    await expect(list(backends[0]!, "notes")).rejects.toMatchObject({
      _tag: "ListingIncomplete",
      reached: 0,
      partitions: 16,
      refused: [{ node: "n2" }, { node: "n3" }]
    })
    nodes[0]!.disk.database.exec("DROP TABLE documents")
    await expect(list(backends[0]!, "notes", { partial: true }))
      .rejects.toMatchObject({ _tag: "ListingIncomplete", reached: 0 })
  })

  it("is refused for a bucket that is not there and a cursor that is none", async () => {
    const { backends } = await start({ nodes: 1 })
    const fault = (body: Parameters<typeof list>[2], bucket = "notes") =>
      expect(list(backends[0]!, bucket, body)).rejects
    await fault({}, "nothing").toMatchObject({ _tag: "UnknownBucket" })
    for (const after of ["", "!", "AAAA", "x".repeat(10_000)]) {
      await fault({ after }).toMatchObject({ _tag: "InvalidRequest", setting: "after" })
    }
  })

  it("reaches a client over NATS as it does one in the node's process", async () => {
    const { backends, connect } = await start({ nodes: 3 })
    await fill(cluster!, numbered(20))
    const remote = new NatsBackend({
      runtime: liveRuntime,
      transport: connect(),
      cluster: clusterName
    })
    expect(await listAll(remote, "notes", 7)).toEqual(await listAll(backends[0]!, "notes", 7))
    await expect(list(remote, "notes", { after: "!" })).rejects.toMatchObject({ setting: "after" })
    remote.close()
  })

  it("from behind the end is the empty last page", async () => {
    const { backends } = await start({ nodes: 1 })
    const after = encodeCursor({ partition: 2 ** 40, key: { partition: "", sort: "" } })
    expect(await list(backends[0]!, "notes", { after }))
      .toEqual({ keys: [], unreachable: [], refused: [] })
  })
})

describe("a cursor", () => {
  const text = fc.string({ unit: "binary" }).filter((s) => s.isWellFormed()).map((s) =>
    encodeFields([s])
  )

  it("gives back the key it was made for", () => {
    fc.assert(fc.property(
      fc.nat(),
      text,
      fc.oneof(text, fc.constant("")),
      (partition, partitionKey, sort) => {
        const cursorKey = { partition, key: { partition: partitionKey, sort } }
        expect(decodeCursor(encodeCursor(cursorKey))).toEqual(cursorKey)
      }
    ))
  })

  it("of any other text is a key or nothing, and never an error", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (cursor) => {
      const key = decodeCursor(cursor)
      expect(key === undefined || key.partition >= 0).toBe(true)
    }))
  })
})
