// Checks that stamps follow causality under any clocks, and wall time where that helps.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { correction, nextStamp, stampMax } from "../../../src/core/clock/HybridClock.ts"

/** Any clock: right, stopped, before 1970, in the far future. */
const clock = fc.oneof(
  fc.double({ noNaN: true }),
  fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 }),
  fc.constantFrom(0, -1, 2 ** 52, 1e300, Infinity, -Infinity)
)

describe("a stamp", () => {
  it("is greater than every stamp of the chain of writes that it saw, under any clocks", () => {
    fc.assert(fc.property(fc.array(clock, { minLength: 1 }), (clocks) => {
      let seen = 0
      for (const nowMillis of clocks) {
        const stamp = nextStamp({ nowMillis, seen })
        expect(stamp).toBeGreaterThan(seen)
        expect(Number.isSafeInteger(stamp)).toBe(true)
        seen = stamp
      }
    }))
  })

  it("is the wall clock's, to the microsecond, where nothing later was seen", () => {
    const wall = fc.integer({ min: 0, max: 2_000_000_000_000 })
    fc.assert(fc.property(wall, fc.nat(), (nowMillis, earlier) => {
      const stamp = nextStamp({ nowMillis, seen: Math.max(nowMillis * 1000 - earlier, 0) })
      expect(stamp).toBe(nowMillis * 1000 + 1)
    }))
  })

  it("is never one that the formats do not hold, even after the greatest", () => {
    expect(nextStamp({ nowMillis: 0, seen: stampMax - 1 })).toBe(stampMax)
    expect(nextStamp({ nowMillis: Infinity, seen: stampMax })).toBe(stampMax)
  })

  it("of a clock in the far future leaves room for 2^52 writes after it", () => {
    const stamp = nextStamp({ nowMillis: Infinity, seen: 0 })
    expect(stampMax - stamp).toBeGreaterThan(2 ** 52 - 3)
  })
})

const offset = fc.integer({ min: -100_000, max: 100_000 })
const skewMillis = fc.nat(50_000)

describe("the correction of the own clock", () => {
  it("is none where fewer than two peers could say that it is wrong", () => {
    fc.assert(fc.property(fc.array(offset, { maxLength: 1 }), (offsets) => {
      expect(correction({ offsets, skewMillis: 0 })).toBe(0)
    }))
  })

  it("is none up to the allowed skew, beyond it the median of all", () => {
    const offsets = fc.array(offset, { minLength: 2, maxLength: 9 })
    fc.assert(fc.property(offsets, skewMillis, (offsets, skewMillis) => {
      const clocks = [0, ...offsets]
      const millis = correction({ offsets, skewMillis })
      if (millis !== 0) {
        const below = clocks.filter((clock) => clock < millis).length
        const above = clocks.filter((clock) => clock > millis).length
        expect(Math.max(below, above)).toBeLessThanOrEqual(clocks.length / 2)
        expect(Math.abs(millis)).toBeGreaterThan(skewMillis)
      }
    }))
  })

  it("is not moved by a minority of clocks, however wrong they are", () => {
    const minority = fc.array(fc.integer(), { minLength: 1, maxLength: 2 })
    fc.assert(fc.property(minority, skewMillis, (wrong, skewMillis) => {
      expect(correction({ offsets: [0, 0, ...wrong], skewMillis })).toBe(0)
    }))
  })

  it("of a wrong clock brings it to its peers' time", () => {
    expect(correction({ offsets: [-60_000, -60_010, -59_990], skewMillis: 500 })).toBe(-59_995)
    expect(correction({ offsets: [-60_000, -60_010], skewMillis: 500 })).toBe(-60_000)
    expect(correction({ offsets: [-400, -500, 100], skewMillis: 500 })).toBe(0)
  })
})
