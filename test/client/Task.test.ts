// Checks how tasks are put together: order, limits, errors, and what the program itself throws.
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { describe, expect, it } from "vitest"
import * as Task from "../../src/client/Task.ts"

type Numbers = Task.Task<number, string>

const failing: Numbers = (_, fail) => fail("no")

const succeed = (value: number): Numbers => (done) => done(value)

/** Tasks that end when they are told to, and how many were under way. */
const manual = (count: number) => {
  const ends: Array<((value: number) => void) | undefined> = []
  const tasks = Array.from({ length: count }, (_, i): Numbers => (done) => {
    ends[i] = done
  })
  return { tasks, ends, begun: () => ends.filter((end) => end !== undefined).length }
}

describe("all tasks", () => {
  it("give their values in order, whichever ends first, with no more at once than allowed", () => {
    const { begun, ends, tasks } = manual(5)
    const outcomes: Array<unknown> = []
    Task.all(tasks, 2)(
      (values) => outcomes.push(values),
      (error) => outcomes.push(error),
      Task.rethrow
    )
    expect(begun()).toBe(2)
    for (const [i, under] of [[1, 3], [2, 4], [0, 5], [4, 5]] as const) {
      ends[i]!(i * 10)
      expect(begun()).toBe(under)
    }
    expect(outcomes).toEqual([])
    ends[3]!(30)
    expect(outcomes).toEqual([[0, 10, 20, 30, 40]])
  })

  it("that end at once do not start one another without end", async () => {
    const tasks = Array.from({ length: 100_000 }, (_, i) => succeed(i))
    expect(await Task.toPromise(Task.all(tasks, 7))).toHaveLength(100_000)
  })

  it("give no values where there are no tasks", async () => {
    expect(await Task.toPromise(Task.all([], 3))).toEqual([])
  })

  it("end at the first error, once, and begin no others", () => {
    const { begun, tasks } = manual(1)
    const outcomes: Array<unknown> = []
    Task.all([tasks[0]!, failing, failing, tasks[0]!], 2)(
      (values) => outcomes.push(values),
      (error) => outcomes.push(error),
      Task.rethrow
    )
    expect(outcomes).toEqual(["no"])
    expect(begun()).toBe(1)
  })
})

describe("a fault that the program throws in a later step", () => {
  const fault = new TypeError("of the program")
  const throwing = Task.andThen(succeed(1), (): Numbers => {
    throw fault
  })
  const throwingInMap = Task.map(succeed(1), (): number => {
    throw fault
  })

  it("leaves the caller that brought the value, and rejects or is a defect", async () => {
    await expect(Task.toPromise(throwing)).rejects.toBe(fault)
    await expect(Task.toPromise(throwingInMap)).rejects.toBe(fault)
    const exit = await Effect.runPromiseExit(Task.toEffect(throwing))
    expect(Exit.isFailure(exit) && Cause.hasDies(exit.cause)).toBe(true)
    expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toBe(fault)
  })

  it("passes through tasks that come after", async () => {
    const later = Task.map(Task.all([Task.andThen(throwing, succeed)], 1), () => 0)
    await expect(Task.toPromise(later)).rejects.toBe(fault)
  })
})
