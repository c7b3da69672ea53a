/**
 * Tells which node a request goes to: the first of the document's owners that answers, unless
 * another one has been answering much faster.
 *
 * A node that is passed over is tried now and then beside a request, with a copy that changes
 * nothing: so it comes back once it answers, or is fast again, and no request waits for it.
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
  /** It has not answered, or could not do its work, and nothing came from it since. */
  isUnreachable: boolean
  /** On the monotonic clock: not probed before this. */
  probeAt: number
  /** When the probe was sent that is not answered yet. */
  probedAt: number | undefined
}

/** Sends a node a copy of a request that changes nothing. */
export type SendProbe = (request: BackendRequest, node: NodeId) => void

export type SelectorLimits = Pick<ClientLimits, "restMillis" | "noiseMillis">

const weightOfLast = 0.2
/** Of a probe's answer: there is one in `restMillis`, and a slow spell is to be forgotten soon. */
const weightOfProbe = 0.5

/** Of a node that has not been asked yet. */
const newPace: Readonly<Pace> = {
  millis: 0,
  isUnreachable: false,
  probeAt: 0,
  probedAt: undefined
}

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
  readonly #probe: SendProbe
  readonly #paces = new Map<NodeId, Pace>()
  #last: NodeId | undefined
  #members: ReadonlyArray<NodeId> = []
  #owners: Owners = []
  #buckets = new Map<string, BucketDefinition>()

  constructor(runtime: Runtime, limits: SelectorLimits, probe: SendProbe = () => {}) {
    this.#runtime = runtime
    this.#limits = limits
    this.#probe = probe
  }

  /** The nodes to ask that have not failed to answer, the last that answered first. */
  nodes(): ReadonlyArray<NodeId> {
    const last = this.#last === undefined ? [] : [this.#last]
    return [...new Set([...last, ...this.#members])].filter((node) => !this.#isUnreachable(node))
  }

  learn(description: ClusterDescription): void {
    this.#members = description.members.map(({ id }) => id).filter(isNodeId)
    this.#last ??= this.#members.find((id) => id === description.node)
    this.#owners = ownersOf(description)
    this.#buckets = new Map(
      description.buckets.map(({ definition }) => [definition.name, definition])
    )
  }

  /** The node to ask; undefined leaves it to the broker to choose any. */
  nodeFor(request: BackendRequest, avoid: ReadonlySet<string>): NodeId | undefined {
    const owners = this.#ownersOf(request)
    const node = this.#chosen(owners, avoid)
    if (avoid.size === 0 && node !== owners[0]) this.#probePassedOver(request, owners, node)
    return node
  }

  #chosen(owners: ReadonlyArray<NodeId>, avoid: ReadonlySet<string>): NodeId | undefined {
    const { noiseMillis } = this.#limits
    let first: NodeId | undefined
    let firstMillis = 0
    for (const node of owners) {
      const pace = this.#paces.get(node)
      if (avoid.has(node) || pace?.isUnreachable === true) continue
      const millis = pace?.millis ?? 0
      if (first === undefined) {
        first = node
        firstMillis = millis
      } else if (millis * 2 + noiseMillis < firstMillis) return node
    }
    return first
  }

  /** Tries one of the owners before the chosen one, whose turn it is to be tried. */
  #probePassedOver(
    request: BackendRequest,
    owners: ReadonlyArray<NodeId>,
    chosen: NodeId | undefined
  ): void {
    const now = this.#runtime.elapsed()
    for (const node of owners) {
      if (node === chosen) return
      const pace = this.#paces.get(node)
      if (pace === undefined || pace.probeAt > now) continue
      pace.probeAt = now + this.#limits.restMillis
      pace.probedAt = now
      return this.#probe(request, node)
    }
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
    return this.#isUnreachable(last) ? undefined : last
  }

  /** Notes how long a node took to answer. */
  answered(node: NodeId, millis: number): void {
    this.heard(node)
    this.#last = node
    const pace = this.#paces.get(node)
    if (pace === undefined) this.#paces.set(node, { ...newPace, millis })
    else pace.millis += (millis - pace.millis) * weightOfLast
  }

  /**
   * Notes that a message of a node came. It is passed over no longer: under a load that makes all
   * owners late, requests would go to any node, which first has to be asked for its mark.
   */
  heard(node: NodeId): void {
    const pace = this.#paces.get(node)
    if (pace === undefined) return
    pace.isUnreachable = false
    if (pace.probedAt === undefined) return
    const millis = this.#runtime.elapsed() - pace.probedAt
    pace.probedAt = undefined
    pace.millis += (millis - pace.millis) * weightOfProbe
  }

  /** Notes that a node does not answer, or that it cannot. */
  unreachable(node: NodeId): void {
    const { millis } = this.#paces.get(node) ?? newPace
    const probeAt = this.#runtime.elapsed() + this.#limits.restMillis
    this.#paces.set(node, { millis, isUnreachable: true, probeAt, probedAt: undefined })
  }

  #isUnreachable(node: NodeId): boolean {
    return this.#paces.get(node)?.isUnreachable === true
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
