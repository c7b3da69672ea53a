// Checks that work is cut into turns: each has an end, all works go on in each, and what waits is
// bounded.
import * as fc from "fast-check"
import { beforeEach, describe, expect, it } from "vitest"
import { WorkQueue } from "../../src/core/WorkQueue.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"

const limits = { turnMillis: 5, turnStepsMax: 100, workBytesMax: 1_000 }

let runtime: SteppedRuntime
let queue: WorkQueue
let done: Array<string>
beforeEach(() => {
  runtime = new SteppedRuntime()
  queue = new WorkQueue({ runtime, limits })
  done = []
})

/** Work of some steps, each of which takes some time. */
const steps = (name: string, count: number, millis = 0): () => boolean => {
  let left = count
  return () => {
    runtime.stall(millis)
    done.push(name)
    return --left > 0
  }
}

const laned = fc.record({
  count: fc.integer({ min: 1, max: 6 }),
  lane: fc.constantFrom("n1", "n2", undefined),
  throws: fc.boolean()
})

describe("a work queue", () => {
  it("carries out short work at once", () => {
    expect(queue.add(steps("a", 100))).toBe(true)
    expect(done).toHaveLength(100)
    expect(queue.stats).toEqual({ pauses: 0, refused: 0, waiting: 0, bytes: 0 })
  })

  it("ends a turn after so many steps, or so long a time", () => {
    queue.add(steps("a", 250))
    expect(done).toHaveLength(100)
    runtime.endTurn()
    expect(done).toHaveLength(200)
    runtime.runReady()
    expect(done).toHaveLength(250)
    queue.add(steps("b", 10, 2))
    expect(done.filter((name) => name === "b")).toHaveLength(3)
    runtime.runReady()
    expect(done.filter((name) => name === "b")).toHaveLength(10)
  })

  it("takes a step of each work in turn, so that a short one passes a long one", () => {
    queue.add(steps("long", 1_000))
    queue.add(steps("short", 2))
    runtime.endTurn()
    expect(done.slice(100, 104)).toEqual(["long", "short", "long", "short"])
  })

  it("takes the works of a lane one after the other, and others between their steps", () => {
    fc.assert(
      fc.property(fc.array(laned, { maxLength: 20 }), (works) => {
        const runtime = new SteppedRuntime()
        const queue = new WorkQueue({ runtime, limits: { ...limits, turnStepsMax: 3 } })
        const taken: Array<{ readonly work: number; readonly lane: string | undefined }> = []
        works.forEach(({ count, lane, throws }, work) => {
          let left = count
          const step = () => {
            taken.push({ work, lane })
            if (throws) throw new Error("planted")
            return --left > 0
          }
          try {
            queue.add(step, 1, lane)
          } catch (error) {
            expect(error).toMatchObject({ message: "planted" })
          }
        })
        while (queue.stats.waiting > 0) {
          try {
            runtime.endTurn()
          } catch (error) {
            expect(error).toMatchObject({ message: "planted" })
          }
        }
        const steps = works.reduce((sum, { count, throws }) => sum + (throws ? 1 : count), 0)
        expect(taken.length).toBe(steps)
        for (const lane of ["n1", "n2"]) {
          const own = taken.filter((step) => step.lane === lane).map(({ work }) => work)
          expect(own).toEqual(own.toSorted((a, b) => a - b))
        }
        expect(queue.stats).toMatchObject({ refused: 0, waiting: 0, bytes: 0 })
      })
    )
    queue.add(steps("a", 101), 0, "n1")
    queue.add(steps("b", 2), 0, "n1")
    queue.add(steps("c", 2), 0, "n2")
    runtime.runReady()
    expect(done.slice(100)).toEqual(["a", "c", "b", "c", "b"])
  })

  it("goes on with the others where one throws", () => {
    queue.add(steps("a", 150))
    queue.add(() => {
      throw new Error("planted")
    })
    queue.add(steps("b", 2))
    expect(() => runtime.endTurn()).toThrow("planted")
    runtime.runReady()
    expect(done.filter((name) => name === "a")).toHaveLength(150)
    expect(done.filter((name) => name === "b")).toHaveLength(2)
    expect(queue.stats).toMatchObject({ waiting: 0, bytes: 0 })
  })

  it("refuses work that would hold more bytes than it may, but never the only one", () => {
    expect(queue.add(steps("a", 150), 5_000)).toBe(true)
    expect(queue.add(steps("b", 1), 1)).toBe(false)
    runtime.runReady()
    expect(queue.add(steps("c", 150), 600)).toBe(true)
    expect(queue.add(steps("d", 1), 400)).toBe(true)
    expect(queue.add(steps("e", 1), 1)).toBe(false)
    expect(queue.stats).toMatchObject({ refused: 2, waiting: 2, bytes: 1_000 })
    runtime.runReady()
    expect(new Set(done)).toEqual(new Set(["a", "c", "d"]))
  })

  it("does nothing once it is closed", () => {
    queue.add(steps("a", 150))
    queue.close()
    expect(queue.add(steps("b", 1))).toBe(false)
    runtime.runReady()
    expect(done).toHaveLength(100)
    expect(queue.stats).toMatchObject({ waiting: 0, bytes: 0 })
  })

  it("takes each step once, however works come and how long they are", () => {
    const work = fc.record({ steps: fc.integer({ min: 1, max: 300 }), turns: fc.nat(2) })
    fc.assert(fc.property(fc.array(work, { maxLength: 12 }), (works) => {
      done = []
      for (const [index, { steps: count, turns }] of works.entries()) {
        queue.add(steps(String(index), count))
        for (let turn = 0; turn < turns; turn++) runtime.endTurn()
      }
      runtime.runReady()
      for (const [index, { steps: count }] of works.entries()) {
        expect(done.filter((name) => name === String(index))).toHaveLength(count)
      }
    }))
  })
})
