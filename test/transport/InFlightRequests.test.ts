// Checks when a request that waits is sent again, and that it ends once, at its deadline.
import * as fc from "fast-check"
import { beforeEach, describe, expect, it } from "vitest"
import { lan } from "../../src/core/model/Limits.ts"
import {
  InFlightRequests,
  type ResendLimits,
  type Waiting
} from "../../src/transport/InFlightRequests.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"

class Waits implements Waiting {
  deadline: number
  readonly events: Array<string> = []
  readonly #runtime: SteppedRuntime

  constructor(runtime: SteppedRuntime, deadline: number) {
    this.#runtime = runtime
    this.deadline = deadline
  }

  resend(): void {
    this.events.push(`resend ${this.#runtime.elapsed()}`)
  }

  expire(): void {
    this.events.push(`expire ${this.#runtime.elapsed()}`)
  }
}

let runtime: SteppedRuntime
let pending: InFlightRequests<Waits>
beforeEach(() => {
  runtime = new SteppedRuntime()
  pending = new InFlightRequests({ runtime, limits: { ...lan.node, firstPauseMillis: 100 } })
})

const add = (deadline: number): { readonly number: number; readonly waits: Waits } => {
  const waits = new Waits(runtime, deadline)
  const number = pending.nextNumber()
  pending.add(number, waits)
  return { number, waits }
}

describe("a request that waits", () => {
  it("is sent again after pauses that double, and once more in half of the rest", () => {
    const { waits } = add(1_000)
    runtime.advance(5_000)
    const resent = ["resend 100", "resend 300", "resend 700", "resend 860"]
    expect(waits.events).toEqual([...resent, "expire 1000"])
    expect(pending.size).toBe(0)
    expect(pending.resends).toBe(4)
  })

  it("gets the answers that came while the process did nothing before its time is up", () => {
    const { number, waits } = add(1_000)
    runtime.advance(90)
    runtime.stall(5_000)
    // The timers are late; answers that wait in the socket are read after them.
    runtime.advance(0)
    expect(waits.events).toEqual([])
    pending.remove(number)
    runtime.advance(5_000)
    expect(waits.events).toEqual([])
  })

  it("ends all the same where the process does nothing again and again", () => {
    const { waits } = add(1_000)
    for (let i = 0; i < 4; i++) {
      runtime.stall(2_000)
      runtime.advance(0)
    }
    expect(waits.events).toHaveLength(1)
    expect(waits.events[0]).toMatch(/^expire/u)
  })

  it("is left alone once it is removed", () => {
    const { number, waits } = add(1_000)
    runtime.advance(150)
    pending.remove(number)
    runtime.advance(5_000)
    expect(waits.events).toEqual(["resend 100"])
    expect(pending.get(number)).toBeUndefined()
  })

  it("ends earlier where its deadline comes nearer", () => {
    const { waits } = add(10_000)
    runtime.advance(50)
    waits.deadline = 60
    runtime.advance(50)
    expect(waits.events).toEqual(["expire 60"])
  })

  it("is found by its number, which is never 0 and never given twice", () => {
    const all = [add(1_000), add(1_000), add(1_000)]
    expect(new Set([0, ...all.map(({ number }) => number)]).size).toBe(4)
    for (const { number, waits } of all) expect(pending.get(number)).toBe(waits)
  })

  it("ends once with all others when they are ended", () => {
    const all = [add(1_000), add(2_000)]
    pending.stopAll()
    pending.stopAll()
    runtime.advance(5_000)
    for (const { waits } of all) expect(waits.events).toEqual(["expire 0"])
  })

  it("may be joined by others while all are sent again or ended", () => {
    const { waits } = add(1_000)
    let added: Waits | undefined
    waits.expire = () => {
      added = add(5_000).waits
    }
    runtime.advance(2_000)
    pending.resendAll()
    expect(added?.events).toEqual(["resend 1100", "resend 1300", "resend 1700", "resend 2000"])
  })

  it("costs no timer where nothing waits", () => {
    const { number } = add(1_000)
    pending.remove(number)
    runtime.advance(100)
    let timers = 0
    const { after } = runtime
    Object.assign(runtime, {
      after: (...args: Parameters<typeof after>) => (timers++, after(...args))
    })
    runtime.advance(1_000)
    expect(timers).toBe(0)
  })

  it("has a number from where it was told to begin", () => {
    const limits = lan.node
    const later = new InFlightRequests<Waits>({ runtime, limits, firstNumber: 77 })
    expect([later.nextNumber(), later.nextNumber()]).toEqual([77, 78])
    const none = new InFlightRequests<Waits>({ runtime, limits, firstNumber: 0 })
    expect(none.nextNumber()).toBe(1)
  })
})

/** A request that is answered after so long. */
const answeredAfter = (millis: number): Waits => {
  const { number, waits } = add(60_000)
  runtime.advance(millis)
  pending.answered(number)
  pending.remove(number)
  return waits
}

/** When unanswered requests are sent again, from now. */
const pauses = (): ReadonlyArray<number> => {
  const begun = runtime.elapsed()
  const { number, waits } = add(begun + 60_000)
  runtime.advance(20_000)
  pending.remove(number)
  return waits.events.map((event) => Number(event.split(" ")[1]) - begun)
}

/** Begins anew with a table of such requests. */
const begin = (limits: Partial<ResendLimits> = {}): void => {
  runtime = new SteppedRuntime()
  pending = new InFlightRequests({ runtime, limits: { ...lan.node, ...limits } })
}

describe("the pause before a request is sent again", () => {
  it("is the one given until a round trip is measured, and four round trips from then on", () => {
    begin()
    expect(pauses().slice(0, 2)).toEqual([500, 1500])
    begin()
    answeredAfter(60)
    expect(pauses().slice(0, 3)).toEqual([240, 720, 1680])
  })

  it("is within its bounds, under any round trips", () => {
    const bounds = fc.tuple(fc.integer({ min: 20, max: 500 }), fc.integer({ min: 500, max: 2000 }))
    fc.assert(fc.property(bounds, fc.array(fc.nat(400), { minLength: 1 }), ([min, max], trips) => {
      begin({ resendMinMillis: min, resendMaxMillis: max })
      for (const millis of trips) answeredAfter(millis)
      const [first] = pauses()
      expect(first).toBeGreaterThanOrEqual(min)
      // Requests are looked at every 20 ms.
      expect(first).toBeLessThanOrEqual(max + 20)
      expect(first).toBeGreaterThanOrEqual(Math.min(max, 4 * Math.min(...trips)))
      expect(first).toBeLessThanOrEqual(Math.max(min, 4 * Math.max(...trips)) + 20)
    }))
  })

  it("is at least 100 ms and at most 1 s on a local network", () => {
    begin()
    answeredAfter(0)
    expect(pauses()[0]).toBe(100)
    begin({ firstPauseMillis: 5_000 })
    answeredAfter(2_000)
    expect(pauses()[0]).toBe(1_000)
  })

  it("follows round trips that change, an eighth of the way with each", () => {
    begin()
    answeredAfter(200)
    answeredAfter(40)
    expect(pauses()[0]).toBe(4 * 180)
    begin()
    answeredAfter(200)
    for (let i = 0; i < 60; i++) answeredAfter(40)
    expect(pauses()[0]).toBe(180)
  })

  it("measures nothing by a request that was sent again, one way or the other", () => {
    begin()
    answeredAfter(60)
    expect(answeredAfter(250).events).toHaveLength(1)
    begin()
    const { number } = add(60_000)
    pending.resendAll()
    runtime.advance(1)
    pending.answered(number)
    expect(pauses()[0]).toBeGreaterThanOrEqual(500)
  })

  it("measures nothing by an answer for which no request waits", () => {
    begin()
    const { number } = add(60_000)
    pending.remove(number)
    pending.answered(number)
    pending.answered(999)
    expect(pauses()[0]).toBe(500)
  })

  it("stays as it is beside unanswered requests", () => {
    begin()
    answeredAfter(60)
    for (let i = 0; i < 3; i++) expect(pauses().slice(0, 3)).toEqual([240, 720, 1680])
  })

  it("grows with requests sent again until one is not, so that slower answers are measured", () => {
    begin()
    for (let i = 0; i < 10; i++) answeredAfter(10)
    const sendings = Array.from({ length: 12 }, () => answeredAfter(450).events.length)
    expect(sendings[0]).toBeGreaterThan(0)
    expect(sendings.at(-1)).toBe(0)
    for (let i = 0; i < 60; i++) answeredAfter(10)
    expect(pauses()[0]).toBe(100)
  })
})
