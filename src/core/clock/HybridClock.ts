/**
 * Makes stamps for last-write-wins: wall time where it helps, causal order always.
 *
 * A stamp is made from the wall clock and from every stamp that the write has seen, in the local
 * document and in the client's context. So a write made after observing another has the greater
 * stamp, whatever the clocks say. The clock is kept per document: a stamp from a broken clock
 * touches one document, where the next write that saw it wins.
 *
 * @see Kulkarni et al., Logical Physical Clocks, 2014
 */

/** Microseconds since 1970 for the wall's share; leaves room above for counting on. */
const wallMaxMicros = 2 ** 52

/** The greatest stamp: the greatest integer that the formats hold. */
export const stampMax = Number.MAX_SAFE_INTEGER

/**
 * A stamp greater than every stamp seen, and not less than the wall clock.
 *
 * No chain of writes reaches `stampMax` from `wallMaxMicros`. A document that damage took there
 * stays there, still readable, and its ties break by actor.
 */
export const nextStamp = (
  options: { readonly nowMillis: number; readonly seen: number }
): number => {
  const wall = Math.min(Math.max(Math.floor(options.nowMillis * 1000), 0), wallMaxMicros)
  return Math.min(Math.max(wall, options.seen) + 1, stampMax)
}

/**
 * By how much the own clock is to be set right: not at all, unless it is further than `skewMillis`
 * from the median of the cluster's clocks. `offsets` are the peers' clocks minus the own.
 */
export const correction = (
  options: { readonly offsets: ReadonlyArray<number>; readonly skewMillis: number }
): number => {
  // Two clocks that differ do not say which of them is wrong.
  if (options.offsets.length < 2) return 0
  const sorted = [0, ...options.offsets].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2
  return Math.abs(median) > options.skewMillis ? median : 0
}
