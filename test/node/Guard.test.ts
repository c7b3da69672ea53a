// Checks that no exception in what the surroundings call ends the process: each is counted by its
// place, and reported with it.
import { describe, expect, it } from "vitest"
import { Guard, type Surroundings } from "../../src/node/Guard.ts"

type Task = (...args: ReadonlyArray<unknown>) => void

/** Surroundings that keep each task that is given to them, instead of calling it. */
const surroundings = (tasks: Array<Task>) => {
  const keep = (task: unknown): void => {
    if (typeof task === "function") tasks.push((...args) => void Reflect.apply(task, null, args))
  }
  const parts: unknown = {
    runtime: { after: (_: number, task: unknown) => keep(task), endOfTurn: keep },
    transport: {
      subscribe: (_: string, handler: unknown) => keep(handler),
      flush: keep,
      onStatus: keep
    },
    storage: { write: (_: unknown, done: unknown) => keep(done), barrier: keep }
  }
  return parts as Surroundings
}

const fail = (): never => {
  throw new Error("planted")
}

const batch = { documents: [], rows: [] }

const places: ReadonlyArray<readonly [place: string, give: (given: Surroundings) => void]> = [
  ["a timer", ({ runtime }) => void runtime.after(1, fail)],
  ["the end of a turn", ({ runtime }) => runtime.endOfTurn(fail)],
  ["a message to a.b", ({ transport }) => void transport.subscribe("a.b", fail)],
  ["a flush", ({ transport }) => transport.flush(fail)],
  ["a change of the connection", ({ transport }) => void transport.onStatus(fail)],
  ["the commit of a write", ({ storage }) => void storage.write(batch, fail)],
  ["the commit of a write", ({ storage }) => storage.barrier(fail)]
]

describe("an exception", () => {
  it.each(places)("in %s ends that task alone, is counted and reported", (place, give) => {
    const reported: Array<readonly [message: string, where: string]> = []
    const guard = new Guard((failure, where) => reported.push([String(failure), where]))
    const tasks: Array<Task> = []
    give(guard.around(surroundings(tasks)))
    expect(tasks).toHaveLength(1)
    for (const count of [1, 2]) {
      tasks[0]!({})
      expect(guard.count).toBe(count)
      expect([...guard.counts]).toEqual([[place, count]])
    }
    expect(reported).toEqual(Array(2).fill(["Error: planted", place]))
  })
})
