/**
 * Says with whom an exchange is, over what, and who is told of its outcome.
 */
import type { NodeId } from "../core/model/Names.ts"
import type { Filling } from "./Filling.ts"

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
  readonly number: () => number
  readonly outcome: (outcome: Outcome) => void
  /** Is told what has come. Undefined where not all buckets are compared. */
  readonly filling: Filling | undefined
  /** Told of the bytes of documents that were sent, or fetched. */
  readonly moved: (bytes: number) => void
  /** Told once, with the reason where the exchange ended early. */
  readonly done: (failure: string | undefined) => void
}
