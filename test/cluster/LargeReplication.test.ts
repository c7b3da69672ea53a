// Checks over a broker that documents far beyond every client's limit reach all replicas: several
// times what a connection to the broker may have under way.
import { afterEach, expect, it } from "vitest"
import * as Document from "../../src/core/crdt/Document.ts"
import { encodeKey } from "../../src/core/model/KeyFields.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { BucketName } from "../../src/core/model/Names.ts"
import { rowKeyOf } from "../../src/core/ring/Partition.ts"
import * as EmbeddedBackend from "../../src/client/EmbeddedBackend.ts"
import type { NodeCore } from "../../src/node/NodeCore.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { type RestartableBroker, startEmbedded } from "../tooling/natsServer.ts"
import { until } from "../tooling/until.ts"
import { buckets, notes } from "./buckets.ts"
import { type NatsCluster, natsClusterName, startNatsCluster } from "./natsCluster.ts"

const mebibyte = 2 ** 20
let broker: RestartableBroker
let cluster: NatsCluster | undefined

afterEach(async () => {
  await cluster?.stop()
  cluster = undefined
  await broker.stop()
})

const documentOf = (mebibytes: number): Document.Document => {
  const actor = "n1.000000000000001.1"
  const siblings = Array.from({ length: mebibytes }, (_, i) => ({
    actor,
    counter: i + 1,
    stamp: 0,
    value: JSON.stringify(String(i).padStart(mebibyte, "x"))
  }))
  return {
    ...Document.empty,
    context: new Map([[actor, mebibytes]]),
    store: { kind: "values", siblings }
  }
}

const read = (core: NodeCore) =>
  new Promise<unknown>((resolve) => {
    const { coordinator, options: { buckets }, view } = core
    EmbeddedBackend.make({
      runtime: liveRuntime,
      coordinator,
      view,
      buckets,
      cluster: natsClusterName
    }).request({
      action: "read",
      bucket: BucketName.make("notes"),
      body: { key: "k", r: 3, timeoutMillis: 10_000 }
    }, resolve)
  })

it.each([12, 24])("a document of %i MiB comes from one node to the others by a read", {
  timeout: 60_000
}, async (mebibytes) => {
  broker = await startEmbedded()
  cluster = await startNatsCluster({ servers: broker.url, buckets, storage: "direct" })
  const { nodes } = cluster
  const partitionCount = nodes[0]!.view.ring.partitionCount
  const row = rowKeyOf({
    bucket: "notes",
    key: encodeKey(notes.definition.key, "k"),
    partitionCount
  })
  const joined = new Promise((resolve) =>
    nodes[0]!.replica.join({ key: row, document: documentOf(mebibytes) }, resolve)
  )
  expect(await joined).toBe(undefined)
  const sizes = () =>
    nodes.map(({ replica }) => {
      const local = replica.read(row)
      return local._tag === "Found" && local.document.store?.kind === "values"
        ? local.document.store.siblings.length
        : 0
    })
  await read(nodes[0]!)
  await until("all replicas have it", () => sizes().every((size) => size === mebibytes), {
    withinMillis: 30_000
  })
  const { waitingBytesMax } = lan.nats
  expect(mebibytes * mebibyte).toBeGreaterThan(waitingBytesMax)
  expect(nodes.map(({ options }) => options.transport.stats().droppedMessages)).toEqual([0, 0, 0])
})
