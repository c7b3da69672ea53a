/**
 * Keeps the least of the samples of a window: what all of them exceed is a queue that stands, what
 * one of them does not is a burst.
 */

/** The samples of one kind in a window. */
export interface Least {
  readonly count: number
  readonly millis: number
}

export const none: Least = { count: 0, millis: Infinity }

/** Fewer say nothing. */
export const samplesLeast = 2
/** A single window takes no more than half away: its samples may be few. */
const steepest = 0.5

export const withSample = ({ count, millis: least }: Least, millis: number): Least => ({
  count: count + 1,
  millis: Math.min(least, millis)
})

/** Whether samples say that all took longer than `target`. */
export const isOver = ({ count, millis }: Least, target: number): boolean =>
  count >= samplesLeast && millis > target

/** How far the samples are within their target; 1 where they are, or are too few. */
export const ratio = (least: Least, target: number): number =>
  isOver(least, target) ? Math.max(target / least.millis, steepest) : 1
