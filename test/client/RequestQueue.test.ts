// Checks how many requests a client has under way, which it begins first, and which it refuses.
import { describe, expect, it } from "vitest"
import { RequestQueue } from "../../src/client/RequestQueue.ts"
import { RetryBudget } from "../../src/client/RetryBudget.ts"
import { lan } from "../../src/core/model/Limits.ts"
import type { StoreError } from "../../src/core/model/StoreError.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"

const limits = {
  ...lan.client,
  inFlightMin: 2,
  inFlightFirst: 2,
  queueMillis: 200,
  refusalMillis: 1_000,
  queuedMax: 100
}

const begin = () => {
  const runtime = new SteppedRuntime()
  const queue = new RequestQueue({ runtime, limits, flush: () => {} })
  const begun: Array<string> = []
  const refused: Array<string> = []
  const errors: Array<StoreError> = []
  const add = (...names: ReadonlyArray<string>): void => {
    for (const name of names) {
      queue.add({
        begin: () => begun.push(name),
        refuse: (error) => {
          refused.push(name)
          errors.push(error)
        }
      })
    }
  }
  return { runtime, queue, begun, refused, errors, add }
}

describe("a client's requests", () => {
  it("are under way up to a limit, and the oldest of the others is begun when one ends", () => {
    const { add, begun, queue, runtime } = begin()
    add("a", "b", "c", "d")
    expect(begun).toEqual(["a", "b"])
    queue.ended(5, runtime.elapsed())
    expect(begun).toEqual(["a", "b", "c"])
    queue.ended(undefined, runtime.elapsed())
    expect(begun).toEqual(["a", "b", "c", "d"])
    expect(queue.stats).toMatchObject({ underWay: 2, waiting: 0 })
  })

  it("are begun newest first once the oldest has waited for half of its time", () => {
    const { add, begun, queue, runtime } = begin()
    add("a", "b", "old", "older")
    runtime.advance(101)
    add("new")
    queue.ended(undefined, runtime.elapsed())
    queue.ended(undefined, runtime.elapsed())
    expect(begun).toEqual(["a", "b", "new", "older"])
  })

  it("of a burst are all begun, be it late, where the queue was empty a second ago", () => {
    const { add, begun, queue, refused, runtime } = begin()
    add("a", "b", "c", "d", "e")
    for (let i = 0; i < 3; i++) {
      runtime.advance(300)
      queue.ended(undefined, runtime.elapsed())
    }
    expect(begun.toSorted()).toEqual(["a", "b", "c", "d", "e"])
    expect(refused).toEqual([])
  })

  it("that were not begun in time are refused, certainly not done, and only after a while", () => {
    const { add, begun, errors, queue, refused, runtime } = begin()
    add("a", "b", "first")
    runtime.advance(900)
    add("late")
    runtime.advance(250)
    expect(refused).toEqual(["first"])
    queue.ended(undefined, runtime.elapsed())
    expect([begun, refused]).toEqual([["a", "b"], ["first"]])
    add("fresh")
    expect(begun).toEqual(["a", "b", "fresh"])
    runtime.advance(1_000)
    expect(refused).toEqual(["first", "late"])
    expect(errors[0]).toMatchObject({ _tag: "Overloaded", retryAfterMillis: expect.any(Number) })
    expect(errors[0]).not.toHaveProperty("node")
  })

  it("beyond those that may wait are refused in the next turn, never in the call itself", () => {
    const { add, refused, runtime } = begin()
    add(...Array.from({ length: 103 }, (_, i) => `${i}`))
    expect(refused).toEqual([])
    runtime.runReady()
    expect(refused).toEqual(["102"])
  })

  it("are fewer under way after nodes have refused some, and more after answers in time", () => {
    const { add, queue, runtime } = begin()
    const round = () => {
      while (queue.stats.underWay < queue.stats.limit) add("x")
      runtime.advance(110)
      for (let left = queue.stats.underWay; left > 0; left--) queue.ended(1, runtime.elapsed())
    }
    for (let i = 0; i < 40; i++) round()
    const grown = queue.stats.limit
    expect(grown).toBeGreaterThan(20)
    for (let i = 0; i < 5; i++) {
      queue.refused()
      round()
    }
    expect(queue.stats.limit).toBeLessThan(grown / 2)
  })

  it("that wait when the client closes are over, and those that come later too", () => {
    const { add, errors, queue, refused } = begin()
    add("a", "b", "c")
    queue.close()
    add("d")
    expect(refused).toEqual(["c", "d"])
    expect(errors).toMatchObject([{ _tag: "Closed", mayHaveApplied: false }, {}])
  })
})

describe("a budget of retries", () => {
  it("lets some through at first, then a tenth of the answers, and never saves up more", () => {
    const budget = new RetryBudget({ answersPerRetry: 8, retriesMax: 2 })
    const takes = (): number => {
      let count = 0
      while (budget.take()) count++
      return count
    }
    expect(takes()).toBe(2)
    for (let i = 0; i < 8; i++) budget.answered()
    expect(takes()).toBe(1)
    for (let i = 0; i < 1_000; i++) budget.answered()
    expect(takes()).toBe(2)
    expect(budget.denied).toBe(3)
  })
})
