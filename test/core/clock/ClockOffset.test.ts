// Checks that delays and pauses never pass for a wrong clock, and that a wrong clock is noticed.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type Bounds,
  type ClockOffset,
  estimate,
  observe,
  unknown
} from "../../../src/core/clock/ClockOffset.ts"

const limits = { clockWindowMillis: 1_000, clockSamplesMax: 5 }

/** With an own clock that runs as the monotonic one. */
const observeAll = (frames: ReadonlyArray<Bounds & { readonly at: number }>): ClockOffset =>
  frames.reduce((known, frame) => observe(known, { wall: frame.at, ...frame }, limits), unknown)

const estimateAt = (known: ClockOffset, at: number): number | undefined =>
  estimate(known, { at, wall: at }, limits)

/** A frame on its way for some time, which says a clock that the other had heard of before. */
const frame = fc.record({
  pause: fc.nat(400),
  delay: fc.oneof(fc.nat(5), fc.nat(100_000)),
  age: fc.option(fc.nat(100_000), { nil: Infinity })
})

const slot = (at: number): number => Math.floor(at / 200)

/** Frames of a clock that is `offset` ahead. */
const framesOf = (
  offset: number,
  drawn: ReadonlyArray<
    { readonly pause: number; readonly delay: number; readonly age: number }
  >
) => {
  let at = 0
  return drawn.map(({ age, delay, pause }) => ({
    at: at += pause,
    least: offset - delay,
    greatest: offset + age
  }))
}

const lastOf = (frames: ReadonlyArray<{ readonly at: number }>): number => frames.at(-1)!.at

describe("the estimate of an offset", () => {
  const frames = fc.array(frame, { minLength: 1, maxLength: 40 })
  const offsets = fc.oneof(fc.integer({ min: -5_000, max: 5_000 }), fc.constant(0))

  it("lies between 0 and the true offset, under any delays", () => {
    fc.assert(fc.property(frames, offsets, (drawn, offset) => {
      const all = framesOf(offset, drawn)
      const told = estimateAt(observeAll(all), lastOf(all))!
      expect(Math.min(0, offset) <= told && told <= Math.max(0, offset)).toBe(true)
    }))
  })

  it("is that of the frames in the window alone that say the most, in as few samples", () => {
    fc.assert(fc.property(frames, offsets, (drawn, offset) => {
      const all = framesOf(offset, drawn)
      const known = observeAll(all)
      const within = all.filter(({ at }) => slot(at) > slot(lastOf(all)) - 5)
      const least = Math.max(...within.map((one) => one.least))
      const greatest = Math.min(...within.map((one) => one.greatest))
      expect(estimateAt(known, lastOf(all))).toBe(least > 0 ? least : Math.min(greatest, 0))
      expect(known.length).toBeLessThanOrEqual(limits.clockSamplesMax)
    }))
  })

  it("is the true one after a frame and its answer without a delay", () => {
    const known = observeAll([
      { at: 0, least: -5_000, greatest: 9_000 },
      { at: 10, least: -3_000, greatest: -3_000 }
    ])
    expect(estimateAt(known, 10)).toBe(-3_000)
  })

  it("stays 0 while a node works off frames that came during its pause", () => {
    const backlog = Array.from({ length: 50 }, (_, i) => ({
      at: 5_000,
      least: 100 * i - 5_000,
      greatest: 5
    }))
    const before = { at: 0, least: 0, greatest: 0 }
    for (let count = 0; count <= backlog.length; count++) {
      const known = observeAll([before, ...backlog.slice(0, count)])
      expect(estimateAt(known, 5_000) ?? 0).toBe(0)
    }
  })

  it("is unknown before the first frame, and when the last one has aged", () => {
    expect(estimateAt(unknown, 0)).toBeUndefined()
    const known = observeAll([{ at: 0, least: 7_000, greatest: Infinity }])
    expect(estimateAt(known, 999)).toBe(7_000)
    expect(estimateAt(known, 1_000)).toBeUndefined()
  })

  it("is that of the next frame after a clock was set, in either direction", () => {
    const offset = fc.integer({ min: -5_000, max: 5_000 })
    fc.assert(fc.property(offset, offset, (before, after) => {
      fc.pre(before !== after)
      const known = observeAll([
        { at: 0, least: before, greatest: before },
        { at: 1, least: after, greatest: after }
      ])
      expect(estimateAt(known, 1)).toBe(after)
    }))
  })

  it("ignores a frame that contradicts itself, as of a clock that was set back since", () => {
    const known = observeAll([{ at: 0, least: 10, greatest: -3_600_000 }])
    expect(estimateAt(known, 0)).toBeUndefined()
  })

  it("never leaves the room between the offsets before and after the own clock was set", () => {
    const millis = fc.integer({ min: -5_000, max: 5_000 })
    fc.assert(fc.property(frames, millis, millis, fc.boolean(), (drawn, offset, step, isLoose) => {
      const all = framesOf(offset, drawn)
      const at = lastOf(all)
      const after = { at: at + 1, wall: at + 1 + step }
      const known = observe(observeAll(all), {
        ...after,
        least: offset - step - 9_000,
        greatest: isLoose ? Infinity : offset - step + 20_000
      }, limits)
      const told = estimate(known, after, limits) ?? 0
      const [low, high] = [Math.min(offset, offset - step, 0), Math.max(offset, offset - step, 0)]
      expect(low <= told && told <= high).toBe(true)
      if (offset === 0) expect(step > 0 ? told <= 0 : told >= 0).toBe(true)
    }))
  })
})
