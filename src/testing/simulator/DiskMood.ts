/**
 * Describes the behaviour of a simulated disk: its latency and its errors.
 */

export interface DiskMood {
  readonly meanCommitMillis: number
  /** Share of commits that find no space. */
  readonly fullShare: number
  /** Share of commits that fail with an I/O error. */
  readonly errorShare: number
}

export const fitDisk: DiskMood = { meanCommitMillis: 1, fullShare: 0, errorShare: 0 }
