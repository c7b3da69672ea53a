/**
 * Judges by the time of writes whether fewer should be under way. Only a queue of their own is a
 * reason: a disk that takes long for a sync, or a far node, takes as long for one write as for a
 * thousand, and fewer under way would only be fewer done.
 *
 * The two look alike until fewer are under way. So a cut is on trial: where the writes that began
 * after it take nearly as long as those before, it is taken back, and it is known from then on how
 * long writes take with no queue.
 *
 * @see Brakmo and Peterson, "TCP Vegas", IEEE JSAC 1995, for a least time that a queue adds to
 */

import { isOver, type Least, none, ratio, samplesLeast, withSample } from "./Samples.ts"

/** Writes, and their times together. */
interface Times extends Least {
  readonly totalMillis: number
}

/** Cuts whose effect is not known yet. */
interface Trial {
  /** How many were under way before the first. */
  readonly from: number
  /** How many may be after the one that is deep enough to show an effect, and when it was. */
  readonly to: number
  readonly at: number
  /** The writes that were under way then, and those that began later. */
  readonly before: Times
  readonly after: Times
}

export interface WriteTimes {
  readonly least: Least
  /** How long writes take that meet no queue of their own, as far as is known. */
  readonly unqueuedMillis: number
  readonly trial: Trial | undefined
}

export interface WriteRules {
  /** The least number under way. */
  readonly min: number
  /** How long a write may take while all do. */
  readonly writeMillis: number
}

export const unknown: WriteTimes = { least: none, unqueuedMillis: 0, trial: undefined }
const noTimes: Times = { ...none, totalMillis: 0 }

/** A queue may take as long as all the rest. */
const queueShare = 2
/** A cut shows its effect, if it has one, where it leaves no more than so much. */
const deepCut = 0.75
/** After so many times of what writes took, more than the quickest of those later are known. */
const trialTimes = 2
/** Nobody waits longer than so many times of what was asked for, whatever the cause is. */
const targetsMost = 5

/** A write was done now, and took so long; most of a window tell nothing new. */
export const written = (times: WriteTimes, millis: number, now: number): WriteTimes => {
  const { trial, unqueuedMillis } = times
  const tellsNothing = times.least.count >= samplesLeast && millis >= times.least.millis
  if (tellsNothing && trial === undefined) return times
  const least = withSample(times.least, millis)
  return { least, unqueuedMillis, trial: trial && tried(trial, millis, now - millis) }
}

const tried = (trial: Trial, millis: number, began: number): Trial =>
  began < trial.at
    ? { ...trial, before: withTime(trial.before, millis) }
    : { ...trial, after: withTime(trial.after, millis) }

const withTime = (times: Times, millis: number): Times => ({
  ...withSample(times, millis),
  totalMillis: times.totalMillis + millis
})

/** A window in which `used` were under way is over. */
interface Window {
  readonly now: number
  readonly used: number
  /** Whether fewer are under way from now on for another reason. */
  readonly isCut: boolean
}

/** How many should be under way from now on, by the time of writes alone. */
interface Judgement {
  readonly times: WriteTimes
  readonly most: number
  /** Above 0 where cuts are taken back. */
  readonly least: number
}

/**
 * The judgement at the end of a window, and the times at the start of the next one.
 *
 * **Guarantees** that a cut is taken back whole, later ones with the first, and that no time is
 * learnt to be without a queue but that of writes which began after a cut.
 */
export const judged = (times: WriteTimes, window: Window, rules: WriteRules): Judgement => {
  const { least, trial, unqueuedMillis } = times
  const next = { ...times, least: none }
  if (window.isCut) {
    return { times: { ...next, trial: trial && begun(trial, window) }, most: Infinity, least: 0 }
  }
  const target = targetOf(times, rules)
  if (trial !== undefined && isKnown(trial, window, rules)) {
    if (isInVain(trial)) {
      const learnt = { ...next, unqueuedMillis: trial.after.millis, trial: undefined }
      return { times: learnt, most: Infinity, least: trial.from }
    }
    return cutBy(ratio(trial.after, target), { ...next, trial: undefined }, window, rules)
  }
  if (isOver(least, target)) return cutBy(ratio(least, target), next, window, rules)
  if (least.count < samplesLeast) return { times: next, most: Infinity, least: 0 }
  const known = Math.min(unqueuedMillis, least.millis)
  // Cuts that were too shallow to show an effect have had one.
  const open = trial !== undefined && isDeep(trial, rules.min) ? trial : undefined
  return { times: { ...next, unqueuedMillis: known, trial: open }, most: Infinity, least: 0 }
}

const cutBy = (
  factor: number,
  times: WriteTimes,
  window: Window,
  { min }: Pick<WriteRules, "min">
): Judgement => {
  if (factor === 1) return { times, most: Infinity, least: 0 }
  const most = Math.max(window.used * factor, min)
  const from = times.trial?.from ?? window.used
  const isShown = times.trial !== undefined && isDeep(times.trial, min)
  const trial = isShown ? times.trial : begun({ from, to: most }, window)
  return { times: { ...times, trial }, most, least: 0 }
}

const begun = ({ from, to }: Pick<Trial, "from" | "to">, { now }: Window): Trial => ({
  from,
  to,
  at: now,
  before: noTimes,
  after: noTimes
})

/** How long writes may take, where it is known how long they take with no queue. */
const targetOf = ({ unqueuedMillis }: WriteTimes, { writeMillis }: WriteRules): number =>
  Math.min(Math.max(writeMillis, queueShare * unqueuedMillis), targetsMost * writeMillis)

const isDeep = ({ from, to }: Trial, min: number): boolean => to <= deepCut * from || to <= min

const isKnown = (trial: Trial, { now }: Window, { min }: WriteRules): boolean => {
  const { after, at, before } = trial
  return isDeep(trial, min) && before.count >= samplesLeast && after.count >= samplesLeast
    && now - at >= trialTimes * meanOf(before)
}

/** Whether writes got shorter by less than half of what they would have in a queue of their own. */
const isInVain = ({ after, before, from, to }: Trial): boolean =>
  meanOf(after) > meanOf(before) * (1 + to / from) / 2

const meanOf = ({ count, totalMillis }: Times): number => totalMillis / count
