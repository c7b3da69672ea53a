/**
 * Says of a request's own node why it has not answered in time. It cannot be unreachable for
 * itself: a caller who is told so looks for the fault in the network, and it is in the disk.
 */
import type { NodeId } from "../core/model/Names.ts"

/** Nodes that count for a request in no way yet: without an answer, and with a refusal. */
export interface Unanswered {
  readonly unreachable: ReadonlyArray<NodeId>
  readonly refused: ReadonlyArray<{ readonly node: NodeId; readonly reason: string }>
}

/** The reason of an own node that has not answered. */
export const ownDiskIsLate = "its own disk has not finished the write in time"

/** The reason of a node that takes no more requests because it is to end. */
export const stopping = "it is stopping"

/** `unanswered` with the node `own` among those that refused instead, if it has not answered. */
export const ownWithReason = (unanswered: Unanswered, own: NodeId): Unanswered => {
  const { refused, unreachable } = unanswered
  if (!unreachable.includes(own)) return { refused, unreachable }
  return {
    unreachable: unreachable.filter((node) => node !== own),
    refused: [...refused, { node: own, reason: ownDiskIsLate }]
  }
}
