// The budget of work in the background: it shrinks as clients' requests take longer.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BackgroundBudget, shareOf } from "../../../src/core/admission/BackgroundBudget.ts"
import { LatencyWindow, requestsLeast } from "../../../src/core/admission/LatencyWindow.ts"

const limits = {
  backgroundTargetMillis: 50,
  backgroundPercentMin: 10,
  backgroundWindowMillis: 1_000
}
const millis = fc.double({ min: 0, max: 10_000, noNaN: true })

describe("the share of work in the background", () => {
  it("stays between its least and 1, and never grows with the latency", () => {
    fc.assert(fc.property(millis, millis, (one, other) => {
      const [less, more] = [Math.min(one, other), Math.max(one, other)]
      expect(shareOf(less, limits)).toBeGreaterThanOrEqual(shareOf(more, limits))
      for (const at of [less, more]) {
        expect(shareOf(at, limits)).toBeGreaterThanOrEqual(0.1)
        expect(shareOf(at, limits)).toBeLessThanOrEqual(1)
      }
    }))
  })

  it("is whole up to half of the target, and the least from the target on", () => {
    expect([undefined, 0, 25].map((p99) => shareOf(p99, limits))).toEqual([1, 1, 1])
    expect([50, 51, 9_000].map((p99) => shareOf(p99, limits))).toEqual([0.1, 0.1, 0.1])
  })
})

describe("a window of latencies", () => {
  it("tells a percentile within a fifth of the exact one", () => {
    const times = fc.array(fc.double({ min: 0.2, max: 60_000, noNaN: true }), {
      minLength: requestsLeast,
      maxLength: 300
    })
    fc.assert(fc.property(times, fc.double({ min: 0.01, max: 1, noNaN: true }), (all, share) => {
      const window = new LatencyWindow(1_000)
      for (const time of all) window.add(time, 0)
      const exact = all.toSorted((a, b) => a - b)[Math.ceil(share * all.length) - 1]!
      const told = window.percentile(share, 0)!
      expect(told / exact).toBeGreaterThan(0.999)
      expect(told / exact).toBeLessThan(1.2)
    }))
  })

  it("forgets what is older than the window, and keeps what is younger than its half", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 3_000 }), (later) => {
      const window = new LatencyWindow(1_000)
      window.add(1, 0)
      for (let i = 0; i < requestsLeast; i++) window.add(500, 700)
      const told = window.percentile(0.99, 700 + later)
      if (later < 500) expect(told).toBeGreaterThan(400)
      if (later >= 1_000) expect(told).toBeUndefined()
    }))
  })
})

const afterRequests = (each: number): BackgroundBudget => {
  const budget = new BackgroundBudget(limits)
  for (let i = 0; i < 100; i++) budget.ended(each, 0)
  return budget
}

describe("work in the background", () => {
  it("waits ten times as long where clients' requests take too long", () => {
    expect(afterRequests(1).pauseMillis(1_000, 10_000, 0)).toBe(100)
    expect(afterRequests(100).pauseMillis(1_000, 10_000, 0)).toBe(1_000)
  })

  it("rests after a step for up to as long as that took, and not at its whole rate", () => {
    expect(new BackgroundBudget(limits).restMillis(20, 0)).toBe(0)
    expect(afterRequests(1).restMillis(20, 0)).toBe(0)
    expect(afterRequests(100).restMillis(20, 0)).toBeCloseTo(18)
    fc.assert(fc.property(millis, millis, (each, took) => {
      const budget = afterRequests(each)
      const rest = budget.restMillis(took, 0)
      expect(rest).toBeGreaterThanOrEqual(0)
      expect(rest).toBeLessThanOrEqual(took)
      expect(budget.pausedMillis).toBe(rest)
    }))
  })

  it("of two kinds shares one rate", () => {
    const budget = new BackgroundBudget(limits)
    expect(budget.pauseMillis(1_000, 10_000, 0)).toBe(100)
    expect(budget.pauseMillis(1_000, 10_000, 0)).toBe(200)
    expect(budget.pauseMillis(1_000, 10_000, 1_000)).toBe(100)
    expect(budget.pausedMillis).toBe(300)
  })
})
