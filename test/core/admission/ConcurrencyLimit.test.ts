// Checks that a server keeps its goodput whatever the load, by a model of one that works off a
// queue in order, and that the limit keeps its promises under any events.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as ConcurrencyLimit from "../../../src/core/admission/ConcurrencyLimit.ts"
import { type Load, serve } from "./ServerModel.ts"

const options: ConcurrencyLimit.LimitOptions = {
  min: 16,
  max: 10_000,
  first: 256,
  waitMillis: 50,
  writeMillis: 200,
  windowMillis: 100
}

const seconds = 6
const perSecond = 1_000

const loadAt = (times: number, fields: Partial<Load> = {}): Load => ({
  perSecond,
  offered: (millis) => millis < seconds * perSecond ? times * perSecond : perSecond / 2,
  millis: (seconds + 4) * 1_000,
  pingEveryMillis: 10,
  refusalShare: 0.02,
  baseMillis: 2,
  ...fields
})

/** Of a server that does `rate` requests a second, at so many times that. */
const expectGoodput = (times: number, rate: number, seed: number): void => {
  const load = loadAt(times * rate / perSecond, { perSecond: rate, seed })
  const run = serve(options, load)
  const loaded = run.filter(({ at }) => at > 1_000 && at < seconds * 1_000)
  const done = loaded.flatMap(({ took }) => took === undefined ? [] : [took])
  const spentOnRefusals = Math.max(0, times - 1) * load.refusalShare
  const possible = Math.min(times, 1) * rate * (seconds - 1) * (1 - spentOnRefusals)
  expect(done.length).toBeGreaterThanOrEqual(0.8 * possible)
  done.sort((a, b) => a - b)
  expect(done[Math.floor(done.length * 0.99)]).toBeLessThanOrEqual(500)
}

describe("a server with a limit", () => {
  it("keeps four fifths of its rate, and answers within 500 ms, at 1 to 20 times its load", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 20, noNaN: true }),
        fc.constantFrom(200, 1_000, 5_000),
        fc.nat(),
        expectGoodput
      ),
      { numRuns: 40 }
    )
  })

  // A known fault: the property above meets such a load in one of some thousands, at 200/s alone.
  it.fails("keeps that at 20 times a load of 200/s, too, of which it takes 516 ms now", () => {
    expectGoodput(19.52611539620219, 200, 1_401_030_149)
  })

  it("refuses nothing two seconds after the load has ended", () => {
    fc.assert(
      fc.property(fc.double({ min: 2, max: 20, noNaN: true }), fc.nat(), (times, seed) => {
        const run = serve(options, loadAt(times, { seed }))
        const after = run.filter(({ at }) => at > (seconds + 2) * 1_000)
        expect(after.length).toBeGreaterThan(0)
        expect(after.filter(({ took }) => took === undefined)).toEqual([])
      }),
      { numRuns: 10 }
    )
  })

  it("holds down a queue of requests that are done within the turn that takes them", () => {
    const run = serve(options, loadAt(3, { isDoneInTurn: true }))
    const done = run.filter(({ at, took }) => at > 1_000 && took !== undefined)
      .map(({ took }) => took!).toSorted((a, b) => a - b)
    expect(done[Math.floor(done.length * 0.99)]).toBeLessThanOrEqual(500)
  })

  it("takes 2 of 3 after the start, and mostly 9 of 10, where the disk alone is slow", () => {
    let loads = 0
    let hindered = 0
    fc.assert(
      fc.property(
        fc.integer({ min: 50, max: 450 }),
        fc.integer({ min: 2, max: 200 }),
        fc.nat(),
        (syncMillis, underWay, seed) => {
          const offered = underWay / (1.5 * syncMillis / 1_000)
          const load = { ...loadAt(0), perSecond: 10_000, offered: () => offered }
          const run = serve(options, { ...load, syncMillis, millis: 10_000, seed })
          const after = run.filter(({ at }) => at > 3_000)
          expect(after.length).toBeGreaterThan(0)
          const refused = after.filter(({ took }) => took === undefined)
          expect(refused.length).toBeLessThanOrEqual(after.length / 3)
          loads++
          if (refused.length > after.length / 10) hindered++
        }
      ),
      { numRuns: 40 }
    )
    expect(hindered).toBeLessThanOrEqual(loads / 10)
  })

  it("refuses nothing that a burst brings, up to its first limit", () => {
    const run = serve(options, {
      ...loadAt(0),
      offered: (millis) => millis < 200 ? 0 : millis < 210 ? 20 * perSecond : 0,
      millis: 1_000
    })
    expect(run.length).toBeGreaterThan(150)
    expect(run.filter(({ took }) => took === undefined)).toEqual([])
  })
})

const event: fc.Arbitrary<(now: number) => ConcurrencyLimit.LimitEvent> = fc.oneof(
  fc.nat(20_000).map((open) => () => ({ _tag: "Taken" as const, open })),
  fc.nat(20_000).map((open) => () => ({ _tag: "Denied" as const, open })),
  fc.nat(3_000).map((millis) => (now: number) => ({ _tag: "Waited" as const, millis, now })),
  fc.nat(3_000).map((millis) => (now: number) => ({ _tag: "Written" as const, millis, now })),
  fc.constant(() => ({ _tag: "Refused" as const }))
)

describe("the limit", () => {
  it("stays within its bounds, and admits one more while few are open and newly taken", () => {
    fc.assert(fc.property(
      fc.array(fc.tuple(fc.nat(300), event), { maxLength: 200 }),
      (events) => {
        let now = 0
        let limit = ConcurrencyLimit.make(options)
        for (const [pause, make] of events) {
          now += pause
          limit = ConcurrencyLimit.step(limit, make(now), options)
          expect(limit.limit).toBeGreaterThanOrEqual(options.min)
          expect(limit.limit).toBeLessThanOrEqual(options.max)
          const isFew = limit.taken < options.min
          expect(ConcurrencyLimit.admits(limit, options.min - 1, options) || !isFew).toBe(true)
          expect(ConcurrencyLimit.admits(limit, options.max, options)).toBe(false)
        }
      }
    ))
  })

  it("is the same after slow writes among which a fast one is", () => {
    let limit = ConcurrencyLimit.make(options)
    for (let now = 0; now < 5_000; now += 10) {
      const millis = now % 90 === 0 ? 5 : 2_000
      limit = ConcurrencyLimit.step(limit, { _tag: "Written", millis, now }, options)
    }
    expect(limit.limit).toBe(options.first)
  })

  it("is the same after a pause of the process, though all waits of that time show it", () => {
    let limit = ConcurrencyLimit.make(options)
    for (
      const [now, millis] of [[10, 1], [200, 1], [3_000, 2_900], [3_001, 2_800], [
        3_003,
        2
      ]] as const
    ) {
      limit = ConcurrencyLimit.step(limit, { _tag: "Waited", millis, now }, options)
    }
    expect(limit).toMatchObject({ limit: options.first, standingMillis: 0 })
  })

  it("is not below the open writes that a pause of the disk delayed, once it writes again", () => {
    fc.assert(fc.property(
      fc.integer({ min: 250, max: 2_000 }),
      fc.integer({ min: 64, max: 256 }),
      fc.integer({ min: 10, max: 90 }),
      (pause, open, usual) => {
        let limit = ConcurrencyLimit.make(options)
        const written = (millis: number, now: number) => {
          limit = ConcurrencyLimit.step(limit, { _tag: "Taken", open: open - 1 }, options)
          limit = ConcurrencyLimit.step(limit, { _tag: "Written", millis, now }, options)
        }
        for (let i = 0; i < open; i++) written(pause, pause + i / 10)
        // Those that began after the pause take as long as ever, and are open as many.
        for (let now = pause + usual; now < pause + 2_000; now += usual / open) written(usual, now)
        expect(limit.limit).toBeGreaterThanOrEqual(open)
      }
    ))
  })

  it("grows again while it is used and nothing waits, from its least to its most", () => {
    let limit = ConcurrencyLimit.make({ ...options, first: options.min })
    for (let now = 0; limit.limit < options.max; now += 50) {
      const open = Math.floor(limit.limit) - 1
      limit = ConcurrencyLimit.step(limit, { _tag: "Taken", open }, options)
      limit = ConcurrencyLimit.step(limit, { _tag: "Waited", millis: 1, now }, options)
      expect(now).toBeLessThan(60_000)
    }
    expect(limit.limit).toBe(options.max)
  })

  it("falls by no more than half in a window, and to what was open", () => {
    let limit = ConcurrencyLimit.make(options)
    limit = ConcurrencyLimit.step(limit, { _tag: "Taken", open: 99 }, options)
    for (const now of [0, 50, 100]) {
      limit = ConcurrencyLimit.step(limit, { _tag: "Waited", millis: 5_000, now }, options)
    }
    expect(limit.limit).toBe(50)
  })

  it("takes few while a long queue stands, though writes end a window with a single wait", () => {
    let limit = ConcurrencyLimit.make(options)
    const waited = (now: number, millis: number) => {
      limit = ConcurrencyLimit.step(limit, { _tag: "Waited", millis, now }, options)
    }
    for (const now of [0, 50, 100, 150]) waited(now, 400)
    for (const now of [260, 270]) {
      limit = ConcurrencyLimit.step(limit, { _tag: "Written", millis: 10, now }, options)
    }
    expect(limit.standingMillis).toBe(400)
    waited(280, 20)
    expect(limit.standingMillis).toBe(0)
  })

  it("asks those who are refused to wait the longer, the more are open", () => {
    const limit = ConcurrencyLimit.make(options)
    const after = (open: number) => ConcurrencyLimit.retryAfterMillis(limit, open, options)
    expect([after(0), after(256), after(512)]).toEqual([50, 50, 100])
  })
})
