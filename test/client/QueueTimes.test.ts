// Checks how long acknowledged requests took, from the call on, where clients ask for many times
// what the nodes can do, and the nodes answer unevenly.
import { describe, expect, it } from "vitest"
import { RequestQueue } from "../../src/client/RequestQueue.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { stream } from "../../src/testing/simulator/SeededRandom.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"

const clients = 4
const perMilli = 5
const warmMillis = 2_000
const endMillis = 6_000
/**
 * One answer of fifty takes so many times as long as those around it: on two cores the slowest of a
 * hundred puts took three to four times the usual one.
 */
const unevenTimes = 3.5
const unevenShare = 1 / 50

interface Asked {
  readonly at: number
  readonly answer: (millis: number) => void
}

/** Milliseconds of each request that was answered after the start. */
const timesOf = (inFlight: number, seed: number): ReadonlyArray<number> => {
  const runtime = new SteppedRuntime()
  const random = stream(seed, "uneven")
  const asked: Array<Asked> = []
  const times: Array<number> = []
  let head = 0
  const call = (queue: RequestQueue): void => {
    const calledAt = runtime.elapsed()
    const begin = (): void => {
      const answer = (millis: number): void => {
        if (calledAt > warmMillis) times.push(runtime.elapsed() - calledAt)
        queue.ended(millis, runtime.elapsed())
        call(queue)
      }
      asked.push({ at: runtime.elapsed(), answer })
    }
    queue.add({ begin, refuse: () => call(queue) })
  }
  const serve = (): void => {
    for (let i = 0; i < perMilli; i++) {
      const next = asked[head]
      if (next === undefined) return
      head++
      const millis = runtime.elapsed() - next.at
      const late = random.chance(unevenShare) ? millis * (unevenTimes - 1) : 0
      runtime.after(late, () => next.answer(millis + late))
    }
  }
  for (let i = 0; i < clients; i++) {
    const queue = new RequestQueue({ runtime, limits: lan.client, flush: (done) => done(true) })
    for (let j = 0; j < inFlight / clients; j++) call(queue)
  }
  while (runtime.elapsed() < endMillis) {
    runtime.advance(1)
    serve()
  }
  return times.toSorted((a, b) => a - b)
}

describe("requests at many times what the nodes can do", () => {
  it.each([5_000, 10_000, 20_000])("are answered within 500 ms, 99 of 100: %i", (inFlight) => {
    const times = timesOf(inFlight, 1)
    expect(times[Math.floor(times.length * 0.99)]).toBeLessThanOrEqual(500)
    const inTime = endMillis - warmMillis
    expect(times.length).toBeGreaterThan(0.8 * perMilli * inTime)
  })
})
