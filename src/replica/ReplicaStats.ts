/**
 * Lists what a replica counts, for metrics.
 */
import type { GrowthStats } from "./DocumentGrowth.ts"
import type { HintStats } from "./Hints.ts"
import type { RecentEditStats } from "./RecentEdits.ts"
import type { ShownStats } from "./ShownVersions.ts"

/** All but the reads that wait, and the hints, only grow. */
export interface ReplicaStats extends ShownStats, GrowthStats, HintStats, RecentEditStats {
  readonly updates: number
  readonly retries: number
  readonly joins: number
  /** Changes that were not joined, since their base is not here. */
  readonly basesMissing: number
  readonly damaged: number
  readonly births: number
  /** Documents of which memory has the last dot made here; not only growing. */
  readonly lastDots: number
  /** Rows on disk that were asked instead. */
  readonly leafReads: number
  /** Equal contexts with unequal states: a broken promise somewhere, mended by joining. */
  readonly divergences: number
  /** Dots that had another content at another replica: a broken promise too. */
  readonly conflicts: number
  /** Concurrent last writes of which one was lost here. */
  readonly discards: number
  readonly incarnationsEnded: number
  /** Documents that are kept decoded, and the bytes of memory that they take; not only growing. */
  readonly cachedDocuments: number
  readonly cachedBytes: number
}
