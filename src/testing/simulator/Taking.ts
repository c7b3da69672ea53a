/**
 * Notes, in the moment in which a node takes a request, whether the node has all that its answer
 * needs. Later it may have formed with its cluster, and have caught up with the session.
 */
import type { Action } from "../../client/Backend.ts"
import type { RequestBody } from "../../../schemas/ClientRequest.ts"
import * as CausalContext from "../../core/clock/CausalContext.ts"
import * as VersionVector from "../../core/clock/VersionVector.ts"
import { encodeKey } from "../../core/model/KeyFields.ts"
import { rowKeyOf } from "../../core/ring/Partition.ts"
import { invariant } from "../../core/Invariant.ts"
import type { NodeCore } from "../../node/NodeCore.ts"
import type { SimCluster } from "./SimCluster.ts"

export interface Taking {
  readonly node: string
  /** What tells that nothing happens to the node from now on; see `SimNode`. */
  readonly calm: number | undefined
  /**
   * Whether its "absent" does not count, and rightly so: no cluster has formed with its store, or
   * its disk lost something.
   */
  readonly isIncomplete: boolean
  /**
   * Whether its disk lacks something that the client has seen: then it needs another node, or the
   * end of a commit. Of a disk that lost something it is not known what it still has.
   */
  readonly isBehind: boolean
}

export interface TakenRequest {
  readonly node: string
  /** The name of the process under the node's id. */
  readonly process: string
  readonly action: Action
  readonly bucket: string
  readonly body: RequestBody
}

/** `core` is the node's process that takes the request. */
export const takingOf = (cluster: SimCluster, core: NodeCore, request: TakenRequest): Taking => {
  const { node } = request
  const { completeness, own } = core.formation.status()
  const hasLost = cluster.damaged.has(node) && completeness === "incomplete"
  return {
    node,
    calm: cluster.node(node).calm,
    isIncomplete: own === "new" || hasLost,
    isBehind: isBehind(cluster, request)
  }
}

const isBehind = (
  cluster: SimCluster,
  { action, body, bucket, process }: TakenRequest
): boolean => {
  const { after = [], context } = body
  // A write shows no more than its node has. Only its removals may wait for what they have seen.
  const tokens = action === "read" ? after : context === undefined ? [] : [context]
  if (tokens.length === 0) return false
  const { contexts, keys, ring: { partitionCount } } = cluster
  const key = encodeKey(cluster.bucket(bucket).definition.key, body.key)
  const held = contexts.held(rowKeyOf({ bucket, key, partitionCount })).get(process)
  const seen = tokens.reduce((joined, token) => {
    const opened = CausalContext.decode(token, { bucket, key, cluster: cluster.cluster, keys })
    invariant(typeof opened !== "string", "a context of the cluster is one")
    return CausalContext.join(joined, opened)
  }, CausalContext.nothing)
  return !VersionVector.covers(held ?? VersionVector.empty, seen.vector)
}
