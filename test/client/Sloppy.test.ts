// Checks that a request may refuse that other nodes stand in for owners, in whichever way it comes.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import { encodeKey } from "../../src/core/model/KeyFields.ts"
import type { NodeId } from "../../src/core/model/Names.ts"
import { QuorumNotMet } from "../../src/core/model/StoreError.ts"
import { rowKeyOf } from "../../src/core/ring/Partition.ts"
import { profiles } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { call, startServer } from "../http/served.ts"
import { stubBackend } from "../http/stub.ts"
import { ways, type WayToStore } from "./ways.ts"

describe.each(ways)("%s", (_, open) => {
  let cluster: MemoryCluster
  let store: WayToStore
  beforeEach(async () => {
    cluster = await makeCluster({ nodes: 4, buckets: [profiles], timeoutMillis: 10_000 })
    store = await open(cluster)
  })
  afterEach(() => cluster.stop())

  /** A key of a document of which the node is an owner. */
  const ownedBy = (id: NodeId): string => {
    const { view } = cluster.nodes[0]!.core
    const { definition: { key, name: bucket } } = profiles
    const { partitionCount } = view.ring
    for (let i = 0;; i++) {
      const row = rowKeyOf({ bucket, key: encodeKey(key, `k${i}`), partitionCount })
      if (view.preferenceList(row.partition).slice(0, 3).includes(id)) return `k${i}`
    }
  }

  it("a stand-in takes the place of an owner that is cut off, unless that is refused", async () => {
    const handle = store.bucket(profiles)
    // One of four nodes is no owner of a document, and takes it where an owner is away.
    const { id } = cluster.nodes[3]!
    cluster.cut(id)
    const key = ownedBy(id)
    const strict = { w: "all", sloppy: false, timeout: 100 } as const
    await expect(handle.put(key, { name: "y" }, strict)).rejects.toBeInstanceOf(QuorumNotMet)
    expect(await handle.put(key, { name: "x" }, { w: "all", timeout: 10_000 }))
      .toMatchObject({ replied: 3 })
  })
})

it("a request over HTTP says whether others may stand in", async () => {
  const asked: Array<RequestBody> = []
  const { request } = stubBackend({})
  const backend = stubBackend({
    request: (sent, respond) => {
      asked.push(sent.body)
      return request(sent, respond)
    }
  })
  const server = await startServer({ backend })
  const docs = "/v1/buckets/profiles/docs"
  const query = { key: "k", sloppy: "false" }
  await call(server, docs, { method: "PUT", json: { name: "x" }, query })
  await call(server, docs, { method: "GET", query })
  await call(server, docs, { method: "GET", query: { key: "k" } })
  await server.stop()
  expect(asked.map(({ sloppy }) => sloppy)).toEqual([false, false, undefined])
})
