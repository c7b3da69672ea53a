// Checks that no exception in what the surroundings call ends the process: each is counted by its
// kind, and reported with it.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type FailureKind, Guard, type Surroundings } from "../../src/node/Guard.ts"
import { buckets } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 1, buckets })
})
afterEach(() => stepped.stop())

type Task = () => void

/** Surroundings of a node that keep each task that is given to them, instead of calling it. */
const surroundings = (tasks: Array<Task>): Surroundings => {
  const { runtime, storage, transport } = stepped.nodes[0]!.core.options
  const close = { close: () => {} }
  const message = {
    subject: "a.b",
    data: new Uint8Array(),
    reply: undefined,
    noResponders: false
  }
  return {
    runtime: {
      ...runtime,
      after: (_, task) => {
        tasks.push(task)
        return () => {}
      },
      endOfTurn: (task) => void tasks.push(task)
    },
    transport: {
      ...transport,
      subscribe: (_, handler) => {
        tasks.push(() => handler(message))
        return close
      },
      flush: (done) => void tasks.push(() => done(true)),
      onStatus: (listener) => {
        tasks.push(() => listener(true))
        return close
      }
    },
    storage: {
      ...storage,
      write: (_, done) => {
        tasks.push(() => done(undefined))
        return []
      },
      barrier: (done) => void tasks.push(() => done(undefined))
    }
  }
}

const fail = (): never => {
  throw new Error("planted")
}

const batch = { documents: [], rows: [] }

const places: ReadonlyArray<
  readonly [kind: FailureKind, place: string, give: (given: Surroundings) => void]
> = [
  ["timer", "a timer", ({ runtime }) => void runtime.after(1, fail)],
  ["turn", "the end of a turn", ({ runtime }) => runtime.endOfTurn(fail)],
  ["message", "a message to a.b", ({ transport }) => void transport.subscribe("a.b", fail)],
  ["flush", "a flush", ({ transport }) => transport.flush(fail)],
  ["connection", "a change of the connection", ({ transport }) => void transport.onStatus(fail)],
  ["commit", "the commit of a write", ({ storage }) => void storage.write(batch, fail)],
  ["commit", "the commit of a write", ({ storage }) => storage.barrier(fail)]
]

describe("an exception", () => {
  it.each(places)(
    "of kind %s in %s ends that task alone, is counted and reported",
    (kind, place, give) => {
      const reported: Array<readonly [message: string, where: string]> = []
      const guard = new Guard((failure, where) => reported.push([String(failure), where]))
      const tasks: Array<Task> = []
      give(guard.around(surroundings(tasks)))
      expect(tasks).toHaveLength(1)
      for (const count of [1, 2]) {
        tasks[0]!()
        expect(guard.count).toBe(count)
        expect([...guard.counts]).toEqual([[kind, count]])
      }
      expect(reported).toEqual([1, 2].map(() => ["Error: planted", place]))
    }
  )
})
