/**
 * Lends tests a cluster in this process: whole nodes on a transport and disks in memory, with
 * clients on each, and nodes that can be cut off from the others alone.
 */
import { createSecretKey } from "node:crypto"
import type { RequestObserver } from "../../src/coordinator/RequestObserver.ts"
import { lan, type NodeLimits } from "../../src/core/model/Limits.ts"
import type { Backend } from "../../src/client/Backend.ts"
import * as EmbeddedBackend from "../../src/client/EmbeddedBackend.ts"
import { tokenKey } from "../../src/core/clock/CausalContext.ts"
import { isIncarnation } from "../../src/core/model/Incarnation.ts"
import type { BucketDefinition } from "../../src/core/model/BucketDefinition.ts"
import { ClusterName, NodeId } from "../../src/core/model/Names.ts"
import type { Member } from "../../src/core/ring/Membership.ts"
import * as MembershipLog from "../../src/core/ring/MembershipLog.ts"
import { defaultReplicaCount } from "../../src/core/ring/Ring.ts"
import * as RingState from "../../src/core/ring/RingState.ts"
import type { Any } from "../../src/core/strategy/Bucket.ts"
import * as Buckets from "../../src/core/strategy/Buckets.ts"
import type { Runtime } from "../../src/core/Runtime.ts"
import type { OnFailure } from "../../src/node/Guard.ts"
import { beginIncarnation, NodeCore } from "../../src/node/NodeCore.ts"
import { type DirectStorage, MemoryDisk, openDirect } from "../../src/storage/DirectStorage.ts"
import { makeMemoryBroker } from "../../src/transport/MemoryTransport.ts"
import type { TransportService } from "../../src/transport/Transport.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { until } from "../tooling/until.ts"

export type Served = Iterable<Any | BucketDefinition>

export interface MemoryClusterOptions {
  /** How many, named n1, n2, ... */
  readonly nodes: number
  /** Their ring, where it is not the one that they form together. */
  readonly ring?: RingState.RingState
  /** Those that start at once; the others are members, and start by `restart`. All unless given. */
  readonly started?: ReadonlyArray<NodeId>
  /** Those that form without the members that do not answer. */
  readonly forced?: ReadonlyArray<NodeId>
  /** Whether a node that starts now counts what no owner has any more as lost. */
  readonly acceptsLoss?: (node: NodeId) => boolean
  /** The buckets of every node, or those of each one. */
  readonly buckets: Served | ((node: NodeId) => Served)
  readonly runtime?: Runtime
  /** The runtime of one node, where its clock is to differ. */
  readonly runtimeOf?: (node: NodeId) => Runtime
  readonly partitionCount?: number
  /** Of reads and writes, unless a request says otherwise. */
  readonly timeoutMillis?: number
  /** By default nothing is cached, so that what is on the disks is what is read. */
  readonly limits?: Partial<NodeLimits>
  readonly maxPayload?: number
  /** Told of exceptions; unless given, they are thrown. */
  readonly onFailure?: OnFailure
  /** Follows the requests of all nodes. */
  readonly observer?: RequestObserver
  /** Stands between a node and the broker, to lose, repeat or watch what it publishes. */
  readonly wire?: (node: NodeId, transport: TransportService) => TransportService
}

export interface MemoryNode {
  readonly id: NodeId
  readonly core: NodeCore
  readonly disk: MemoryDisk
  readonly transport: TransportService
}

export interface MemoryCluster {
  readonly nodes: ReadonlyArray<MemoryNode>
  /** A client in the process of each node, in the order of `nodes`. */
  readonly backends: ReadonlyArray<Backend>
  /** Another connection to the broker, for a client that is no node. */
  readonly connect: () => TransportService
  /** Breaks and mends such a connection. */
  readonly disconnect: (transport: TransportService) => void
  readonly reconnect: (transport: TransportService) => void
  /** Cuts a node off from the others; its own client still reaches it. */
  readonly cut: (node: NodeId) => void
  readonly heal: () => void
  /** Ends a node at once, as a crash does: its disk keeps what was committed. */
  readonly crash: (node: NodeId) => void
  /**
   * Starts a crashed node again, on its disk or another one; it takes its place in `nodes` and
   * `backends`.
   */
  readonly restart: (node: NodeId, disk?: MemoryDisk) => Promise<void>
  readonly stop: () => void
}

export const clusterName = ClusterName.make("test")

const member = (number: number): Member => ({ id: NodeId.make(`n${number}`), weight: 1 })

const ringOf = (nodes: number, partitionCount: number): RingState.RingState =>
  RingState.make({
    partitionCount,
    replicaCount: defaultReplicaCount,
    log: MembershipLog.form(Array.from({ length: nodes }, (_, index) => member(index + 1)))
  })

interface StartOptions
  extends Required<Pick<MemoryClusterOptions, "runtime" | "partitionCount" | "limits" | "wire">>
{
  readonly id: NodeId
  readonly ring: RingState.RingState
  readonly buckets: Buckets.Buckets
  readonly transport: TransportService
  readonly disk: MemoryDisk
  readonly isForced: boolean
  readonly isLossAccepted: boolean
  readonly onFailure: OnFailure | undefined
  readonly observer: RequestObserver | undefined
}

interface Started {
  readonly node: MemoryNode
  readonly storage: DirectStorage
}

const start = (options: StartOptions): Promise<Started> =>
  new Promise((resolve, reject) => {
    const { buckets, disk, id, isForced, isLossAccepted, limits, partitionCount, ring } = options
    const { observer, onFailure, runtime, transport, wire } = options
    const identity = { node: id, cluster: clusterName, partitionCount }
    // Unless a test says otherwise the tables have all rows, which it may copy or damage.
    const { logBytesMax = 0 } = limits
    const storage = openDirect({ directory: disk, identity, runtime, limits: { logBytesMax } })
    beginIncarnation({ storage: storage.service, runtime }, (begun) => {
      if (!isIncarnation(begun)) return reject(new Error(begun.detail))
      const core = new NodeCore({
        runtime,
        transport: wire(id, transport),
        storage: storage.service,
        node: id,
        cluster: clusterName,
        ring,
        isForced,
        isLossAccepted,
        ...onFailure === undefined ? {} : { onFailure },
        observer,
        buckets,
        keys: { current: tokenKey(createSecretKey(Buffer.from("of the test cluster"))) },
        limits: {
          ...lan.node,
          skewMillis: 10_000,
          readTimeoutMillis: 1000,
          writeTimeoutMillis: 1000,
          requestsMax: 1000,
          cacheBytesMax: 0,
          // Tests that mean it set an interval: in the others nothing repairs but reads.
          exchangeMillis: 0,
          ...limits
        }
      }, begun)
      resolve({ node: { id, core, disk, transport }, storage })
    })
  })

const clientOf = ({ core }: MemoryNode): Backend => {
  const { coordinator, options: { buckets, runtime }, questions, view } = core
  const cluster = clusterName
  return EmbeddedBackend.make({ runtime, coordinator, view, buckets, cluster, questions })
}

/** Whether a node knows its store to be complete, as all do a moment after the last has started. */
const isComplete = ({ core }: MemoryNode): boolean =>
  core.formation.status().completeness === "complete"

const operatorsWords = ({ acceptsLoss, forced }: MemoryClusterOptions, id: NodeId) => ({
  isForced: forced?.includes(id) ?? false,
  isLossAccepted: acceptsLoss?.(id) ?? false
})

/** Starts the nodes. With a stepped runtime, run it until the promise is kept. */
export const makeCluster = async (options: MemoryClusterOptions): Promise<MemoryCluster> => {
  const { nodes: count, partitionCount = 16, timeoutMillis = 1000, runtime = liveRuntime } = options
  const { maxPayload, wire = (_, transport) => transport, runtimeOf = () => runtime } = options
  const broker = makeMemoryBroker(runtime, maxPayload === undefined ? {} : { maxPayload })
  const { ring = ringOf(count, partitionCount) } = options
  const limits = {
    readTimeoutMillis: timeoutMillis,
    writeTimeoutMillis: timeoutMillis,
    ...options.limits
  }
  const startOn = (id: NodeId, disk: MemoryDisk) => {
    const served = typeof options.buckets === "function" ? options.buckets(id) : options.buckets
    const buckets = Buckets.make(served)
    const transport = broker.connect()
    const { observer, onFailure } = options
    const words = operatorsWords(options, id)
    const own = { ...words, runtime: runtimeOf(id), transport, disk, observer, onFailure }
    return start({ ...own, id, ring, buckets, wire, partitionCount, limits })
  }
  const isStarted = (id: NodeId) => options.started?.includes(id) ?? true
  const started = await Promise.all(
    ring.ring.members.filter(({ id }) => isStarted(id)).map(({ id }) =>
      startOn(id, new MemoryDisk())
    )
  )
  const nodes = started.map(({ node }) => node)
  // With a stepped runtime the test ends the turns in which the cluster forms.
  const forms = runtime === liveRuntime && nodes.length === ring.ring.members.length
  if (forms) await until("the cluster has formed", () => nodes.every(isComplete))
  const backends = nodes.map(clientOf)
  const indexOf = (id: NodeId) => nodes.findIndex((node) => node.id === id)
  return {
    nodes,
    backends,
    connect: broker.connect,
    disconnect: broker.disconnect,
    reconnect: broker.reconnect,
    cut: (id) => broker.disconnect(nodes[indexOf(id)]!.transport),
    heal: () => nodes.forEach(({ transport }) => broker.reconnect(transport)),
    crash: (id) => {
      const { node, storage } = started[indexOf(id)]!
      broker.disconnect(node.transport)
      node.core.close()
      storage.abandon()
    },
    restart: async (id, disk) => {
      const index = indexOf(id) === -1 ? nodes.length : indexOf(id)
      started[index] = await startOn(id, disk ?? nodes[index]?.disk ?? new MemoryDisk())
      nodes[index] = started[index].node
      backends[index] = clientOf(nodes[index])
    },
    stop: () => {
      for (const { node, storage } of started) {
        node.core.close()
        storage.close()
        node.disk.database.close()
      }
    }
  }
}
