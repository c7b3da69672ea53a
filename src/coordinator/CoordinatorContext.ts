/**
 * Lists what coordinating needs from the rest of the node, and makes answers of documents.
 */
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import * as CausalContext from "../core/clock/CausalContext.ts"
import type { Document } from "../core/crdt/Document.ts"
import type { NodeId } from "../core/model/Names.ts"
import { Undecodable } from "../core/model/StoreError.ts"
import type { KnownBucket } from "../core/strategy/Buckets.ts"
import { SchemaMismatch } from "../core/strategy/ValueCodec.ts"
import type * as Targets from "../core/quorum/Targets.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { ClusterView } from "../gossip/ClusterView.ts"
import type { Replica } from "../replica/Replica.ts"
import type { ValidatedRequest } from "./ValidatedRequest.ts"
import type { Answer } from "./Request.ts"

export interface CoordinatorContext {
  readonly runtime: Runtime
  readonly node: NodeId
  readonly view: ClusterView
  readonly replica: Replica
  readonly send: (to: NodeId, message: PeerMessage) => void
  /** The incarnation of a node that was heard last; empty where it never was. */
  readonly incarnationOf: (node: NodeId) => string
  readonly secret: CausalContext.Secret
}

/** Counts for metrics; each only grows. */
export interface Counts {
  reads: number
  writes: number
  forwards: number
  failures: number
  /** Writes that had to catch up with their context first. */
  catchUps: number
  readRepairs: number
  /** Concurrent last writes that met in a read; replicas count those that meet in them. */
  discards: number
  siblingsSeen: number
  /** Answers that were late, repeated, or not asked for. */
  strayAnswers: number
}

/** The nodes that hold a document: the first n of its preference list. */
export const primaries = (
  parts: CoordinatorContext,
  place: ValidatedRequest
): ReadonlyArray<NodeId> =>
  parts.view.preferenceList(place.row.partition).slice(0, place.bucket.definition.n)

/** All primaries as targets of a request; nobody stands in for them. */
export const targetsOf = (nodes: ReadonlyArray<NodeId>): Targets.Nodes => ({
  targets: nodes.map((node) => ({ node, primary: true, previous: false, up: true })),
  fallbacks: []
})

/**
 * One value of several, where this node has the code that makes it. The code is the application's,
 * and the values may have come by way of a node without it: neither may stop this node.
 */
export const mergedOf = (
  bucket: KnownBucket,
  values: ReadonlyArray<string>
): string | Undecodable | undefined => {
  const merge = bucket.code?.merge
  if (merge === undefined || values.length === 0) return undefined
  try {
    return merge(values)
  } catch (error) {
    const { path, problem } = error instanceof SchemaMismatch
      ? error
      : { path: "$", problem: `its merge fails: ${String(error)}` }
    return new Undecodable({ bucket: bucket.definition.name, path, problem })
  }
}

/** What a document says to a client. */
export const answerOf = (
  parts: CoordinatorContext,
  place: ValidatedRequest,
  options: { readonly document: Document; readonly replied: number }
): Answer | Undecodable => {
  const { bucket, key } = place
  const { document } = options
  const { kind } = bucket.strategy
  if (document.store !== undefined && document.store.kind !== kind) {
    const problem = "a state of another kind: was the bucket declared otherwise before?"
    return new Undecodable({ bucket: bucket.definition.name, path: "$", problem })
  }
  const { values } = bucket.strategy.view(document)
  const shown = { vector: document.context, stamp: bucket.strategy.stampOf(document) }
  const context = CausalContext.answered(shown, place.after)
  const merged = place.merge && values.length > 1 ? mergedOf(bucket, values) : undefined
  if (merged instanceof Undecodable) return merged
  return {
    _tag: "Answer",
    values: merged === undefined ? values : [merged],
    context: CausalContext.encode(context, {
      bucket: bucket.definition.name,
      key,
      secret: parts.secret
    }),
    replied: options.replied,
    siblings: values.length
  }
}
