/**
 * Estimates how far another node's clock is ahead of the own one, from the frames that come.
 *
 * A frame that says its sender's clock bounds the offset from below: the frame was on its way for a
 * time that nobody knows, so the sender's clock is by now at least that far. A delay, or a pause of
 * the receiver, lowers this bound and never raises it; so the greatest of a window of frames is the
 * best one. A frame that also says how far the receiver's clock is, at least, bounds the offset
 * from above in the same way. The offset lies between the two, and the own clock is believed as
 * far as they allow: a delay alone never shows that it is wrong. Where the own clock moved against
 * the monotonic one since a frame came, it was set, or the machine stood still, and the other clock
 * went on: the frame's bounds leave room for either.
 *
 * @see RFC 5905, section 10: the clock filter of NTP, which keeps its sample of the least delay
 */
import type { NodeLimits } from "../model/Limits.ts"

/** Between these lies the other clock minus the own one, in milliseconds. */
export interface Bounds {
  readonly least: number
  /** Infinity where the frame does not say the receiver's clock. */
  readonly greatest: number
}

/** A moment of this node. */
export interface Moment {
  /** On the monotonic clock. */
  readonly at: number
  /** On the own wall clock. */
  readonly wall: number
}

/** The bounds of the frames that came in one slot of the window. */
interface Sample extends Bounds {
  readonly slot: number
  /** How far the own wall clock was before the monotonic one. */
  readonly lead: number
}

/**
 * The samples of the last frames, the oldest first.
 *
 * Invariant: their slots ascend, and no `least` is above any `greatest`.
 */
export type ClockOffset = ReadonlyArray<Sample>

export type ClockLimits = Pick<NodeLimits, "clockWindowMillis" | "clockSamplesMax">

/** No frame came yet. */
export const unknown: ClockOffset = []

/** The part of the window that shares one sample. */
export const slotMillis = ({ clockSamplesMax, clockWindowMillis }: ClockLimits): number =>
  clockWindowMillis / clockSamplesMax

const slotOf = (at: number, limits: ClockLimits): number => Math.floor(at / slotMillis(limits))

const fresh = (known: ClockOffset, slot: number, { clockSamplesMax }: ClockLimits): ClockOffset =>
  known.some((sample) => sample.slot <= slot - clockSamplesMax)
    ? known.filter((sample) => sample.slot > slot - clockSamplesMax)
    : known

/** What the samples tell when the own clock leads so far. */
const boundsOf = (samples: ReadonlyArray<Sample>, lead: number): Bounds => {
  let least = -Infinity
  let greatest = Infinity
  for (const sample of samples) {
    const moved = lead - sample.lead
    least = Math.max(least, sample.least - Math.max(moved, 0))
    greatest = Math.min(greatest, sample.greatest - Math.min(moved, 0))
  }
  return { least, greatest }
}

/**
 * Takes a frame into account that came at a moment.
 *
 * **Guarantees** at most `clockSamplesMax` samples; a frame that contradicts the ones before, as
 * after one of the clocks was set, counts alone from then on.
 */
export const observe = (
  known: ClockOffset,
  frame: Bounds & Moment,
  limits: ClockLimits
): ClockOffset => {
  const { at, greatest, least, wall } = frame
  // Of a clock that was set back since the other node heard of it.
  if (least > greatest) return known
  const slot = slotOf(at, limits)
  const before = fresh(known, slot, limits)
  const sample = { slot, lead: wall - at, least, greatest }
  const all = boundsOf(before, sample.lead)
  if (least > all.greatest || greatest < all.least) return [sample]
  const last = before.at(-1)
  if (last?.slot !== slot) return [...before, sample]
  if (least <= last.least && greatest >= last.greatest) return before
  return [...before.slice(0, -1), { ...sample, ...boundsOf([last, sample], sample.lead) }]
}

/**
 * By how much the other clock is ahead; negative where it is behind, 0 where both may be alike.
 *
 * **Guarantees** never further from 0 than the true offset was at some time of the window, under
 * any delays and pauses; undefined where no frame came within the window.
 */
export const estimate = (
  known: ClockOffset,
  { at, wall }: Moment,
  limits: ClockLimits
): number | undefined => {
  const samples = fresh(known, slotOf(at, limits), limits)
  if (samples.length === 0) return undefined
  const { greatest, least } = boundsOf(samples, wall - at)
  return least > 0 ? least : Math.min(greatest, 0)
}
