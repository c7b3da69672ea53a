/**
 * Lends tests a cluster whose time passes, and whose frames are lost, when the test says so: every
 * request is answered within the call, or counted as open.
 */
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import type { BackendAnswer } from "../../src/client/Backend.ts"
import * as Document from "../../src/core/crdt/Document.ts"
import { encodeKey } from "../../src/core/model/KeyFields.ts"
import { BucketName, NodeId } from "../../src/core/model/Names.ts"
import type { StoreError } from "../../src/core/model/StoreError.ts"
import type { Any } from "../../src/core/strategy/Bucket.ts"
import { rowKeyOf } from "../../src/core/ring/Partition.ts"
import type { RowKey } from "../../src/storage/Storage.ts"
import type { MemoryDisk } from "../../src/storage/DirectStorage.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"
import { makeCluster, type MemoryCluster, type MemoryClusterOptions } from "./memoryCluster.ts"

/** The outcome of one request. */
export class Asked {
  readonly outcomes: Array<BackendAnswer | StoreError> = []

  get isOpen(): boolean {
    return this.outcomes.length === 0
  }

  get #outcome(): BackendAnswer | StoreError {
    const [outcome] = this.outcomes
    if (outcome === undefined || this.outcomes.length > 1) {
      throw new Error(`answered ${this.outcomes.length} times`)
    }
    return outcome
  }

  /** Fails the test with the error where there is one. */
  get answer(): BackendAnswer {
    const outcome = this.#outcome
    if (outcome instanceof Error) throw outcome
    return outcome
  }

  /** Values that are texts, sorted. */
  get texts(): ReadonlyArray<string> {
    return this.answer.values.map(String).toSorted()
  }

  get error(): StoreError {
    const outcome = this.#outcome
    if (outcome instanceof Error) return outcome
    throw new Error(`answered with ${JSON.stringify(outcome.values)}`)
  }
}

export type WriteBody = Omit<RequestBody, "calls"> & { readonly op: string }

/** Limits under which nodes say nothing of themselves for a minute, unless they are asked. */
export const idle = {
  greetMillis: 60_000,
  pingMillis: 60_000,
  ackMillis: 60_000,
  gossipMillis: 600_000
}

export const node = (number: number): NodeId => NodeId.make(`n${number}`)

/** A frame on its way; its bytes are for the time of the call. */
export interface StoppableFrame {
  readonly from: NodeId
  readonly to: NodeId
  readonly subject: string
  readonly data: Uint8Array
}

export class SteppedCluster {
  readonly runtime: SteppedRuntime
  readonly nodes: MemoryCluster["nodes"]
  readonly cluster: MemoryCluster
  /** Whether a frame is lost on the way. */
  loses: (frame: StoppableFrame) => boolean = () => false

  /** How far the clocks of nodes are off, by their numbers from 1. */
  readonly clockOffsets = new Map<number, number>()

  private constructor(runtime: SteppedRuntime, cluster: MemoryCluster) {
    this.runtime = runtime
    this.cluster = cluster
    this.nodes = cluster.nodes
  }

  static async start(options: Omit<MemoryClusterOptions, "runtime" | "wire">) {
    const runtime = new SteppedRuntime()
    let stepped: SteppedCluster | undefined
    const making = makeCluster({
      ...options,
      runtime,
      runtimeOf: (id) =>
        runtime.seenWith(() => stepped?.clockOffsets.get(Number(id.slice(1))) ?? 0),
      wire: (from, transport) => ({
        ...transport,
        publish: (subject, data, ...others) => {
          const to = /\.peer\.([^.]+)\.from\./u.exec(subject)?.[1]
          const isLost = to !== undefined
            && stepped?.loses({ from, to: NodeId.make(to), subject, data })
          if (isLost !== true) transport.publish(subject, data, ...others)
        }
      })
    })
    runtime.runReady()
    stepped = new SteppedCluster(runtime, await making)
    runtime.runReady()
    return stepped
  }

  /** Asks the node with the given number, from 1, and lets everything happen that needs no time. */
  read(at: number, bucket: Pick<Any, "name">, body: RequestBody): Asked {
    return this.#ask(at, bucket, "read", body)
  }

  write(at: number, bucket: Pick<Any, "name">, body: WriteBody): Asked {
    const { args = [], op, ...rest } = body
    return this.#ask(at, bucket, "write", { ...rest, calls: [{ name: op, args }] })
  }

  #ask(
    at: number,
    bucket: Pick<Any, "name">,
    action: "read" | "write",
    body: RequestBody
  ): Asked {
    const asked = new Asked()
    const request = { action, bucket: BucketName.make(bucket.name), body }
    this.cluster.backends[at - 1]!.request(request, (outcome) => asked.outcomes.push(outcome))
    this.runtime.runReady()
    return asked
  }

  rowOf(bucket: Any, json: unknown): RowKey {
    const { partitionCount } = this.nodes[0]!.core.view.ring
    const key = encodeKey(bucket.definition.key, json)
    return rowKeyOf({ bucket: bucket.name, key, partitionCount })
  }

  /** Places of the nodes that hold a document, from 1, and of those that do not. */
  nodesOf(bucket: Any, json: unknown): {
    readonly primaries: ReadonlyArray<number>
    readonly others: ReadonlyArray<number>
  } {
    const list = this.nodes[0]!.core.view.preferenceList(this.rowOf(bucket, json).partition)
    const nodeNumbers = list.map((id) => this.nodes.findIndex((node) => node.id === id) + 1)
    const { n } = bucket.definition
    return { primaries: nodeNumbers.slice(0, n), others: nodeNumbers.slice(n) }
  }

  /** The state of a document at each node, in the order of nodes; undefined where it is damaged. */
  held(bucket: Any, json: unknown): ReadonlyArray<Document.Document | undefined> {
    const row = this.rowOf(bucket, json)
    return this.nodes.map(({ core }) => {
      const holding = core.replica.read(row)
      if (holding._tag === "Damaged") return undefined
      return holding._tag === "Found" ? holding.document : Document.empty
    })
  }

  counts(at: number) {
    return this.nodes[at - 1]!.core.coordinator.counters()
  }

  cut(...nodeNumbers: ReadonlyArray<number>): void {
    for (const nodeNumber of nodeNumbers) this.cluster.cut(this.nodes[nodeNumber - 1]!.id)
  }

  heal(): void {
    this.cluster.heal()
    this.runtime.runReady()
  }

  /** Spoils every row of a node. */
  damage(nodeNumber: number): void {
    this.nodes[nodeNumber - 1]!.disk.database.exec("UPDATE documents SET bytes = x'00'")
  }

  /** On its disk, or on another one. */
  async restart(nodeNumber: number, disk?: MemoryDisk): Promise<void> {
    const id = this.nodes[nodeNumber - 1]?.id ?? node(nodeNumber)
    const restarting = this.cluster.restart(id, disk)
    this.runtime.runReady()
    await restarting
    this.runtime.runReady()
  }

  stop(): void {
    this.cluster.stop()
    this.runtime.runReady()
  }
}
