// Checks that a stored value that is no JSON, as a replica without the bucket's code may have taken
// it, is an error to the one who asks for it, in every way in, and ends and spoils nothing else.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { typePrefix } from "../../schemas/Problem.ts"
import type { StoreError } from "../../src/core/model/StoreError.ts"
import { NatsBackend } from "../../src/client/NatsBackend.ts"
import type { Backend } from "../../src/client/Backend.ts"
import { type Document, empty } from "../../src/core/crdt/Document.ts"
import { childKey, type DotStore, nest } from "../../src/core/crdt/DotStore.ts"
import { encodeKey } from "../../src/core/model/KeyFields.ts"
import { rowKeyOf } from "../../src/core/ring/Partition.ts"
import type { Any } from "../../src/core/strategy/Bucket.ts"
import { explain, list, read, write } from "../cluster/asked.ts"
import { buckets, notes, profiles, scores, shelves } from "../cluster/buckets.ts"
import { clusterName, makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { call, problemIn, startServer, type TestServer } from "../http/served.ts"
import { liveRuntime } from "../tooling/runtimes.ts"

const actor = "n9.0mi8dfxmoabcdef.1"
const dot = { actor, counter: 1 }
const sibling = (value: string): DotStore => ({
  kind: "values",
  siblings: [{ ...dot, stamp: 1, value }]
})

const register = (text: string): DotStore => nest([childKey("values", "label")], sibling(text))
const element = (text: string): DotStore =>
  nest([childKey("tree", "books"), childKey("values", text)], sibling("1"))

/** States with a value that is no JSON, by bucket. */
const states: ReadonlyArray<
  readonly [name: string, bucket: Any, store: (text: string) => DotStore]
> = [
  ["the last write", profiles, (value) => ({ kind: "latest", ...dot, stamp: 1, value })],
  ["a sibling", notes, sibling],
  ["a sibling that is to be merged", scores, sibling],
  ["a register of a document", shelves, register],
  ["an element of a set", shelves, element]
]

const texts = ["", "{\"a\":", "1,2", "1],\"id\":7,\"values\":[2", "1e400", "[".repeat(100_000)]

let cluster: MemoryCluster
let server: TestServer
let remote: NatsBackend
let backends: ReadonlyArray<Backend>
beforeEach(async () => {
  cluster = await makeCluster({ nodes: 4, buckets })
  server = await startServer({ backend: cluster.backends[0]! })
  remote = new NatsBackend({
    runtime: liveRuntime,
    transport: cluster.connect(),
    cluster: clusterName
  })
  // A primary or not, and a client of any of them.
  backends = [...cluster.backends, remote]
})
afterEach(async () => {
  remote.close()
  await server.stop()
  cluster.stop()
})

/** Gives a document to all replicas as other nodes do. */
const plant = (bucket: Any, key: string, store: DotStore): void => {
  const document: Document = { ...empty, context: new Map([[actor, 1]]), store }
  const { core } = cluster.nodes[0]!
  const { partitionCount } = core.view.ring
  const row = rowKeyOf({
    bucket: bucket.name,
    key: encodeKey(bucket.definition.key, key),
    partitionCount
  })
  const { primaries } = core.view.placement(row.partition, 3)
  for (const { core: { replica }, id } of cluster.nodes) {
    if (primaries.includes(id)) replica.join({ key: row, document }, () => {})
  }
}

const errorOf = (asked: Promise<unknown>): Promise<StoreError> =>
  asked.then(
    (answer) => expect.unreachable(`it was answered: ${JSON.stringify(answer)}`),
    (error) => error
  )

describe("a stored value that is no JSON", () => {
  it.each(states)("as %s is Undecodable to explain and get", async (_, bucket, stateOf) => {
    const { name } = bucket
    for (const [index, text] of texts.entries()) {
      const key = `bad${index}`
      plant(bucket, key, stateOf(text))
      for (const backend of backends) {
        expect(await errorOf(explain(backend, name, { key }))).toMatchObject({
          _tag: "Undecodable",
          bucket: name
        })
        expect(await errorOf(read(backend, name, { key, merge: true }))).toMatchObject({
          _tag: "Undecodable",
          bucket: name
        })
      }
      for (
        const path of [`/buckets/${name}/docs?key=${key}`, `/explain?bucket=${name}&key=${key}`]
      ) {
        const problem = await problemIn(await call(server, `/v1${path}`))
        expect(problem).toMatchObject({ status: 500, type: `${typePrefix}Undecodable` })
      }
    }
  })

  it("spoils no answer of the same message, no listing, and no write of its document", async () => {
    plant(notes, "bad", sibling("1],\"id\":7,\"values\":[2"))
    await write(remote, "notes", { key: "good", op: "put", args: ["v"] })
    const [bad, good, keys] = await Promise.all([
      errorOf(read(remote, "notes", { key: "bad" })),
      read(remote, "notes", { key: "good" }),
      list(remote, "notes")
    ])
    expect(bad._tag).toBe("Undecodable")
    expect(good.values).toEqual(["v"])
    expect(new Set(keys.keys)).toEqual(new Set(["bad", "good"]))
    for (const backend of backends) {
      const written = await write(backend, "notes", { key: "bad", op: "put", args: ["w"] })
      expect(written).toMatchObject({ unshown: true, values: [], context: expect.any(String) })
    }
    const done = await call(server, "/v1/buckets/notes/docs/ops/put?key=bad", {
      method: "POST",
      body: "[\"w\"]"
    })
    expect([done.status, done.headers.get("everwrite-unshown")]).toEqual([204, "true"])
  })
})
