// Checks how tasks are put together: order, limits, errors, and what the program itself throws.
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { describe, expect, it } from "vitest"
import * as Task from "../../src/client/Task.ts"

type Numbers = Task.Task<number, string>

const failing: Numbers = (_, fail) => fail("no")

const read = (text: string) =>
  Task.attempt(
    () => {
      if (text === "bug") throw new TypeError("bug")
      if (text === "") throw new RangeError("empty")
      return Task.succeed(text.length)
    },
    (thrown) => (thrown instanceof RangeError ? `refused: ${thrown.message}` : undefined)
  )

/** Tasks that end when they are told to, and how many were under way. */
const manual = (count: number) => {
  const ends: Array<((value: number) => void) | undefined> = []
  const tasks = Array.from({ length: count }, (_, i): Numbers => (done) => {
    ends[i] = done
  })
  return { tasks, ends, begun: () => ends.filter((end) => end !== undefined).length }
}

describe("all tasks", () => {
  it("give their values in order, whichever ends first, so many at once and no more", () => {
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

  it("that end at once may be very many", async () => {
    const tasks = Array.from({ length: 100_000 }, (_, i) => Task.succeed(i))
    expect(await Task.toPromise(Task.all(tasks, 7))).toHaveLength(100_000)
  })

  it("of none are nothing", async () => {
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

describe("an error that the program throws in a later step", () => {
  const fault = new TypeError("of the program")
  const throwing = Task.andThen(Task.succeed(1), (): Numbers => {
    throw fault
  })

  it("does not stop who brought the value, but rejects, or is a defect, as it was", async () => {
    await expect(Task.toPromise(throwing)).rejects.toBe(fault)
    const exit = await Effect.runPromiseExit(Task.toEffect(throwing))
    expect(Exit.isFailure(exit) && Cause.hasDies(exit.cause)).toBe(true)
    expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toBe(fault)
  })

  it("passes through tasks that come after", async () => {
    const later = Task.map(Task.all([Task.andThen(throwing, Task.succeed)], 1), () => 0)
    await expect(Task.toPromise(later)).rejects.toBe(fault)
  })
})

describe("an attempt", () => {
  it("turns known failures into the error, and lets all others be thrown", async () => {
    expect(await Task.toPromise(read("abc"))).toBe(3)
    await expect(Task.toPromise(read(""))).rejects.toBe("refused: empty")
    await expect(Task.toPromise(read("bug"))).rejects.toBeInstanceOf(TypeError)
    const exit = await Effect.runPromiseExit(Task.toEffect(read("")))
    expect(exit).toEqual(Exit.fail("refused: empty"))
  })
})
