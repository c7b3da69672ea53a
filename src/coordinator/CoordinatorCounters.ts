/**
 * Counts the work of a coordinator, for metrics. All but `open` only grow.
 */
export interface CoordinatorCounters {
  /** Requests that have no answer yet. */
  open: number
  reads: number
  writes: number
  forwards: number
  failures: number
  /** Writes that had to catch up with their context first. */
  catchUps: number
  readRepairs: number
  /** Reads that asked replicas which they had spared at first. */
  readsWidened: number
  /** Questions where dots are that a client has seen. */
  dotSearches: number
  /** Reads that told their session that it had seen what is lost. */
  lostTold: number
  /** Removals that waited for dots which are lost. */
  deferralsEnded: number
  /** Concurrent last writes that met in a read; replicas count those that meet in them. */
  discards: number
  siblingsSeen: number
  /** Operations about which other nodes were asked. */
  inquiries: number
  /** Operations that this node has promised others not to do. */
  fences: number
  /** Writes of which nobody could tell whether they had been applied. */
  unknownOperations: number
  /** Answers that were late, repeated, or not asked for. */
  strayAnswers: number
}

export const make = (): CoordinatorCounters => ({
  open: 0,
  reads: 0,
  writes: 0,
  forwards: 0,
  failures: 0,
  catchUps: 0,
  readRepairs: 0,
  readsWidened: 0,
  dotSearches: 0,
  lostTold: 0,
  deferralsEnded: 0,
  discards: 0,
  siblingsSeen: 0,
  inquiries: 0,
  fences: 0,
  unknownOperations: 0,
  strayAnswers: 0
})
