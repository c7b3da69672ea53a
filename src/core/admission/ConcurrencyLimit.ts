/**
 * Decides how many requests may be open at once, by how long messages wait here and how long writes
 * take: the limit grows while nothing waits, and shrinks by the ratio in which the wait exceeds its
 * target. So a node finds the rate that it can answer in time, whatever the machine.
 *
 * Of each window the *least* wait counts: a queue that empties within it is a burst, which does no
 * harm; one that never does is a standing queue, which delays everything and speeds up nothing.
 * A window begins with its first sample, so that a process that was stopped for a moment does not
 * take its pause for a queue: the samples that waited for it come all at once.
 *
 * @see Nichols and Jacobson, "Controlling Queue Delay", ACM Queue 2012, for the least of a window
 * @see Netflix, "concurrency-limits", for the gradient and the growth by the square root
 * @see Zhou et al., "Overload Control for Scaling WeChat Microservices", SoCC 2018: a node judges
 *   by its own queue, since the time of an answer depends on other nodes as well
 */
import { invariant } from "../Invariant.ts"
import { isOver, type Least, none, ratio, samplesLeast, withSample } from "./Samples.ts"
import * as WriteTimes from "./WriteTimes.ts"

export interface LimitOptions {
  readonly min: number
  readonly max: number
  readonly first: number
  /** How long a message may wait in a queue that stands. */
  readonly waitMillis: number
  /** How long a write may take while all do, unless fewer under way would take as long. */
  readonly writeMillis: number
  /** The limit changes once in this time at most. */
  readonly windowMillis: number
}

/**
 * Invariant: `limit` is from `min` to `max`, and need not be whole.
 */
export interface ConcurrencyLimit {
  readonly limit: number
  /** The wait of the last window that tells, where it was too long and none short since; else 0. */
  readonly standingMillis: number
  /** Requests taken since the last wait was measured, as far as it matters: up to `min`. */
  readonly taken: number
  /** Undefined before the first sample of a window. */
  readonly windowEndsAt: number | undefined
  readonly waits: Least
  readonly writes: WriteTimes.WriteTimes
  /** The most that were open in the window. */
  readonly openMost: number
  /** Whether another one refused a request in the window. */
  readonly isRefused: boolean
}

export type LimitEvent =
  /** A request was taken while so many others were open. */
  | { readonly _tag: "Taken"; readonly open: number }
  /** A request was refused while so many were open. */
  | { readonly _tag: "Denied"; readonly open: number }
  /** A message has waited in all the queues on its way to here. */
  | { readonly _tag: "Waited"; readonly millis: number; readonly now: number }
  /** A write was done. */
  | { readonly _tag: "Written"; readonly millis: number; readonly now: number }
  /** The other side refused a request, as it has too much to do. */
  | { readonly _tag: "Refused" }

/** For a refusal, of which it is not known by how much the limit is too high. */
const afterRefusal = 0.8
/** A standing queue of so many targets means that the limit alone does not hold it down. */
const trickleTargets = 4

export const make = (options: LimitOptions): ConcurrencyLimit =>
  fresh({
    limit: bounded(options.first, options),
    standingMillis: 0,
    taken: 0,
    writes: WriteTimes.unknown
  }, options)

/**
 * The limit after an event.
 *
 * **Guarantees** a limit from `min` to `max` that never grows past twice what is used; one that
 * shrinks only at the end of a window in which all waits, or all writes, took too long, or a
 * request was refused.
 */
export const step = (
  state: ConcurrencyLimit,
  event: LimitEvent,
  options: LimitOptions
): ConcurrencyLimit => {
  switch (event._tag) {
    case "Taken": {
      const inUse = used(state, event.open + 1)
      return state.taken >= options.min ? inUse : { ...inUse, taken: state.taken + 1 }
    }
    case "Denied":
      return used(state, event.open)
    case "Refused":
      return state.isRefused ? state : { ...state, isRefused: true }
    case "Waited": {
      const standingMillis = event.millis <= options.waitMillis ? 0 : state.standingMillis
      const waits = withSample(state.waits, event.millis)
      return closed({ ...state, standingMillis, waits, taken: 0 }, event.now, options)
    }
    case "Written": {
      const writes = WriteTimes.written(state.writes, event.millis, event.now)
      const told = writes === state.writes ? state : { ...state, writes }
      return closed(told, event.now, options)
    }
  }
}

/**
 * Whether one more request may be taken while so many are open. While a long queue stands, which
 * requests that are done at once may cause without ever being open, no more are taken from one
 * measured wait to the next than the least.
 */
export const admits = (
  { limit, standingMillis, taken }: ConcurrencyLimit,
  open: number,
  { min, waitMillis }: LimitOptions
): boolean =>
  open < Math.floor(limit) && (standingMillis < trickleTargets * waitMillis || taken < min)

/**
 * How long one who was refused should wait: until the queue has drained, and longer the more are
 * open beyond the limit.
 */
export const retryAfterMillis = (
  { limit, standingMillis }: ConcurrencyLimit,
  open: number,
  { waitMillis }: LimitOptions
): number => Math.ceil(Math.max(waitMillis, standingMillis) * Math.max(1, open / limit))

const used = (state: ConcurrencyLimit, open: number): ConcurrencyLimit =>
  open <= state.openMost ? state : { ...state, openMost: open }

/** The state in which the next window begins, if this one is over. */
const closed = (
  state: ConcurrencyLimit,
  now: number,
  options: LimitOptions
): ConcurrencyLimit => {
  const { waitMillis, windowMillis } = options
  const { isRefused, waits, windowEndsAt = now + windowMillis, writes } = state
  if (now < windowEndsAt) {
    return state.windowEndsAt === windowEndsAt ? state : { ...state, windowEndsAt }
  }
  const used = Math.min(state.limit, state.openMost)
  const gradient = ratio(waits, waitMillis)
  const factor = isRefused ? Math.min(gradient, afterRefusal) : gradient
  const window = { now, used, isCut: factor < 1 }
  const { times, ...byWrites } = WriteTimes.judged(writes, window, options)
  // A window with fewer samples does not tell whether the queue still stands.
  const standing = waits.count < samplesLeast ? state.standingMillis : 0
  const standingMillis = isOver(waits, waitMillis) ? waits.millis : standing
  const limit = next(state, { ...byWrites, factor }, options)
  return fresh({ limit, standingMillis, taken: state.taken, writes: times }, options)
}

const next = (
  { limit, openMost }: ConcurrencyLimit,
  { factor, least, most }: {
    readonly factor: number
    readonly least: number
    readonly most: number
  },
  options: LimitOptions
): number => {
  // Room that is not used causes no queue, and would be no help against one.
  const used = Math.min(limit, openMost)
  if (factor < 1 || most < used) return bounded(Math.min(used * factor, most), options)
  const grown = openMost * 2 < limit ? limit : limit + Math.sqrt(limit)
  return bounded(Math.max(grown, least), options)
}

const bounded = (limit: number, { max, min }: LimitOptions): number =>
  Math.min(Math.max(limit, min), max)

/** The state before the first sample of a window. */
const fresh = (
  kept: Pick<ConcurrencyLimit, "limit" | "standingMillis" | "taken" | "writes">,
  { max, min }: LimitOptions
): ConcurrencyLimit => {
  invariant(min >= 1 && min <= max, "a limit of requests is at least 1")
  invariant(kept.limit >= min && kept.limit <= max, "a limit of requests keeps its bounds")
  return {
    ...kept,
    windowEndsAt: undefined,
    waits: none,
    openMost: 0,
    isRefused: false
  }
}
