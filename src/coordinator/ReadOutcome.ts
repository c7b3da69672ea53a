/**
 * Describes the outcome of a read: the document that it found, or why there is none.
 */
import type { CausalContext } from "../core/clock/CausalContext.ts"
import * as LostDots from "../core/clock/LostDots.ts"
import type * as VersionVector from "../core/clock/VersionVector.ts"
import type * as Document from "../core/crdt/Document.ts"
import type * as Errors from "../core/model/StoreError.ts"

/** The document that a read found, perhaps empty. */
export interface ReadDocument {
  readonly document: Document.Document
  readonly replied: number
  /** Dots that the session has seen, and that are surely gone; empty unless there are any. */
  readonly lost: VersionVector.VersionVector
}

/** The document, or why there is none. */
export type ReadOutcome = ReadDocument | Errors.StoreError

/** A context that has forgotten the dots that a read found to be lost. */
export const withoutLost = (
  { stamp, vector }: CausalContext,
  { document, lost }: ReadDocument
): CausalContext => ({ stamp, vector: LostDots.without(vector, lost, document.context) })
