/**
 * Lists what a replica counts, for metrics.
 */
import type { ShownStats } from "./ShownVersions.ts"

/** All but the reads that wait only grow. */
export interface ReplicaStats extends ShownStats {
  readonly updates: number
  readonly retries: number
  readonly joins: number
  readonly damaged: number
  readonly births: number
  /** Equal contexts with unequal states: a broken promise somewhere, mended by joining. */
  readonly divergences: number
  /** Concurrent last writes of which one was lost here. */
  readonly discards: number
  readonly incarnationsEnded: number
}
