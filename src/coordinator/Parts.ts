/**
 * Lists what coordinating needs from the rest of the node, and makes answers of documents.
 */
import type { KeyObject } from "node:crypto"
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import * as CausalContext from "../core/clock/CausalContext.ts"
import type { Document } from "../core/crdt/Document.ts"
import type { NodeId } from "../core/model/Names.ts"
import type * as Targets from "../core/quorum/Targets.ts"
import type { World } from "../core/World.ts"
import type { ClusterView } from "../gossip/ClusterView.ts"
import type { Replica } from "../replica/Replica.ts"
import type { Place } from "./Plan.ts"
import type { Answer } from "./Request.ts"

export interface Parts {
  readonly world: World
  readonly node: NodeId
  readonly view: ClusterView
  readonly replica: Replica
  readonly send: (to: NodeId, message: PeerMessage) => void
  readonly secret: KeyObject
}

/** Counts for metrics; each only grows. */
export interface Counts {
  reads: number
  writes: number
  forwards: number
  failures: number
  /** Reads and writes that had to catch up with a context first. */
  catchUps: number
  readRepairs: number
  siblingsSeen: number
  /** Answers that were late, repeated, or not asked for. */
  strayAnswers: number
}

/** The nodes that hold a document: the first n of its preference list. */
export const holders = (parts: Parts, place: Place): ReadonlyArray<NodeId> =>
  parts.view.preferenceList(place.row.partition).slice(0, place.bucket.definition.n)

/** All holders as targets of a request; nobody stands in for them. */
export const targetsOf = (nodes: ReadonlyArray<NodeId>): Targets.Nodes => ({
  targets: nodes.map((node) => ({ node, primary: true, previous: false, up: true })),
  fallbacks: []
})

/** What a document says to a client. */
export const answerOf = (
  parts: Parts,
  place: Place,
  options: { readonly document: Document; readonly replied: number }
): Answer => {
  const { bucket, key } = place
  const { document } = options
  const { values } = bucket.strategy.view(document)
  const context = CausalContext.join(place.after, {
    vector: document.context,
    stamp: bucket.strategy.stampOf(document)
  })
  const merge = place.merge && values.length > 1 ? bucket.code?.merge : undefined
  return {
    _tag: "Answer",
    values: merge === undefined ? values : [merge(values)],
    context: CausalContext.encode(context, {
      bucket: bucket.definition.name,
      key,
      secret: parts.secret
    }),
    replied: options.replied,
    siblings: values.length
  }
}
