/**
 * Tells which node a request goes to: the first of the document's owners that answers, unless
 * another one has been answering much faster.
 */
import * as Schema from "effect/Schema"
import { type ClusterDescription, ownersVersion } from "../../schemas/ClusterDescription.ts"
import type { BucketDefinition } from "../core/model/BucketDefinition.ts"
import { MalformedKey } from "../core/model/DocumentKey.ts"
import { encodeKey } from "../core/model/KeyFields.ts"
import type { ClientLimits } from "../core/model/Limits.ts"
import { NodeId } from "../core/model/Names.ts"
import type { Owners } from "../core/ring/Claim.ts"
import { isPartitionCount, partitionOf } from "../core/ring/Partition.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { BackendRequest } from "./Backend.ts"

interface Pace {
  /** Moving average of the time to an answer. */
  millis: number
  /** On the monotonic clock: not asked before this. */
  restsUntil: number
}

export type SelectorLimits = Pick<ClientLimits, "restMillis" | "noiseMillis">

const weightOfLast = 0.2
/** Of a node that was not asked yet. */
const unknownPace: Readonly<Pace> = { millis: 0, restsUntil: 0 }

const isNodeId = Schema.is(NodeId)

/** By partition; none where a client of this version cannot tell: then any node is asked. */
const ownersOf = ({ members, owners, partitionCount }: ClusterDescription): Owners => {
  if (owners?.version !== ownersVersion || !isPartitionCount(partitionCount)) return []
  const { indexes } = owners
  const ids = members.map(({ id }) => id).filter(isNodeId)
  const each = indexes.length / partitionCount
  const fits = Number.isInteger(each) && ids.length === members.length
    && indexes.every((index) => index in ids)
  if (!fits) return []
  return Array.from(
    { length: partitionCount },
    (_, partition) =>
      indexes.slice(partition * each, (partition + 1) * each).map((index) => ids[index]!)
  )
}

export class NodeSelector {
  readonly #runtime: Runtime
  readonly #limits: SelectorLimits
  readonly #paces = new Map<NodeId, Pace>()
  #last: NodeId | undefined
  #owners: Owners = []
  #buckets = new Map<string, BucketDefinition>()

  constructor(runtime: Runtime, limits: SelectorLimits) {
    this.#runtime = runtime
    this.#limits = limits
  }

  learn(description: ClusterDescription): void {
    this.#owners = ownersOf(description)
    this.#buckets = new Map(
      description.buckets.map(({ definition }) => [definition.name, definition])
    )
  }

  /** The node to ask; undefined leaves it to the broker to choose any. */
  nodeFor(request: BackendRequest, avoid: ReadonlySet<string>): NodeId | undefined {
    const now = this.#runtime.elapsed()
    const { noiseMillis } = this.#limits
    let first: NodeId | undefined
    let firstMillis = 0
    for (const node of this.#ownersOf(request)) {
      const { millis, restsUntil } = this.#paces.get(node) ?? unknownPace
      if (avoid.has(node) || restsUntil > now) continue
      if (first === undefined) {
        first = node
        firstMillis = millis
      } else if (millis * 2 + noiseMillis < firstMillis) return node
    }
    return first
  }

  /**
   * The node to ask where the owners are not known: the one that answered last, whose mark is
   * known. Another would have to be asked for its mark first.
   */
  acquaintanceFor(request: BackendRequest, avoid: ReadonlySet<string>): NodeId | undefined {
    const last = this.#last
    if (last === undefined || avoid.has(last) || this.#ownersOf(request).length > 0) {
      return undefined
    }
    const { restsUntil } = this.#paces.get(last) ?? unknownPace
    return restsUntil > this.#runtime.elapsed() ? undefined : last
  }

  /**
   * Notes how long a node took to answer. It rests no longer: under a load that makes all owners
   * late, requests would go to any node, which first has to be asked for its mark.
   */
  answered(node: NodeId, millis: number): void {
    this.#last = node
    const pace = this.#paces.get(node)
    if (pace === undefined) {
      this.#paces.set(node, { millis, restsUntil: 0 })
      return
    }
    pace.millis += (millis - pace.millis) * weightOfLast
    pace.restsUntil = 0
  }

  /** Notes that a node does not answer, or that it cannot. */
  unreachable(node: NodeId): void {
    const { millis } = this.#paces.get(node) ?? unknownPace
    this.#paces.set(node, { millis, restsUntil: this.#runtime.elapsed() + this.#limits.restMillis })
  }

  #ownersOf({ body, bucket }: BackendRequest): ReadonlyArray<NodeId> {
    const definition = this.#buckets.get(bucket)
    const partitionCount = this.#owners.length
    if (definition === undefined || partitionCount === 0) return []
    try {
      const { partition: partitionKey } = encodeKey(definition.key, body.key)
      const partition = partitionOf({ bucket, partitionKey, partitionCount })
      const owners = this.#owners[partition]!
      return owners.length <= definition.n ? owners : owners.slice(0, definition.n)
    } catch (error) {
      // The node that gets it says what is wrong with the key.
      if (error instanceof MalformedKey) return []
      throw error
    }
  }
}
