/**
 * Lends tests a cluster in this process that stands on what users have: NATS between its nodes, and
 * a folder for each one's data.
 */
import { createSecretKey } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { lan } from "../../src/core/model/Limits.ts"
import { tokenKey } from "../../src/core/clock/CausalContext.ts"
import { type Incarnation, isIncarnation } from "../../src/core/model/Incarnation.ts"
import { ClusterName, NodeId } from "../../src/core/model/Names.ts"
import * as MembershipLog from "../../src/core/ring/MembershipLog.ts"
import * as RingState from "../../src/core/ring/RingState.ts"
import * as Buckets from "../../src/core/strategy/Buckets.ts"
import { beginIncarnation, NodeCore } from "../../src/node/NodeCore.ts"
import { openDirect } from "../../src/storage/DirectStorage.ts"
import type { StorageService } from "../../src/storage/Storage.ts"
import { openWorker } from "../../src/storage/WorkerStorage.ts"
import type { NatsOptions } from "../../src/transport/NatsOptions.ts"
import { connectNats, type Warn } from "../../src/transport/NatsTransport.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import type { Served } from "./memoryCluster.ts"

export interface NatsClusterOptions {
  readonly servers: string
  readonly buckets: Served
  /** On a thread of its own, or on the nodes' one. */
  readonly storage: "worker" | "direct"
  /** Further options of each node's connection, as its user and password. */
  readonly warn?: Warn
  readonly connection?: (node: NodeId) => Partial<NatsOptions>
}

export interface NatsCluster {
  readonly nodes: ReadonlyArray<NodeCore>
  readonly stop: () => Promise<void>
}

export const natsClusterName = ClusterName.make("test")

const partitionCount = 64
const ids = ["n1", "n2", "n3"].map((id) => NodeId.make(id))

interface Opened {
  readonly service: StorageService
  readonly close: () => Promise<void>
}

const openStorage = async (
  kind: NatsClusterOptions["storage"],
  options: Parameters<typeof openWorker>[0]
): Promise<Opened> => {
  if (kind === "direct") {
    const { close, service } = openDirect(options)
    return { service, close: async () => close() }
  }
  const { close, service } = await Effect.runPromise(openWorker(options))
  return { service, close: () => Effect.runPromise(close) }
}

const begin = (storage: StorageService): Promise<Incarnation> =>
  new Promise((resolve, reject) =>
    beginIncarnation({ storage, runtime: liveRuntime }, (begun) => {
      if (isIncarnation(begun)) resolve(begun)
      else reject(new Error(begun.detail))
    })
  )

/** Starts three nodes; those that listen are known to the broker. */
export const startNatsCluster = async (options: NatsClusterOptions): Promise<NatsCluster> => {
  const folder = mkdtempSync(join(tmpdir(), "everwrite-cluster-"))
  const log = MembershipLog.form(ids.map((id) => ({ id, weight: 1 })))
  const ring = RingState.make({ partitionCount, replicaCount: 3, log })
  const started = await Promise.all(ids.map(async (node) => {
    const identity = { node, cluster: natsClusterName, partitionCount }
    const directory = join(folder, node)
    const storage = await openStorage(options.storage, {
      directory,
      identity,
      runtime: liveRuntime
    })
    const { servers } = options
    const transport = await connectNats(
      { servers, name: `everwrite/${node}`, ...options.connection?.(node) },
      options.warn ?? (() => undefined)
    )
    const core = new NodeCore({
      runtime: liveRuntime,
      transport,
      storage: storage.service,
      node,
      cluster: natsClusterName,
      ring,
      buckets: Buckets.make(options.buckets),
      keys: { current: tokenKey(createSecretKey(Buffer.from("of the test cluster"))) },
      limits: {
        ...lan.node,
        skewMillis: 10_000,
        cacheBytesMax: 1024 * 1024
      }
    }, await begin(storage.service))
    await new Promise((resolve) => transport.flush(resolve))
    return { core, storage, transport }
  }))
  return {
    nodes: started.map(({ core }) => core),
    stop: async () => {
      for (const { core, storage, transport } of started) {
        core.close()
        await transport.close()
        await storage.close()
      }
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
