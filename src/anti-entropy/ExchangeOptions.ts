/**
 * Says with whom an exchange is, over what, and who is told of its outcome.
 */
import type { Completeness } from "../core/model/Completeness.ts"
import type { NodeId } from "../core/model/Names.ts"

/** The outcome of a partition. */
export interface Outcome {
  readonly partition: number
  /** Versions that one of the two nodes lacked for longer than a write takes. */
  readonly differences: number
  /** Documents that changed at one of them. */
  readonly repaired: number
}

export interface ExchangeOptions {
  readonly peer: NodeId
  /** Empty for all. */
  readonly bucket: string
  /** The partition at which the last exchange with this node ended early; -1 where it did not. */
  readonly endedAt: number
  /** Told of each partition before it is repaired. */
  readonly repairs: (partition: number) => void
  readonly number: () => number
  readonly outcome: (outcome: Outcome) => void
  /** Told of how many partitions nothing can be said in this exchange. */
  readonly skipped: (partitions: number) => void
  /** Told with each answer whether the other node's store has everything. */
  readonly told: (completeness: Completeness) => void
  /** Told of the bytes of documents that were sent, or fetched. */
  readonly moved: (bytes: number) => void
  /** Told once, with the reason where the exchange ended early. */
  readonly done: (failure: string | undefined) => void
}
