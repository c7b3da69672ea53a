// Checks when a request that waits is sent again, and that it ends once, at its deadline.
import { beforeEach, describe, expect, it } from "vitest"
import { InFlightRequests, type Waiting } from "../../src/transport/InFlightRequests.ts"
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
  pending = new InFlightRequests({ runtime, firstPauseMillis: 100 })
})

const add = (deadline: number): { readonly number: number; readonly waits: Waits } => {
  const waits = new Waits(runtime, deadline)
  const number = pending.nextNumber()
  pending.add(number, waits)
  return { number, waits }
}

describe("a request that waits", () => {
  it("is sent again after pauses that double, until its deadline", () => {
    const { waits } = add(1_000)
    runtime.advance(5_000)
    expect(waits.events).toEqual(["resend 100", "resend 300", "resend 700", "expire 1000"])
    expect(pending.size).toBe(0)
    expect(pending.resends).toBe(3)
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
    pending.expireAll()
    pending.expireAll()
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
    const later = new InFlightRequests<Waits>({ runtime, firstPauseMillis: 100, firstNumber: 77 })
    expect([later.nextNumber(), later.nextNumber()]).toEqual([77, 78])
    const none = new InFlightRequests<Waits>({ runtime, firstPauseMillis: 100, firstNumber: 0 })
    expect(none.nextNumber()).toBe(1)
  })
})
