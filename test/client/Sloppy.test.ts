// Checks that a request may refuse that other nodes stand in for owners, in whichever way it comes.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import { encodeKey } from "../../src/core/model/KeyFields.ts"
import type { NodeId } from "../../src/core/model/Names.ts"
import { QuorumNotMet } from "../../src/core/model/StoreError.ts"
import { rowKeyOf } from "../../src/core/ring/Partition.ts"
import type { Any } from "../../src/core/strategy/Bucket.ts"
import { notes, profiles } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { call, startServer } from "../http/served.ts"
import { stubBackend } from "../http/stub.ts"
import { ways, type WayToStore } from "./ways.ts"

const change = (texts: ReadonlyArray<string> = []) => `${texts.join()}, then`

describe.each(ways)("%s", (_, open) => {
  let cluster: MemoryCluster
  let store: WayToStore
  beforeEach(async () => {
    cluster = await makeCluster({ nodes: 4, buckets: [notes, profiles], timeoutMillis: 10_000 })
    store = await open(cluster)
  })
  afterEach(() => cluster.stop())

  /** A key of a document of which the node is an owner, or is none. */
  const keyOf = ({ definition }: Any, id: NodeId, isOwner = true): string => {
    const { view } = cluster.nodes[0]!.core
    const { key, name: bucket } = definition
    const { partitionCount } = view.ring
    for (let i = 0;; i++) {
      const row = rowKeyOf({ bucket, key: encodeKey(key, `k${i}`), partitionCount })
      const owners = view.preferenceList(row.partition).slice(0, 3)
      if (owners.includes(id) === isOwner) return `k${i}`
    }
  }

  it("a stand-in takes the place of an owner that is cut off, unless that is refused", async () => {
    const handle = store.bucket(profiles)
    // One of four nodes is no owner of a document, and takes it where an owner is away.
    const { id } = cluster.nodes[3]!
    cluster.cut(id)
    const key = keyOf(profiles, id)
    const strict = { w: "all", sloppy: false, timeout: 100 } as const
    await expect(handle.put(key, { name: "y" }, strict)).rejects.toBeInstanceOf(QuorumNotMet)
    expect(await handle.put(key, { name: "x" }, { w: "all", timeout: 10_000 }))
      .toMatchObject({ replied: 3 })
  })

  it("an update that one replica is enough for is taken where all owners are cut off", async () => {
    const handle = store.bucket(notes)
    const [standIn, ...others] = cluster.nodes.map(({ id }) => id)
    const key = keyOf(notes, standIn!, false)
    await handle.update(key, () => "before", { w: "all" })
    for (const id of others) cluster.cut(id)
    const tooFew = handle.update(key, change, { timeout: 100 })
    await expect(tooFew).rejects.toBeInstanceOf(QuorumNotMet)
    const wrote = await handle.update(key, change, { consistency: "available", timeout: 1_500 })
    expect(wrote).toMatchObject({ value: [", then"] })
    cluster.heal()
    const seen = async () => [...await handle.get(key, { consistency: "strict" }) ?? []].sort()
    await expect.poll(seen, { timeout: 20_000 }).toEqual([", then", "before"])
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
