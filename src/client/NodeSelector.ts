/**
 * Tells which node a request goes to: the first of the document's preference list that answers,
 * unless another one has been answering much faster.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { ClusterDescription } from "../../schemas/ClusterDescription.ts"
import type { BucketDefinition } from "../core/model/BucketDefinition.ts"
import { MalformedKey } from "../core/model/DocumentKey.ts"
import { encodeKey } from "../core/model/KeyFields.ts"
import type { NodeId } from "../core/model/Names.ts"
import { formation, Member } from "../core/ring/MembershipLog.ts"
import { partitionOf } from "../core/ring/Partition.ts"
import * as Ring from "../core/ring/Ring.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { BackendRequest } from "./Backend.ts"

interface Pace {
  /** Moving average of the time to an answer. */
  millis: number
  /** On the monotonic clock: not asked before this. */
  restsUntil: number
}

/** How long a node that does not answer, or cannot, is passed over. */
const restMillis = 1000
/** Much faster: less than half the time, by at least this much. */
const noiseMillis = 2
const weightOfLast = 0.2

const decodeMember = Schema.decodeUnknownOption(Member)

const ringOf = (description: ClusterDescription): Ring.Ring | undefined => {
  const members = description.members.flatMap(({ id, weight, zone }) =>
    Option.toArray(decodeMember(zone === null ? { id, weight } : { id, weight, zone }))
  )
  const [first, ...rest] = members
  if (first === undefined) return undefined
  const ring = Ring.make({
    partitionCount: description.partitionCount,
    replicaCount: Ring.defaultReplicaCount,
    log: [formation([first, ...rest])]
  })
  // A ring that came out otherwise would send requests astray; any node hands them on as well.
  return Result.isSuccess(ring) && ring.success.digest === description.ringDigest
    ? ring.success
    : undefined
}

export class NodeSelector {
  readonly #runtime: Runtime
  readonly #paces = new Map<NodeId, Pace>()
  #ring: Ring.Ring | undefined
  #buckets = new Map<string, BucketDefinition>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  learn(description: ClusterDescription): void {
    this.#ring = ringOf(description)
    this.#buckets = new Map(
      description.buckets.map(({ definition }) => [definition.name, definition])
    )
  }

  /** The node to ask; undefined leaves it to the broker to choose any. */
  nodeFor(request: BackendRequest, avoid: ReadonlySet<string>): NodeId | undefined {
    const now = this.#runtime.elapsed()
    const open = this.#primaries(request).filter((node) =>
      !avoid.has(node) && (this.#paces.get(node)?.restsUntil ?? 0) <= now
    )
    const first = open[0]
    if (first === undefined) return undefined
    const millis = this.#millis(first)
    return open.find((node) => this.#millis(node) * 2 + noiseMillis < millis) ?? first
  }

  /** Notes how long a node took to answer. */
  answered(node: NodeId, millis: number): void {
    const pace = this.#paces.get(node)
    if (pace === undefined) this.#paces.set(node, { millis, restsUntil: 0 })
    else pace.millis += (millis - pace.millis) * weightOfLast
  }

  /** Notes that nobody answers for a node, or that it cannot. */
  unheard(node: NodeId): void {
    const millis = this.#millis(node)
    this.#paces.set(node, { millis, restsUntil: this.#runtime.elapsed() + restMillis })
  }

  #millis(node: NodeId): number {
    return this.#paces.get(node)?.millis ?? 0
  }

  #primaries({ body, bucket }: BackendRequest): ReadonlyArray<NodeId> {
    const definition = this.#buckets.get(bucket)
    const ring = this.#ring
    if (definition === undefined || ring === undefined) return []
    try {
      const { partition: partitionKey } = encodeKey(definition.key, body.key)
      const { partitionCount } = ring
      const partition = partitionOf({ bucket, partitionKey, partitionCount })
      return Ring.preferenceList(ring, partition).slice(0, definition.n)
    } catch (error) {
      // The node that gets it says what is wrong with the key.
      if (error instanceof MalformedKey) return []
      throw error
    }
  }
}
