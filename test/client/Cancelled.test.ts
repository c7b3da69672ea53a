// Checks that a caller can give up a request: it ends at once, and says if it may have applied.
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { Backend, BackendRequest, BackendRespond } from "../../src/client/Backend.ts"
import { makeClient } from "../../src/client/Everwrite.ts"
import { HttpBackend } from "../../src/client/HttpBackend.ts"
import { makeDb } from "../../src/client/Promises.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { Cancelled, Overloaded } from "../../src/core/model/StoreError.ts"
import { buckets, notes, profiles, scores, shelves } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { until } from "../tooling/until.ts"
import { remote, ways, type WayToStore } from "./ways.ts"

/** A backend that answers nothing, and notes the requests and those that were cancelled. */
const mute = () => {
  const asked: Array<BackendRequest> = []
  const cancelled: Array<BackendRequest> = []
  const responds: Array<BackendRespond> = []
  const backend: Backend = {
    runtime: liveRuntime,
    request: (request, respond) => {
      asked.push(request)
      responds.push(respond)
      return () => {
        cancelled.push(request)
        respond(new Cancelled({ mayHaveApplied: false }))
      }
    },
    describe: () => undefined,
    explain: () => undefined,
    list: () => undefined
  }
  return { asked, cancelled, responds, backend }
}

const interrupted = async (effect: Effect.Effect<unknown, unknown>): Promise<void> => {
  await Effect.runPromise(Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    yield* Fiber.interrupt(fiber)
  }))
}

describe.each(ways)("%s, an aborted signal", (_, open) => {
  let cluster: MemoryCluster
  let store: WayToStore
  beforeEach(async () => {
    cluster = await makeCluster({ nodes: 3, buckets, timeoutMillis: 60_000 })
    store = await open(cluster)
    for (const { id } of cluster.nodes.slice(1)) cluster.cut(id)
  })
  afterEach(() => cluster.stop())

  const underWay = () => cluster.nodes[0]!.core.coordinator.underWay()

  it("ends a write at once, and says that it may have applied", async () => {
    const aborting = new AbortController()
    const writing = store.bucket(profiles).put("k", { name: "x" }, {
      w: "all",
      timeout: "1 minute",
      signal: aborting.signal
    })
    await until("a node has it", () => underWay() > 0)
    aborting.abort()
    await expect(writing).rejects.toMatchObject({ _tag: "Cancelled", mayHaveApplied: true })
  })

  it("ends a read at once, and each of many", async () => {
    const aborting = new AbortController()
    const options = { r: "all", timeout: "1 minute", signal: aborting.signal } as const
    const one = store.bucket(notes).get("k", options)
    const many = store.bucket(notes).many(["k", "l"], options)
    await until("a node has them", () => underWay() > 2)
    aborting.abort()
    await expect(one).rejects.toMatchObject({ _tag: "Cancelled", mayHaveApplied: false })
    await expect(many).rejects.toMatchObject({ _tag: "Cancelled", mayHaveApplied: false })
  })

  it("keeps an update from writing what it has read", async () => {
    cluster.heal()
    const aborting = new AbortController()
    const change = () => {
      aborting.abort()
      return 1
    }
    const updating = store.bucket(scores).update("k", change, { signal: aborting.signal })
    await expect(updating).rejects.toMatchObject({ _tag: "Cancelled", mayHaveApplied: false })
    expect(await store.bucket(scores).get("k")).toBeUndefined()
  })

  it("sends nothing where it was aborted before", async () => {
    cluster.heal()
    const signal = AbortSignal.abort()
    const writing = store.bucket(shelves).visits.add("k", 1, { signal })
    await expect(writing).rejects.toMatchObject({ _tag: "Cancelled", mayHaveApplied: false })
    expect(await store.bucket(shelves).get("k")).toBeUndefined()
  })
})

describe("a write over NATS that is given up in the turn in which it was asked for", () => {
  it("is not sent, and so not done, as its error says; others of that turn are", async () => {
    const cluster = await makeCluster({ nodes: 3, buckets })
    const backend = await remote(cluster)
    const handle = makeDb({ shelves }, backend, async () => backend.close()).shelves
    // Its node's mark is known from here on.
    await handle.visits.add("k", 1)
    const aborting = new AbortController()
    const given = handle.visits.add("k", 10, { signal: aborting.signal })
    const kept = handle.visits.add("k", 100)
    aborting.abort()
    await expect(given).rejects.toMatchObject({ _tag: "Cancelled", mayHaveApplied: false })
    await kept
    expect((await handle.get("k", { r: "all" }))?.visits).toBe(101)
    backend.close()
    cluster.stop()
  })
})

describe("an interrupted Effect", () => {
  it("cancels its request", async () => {
    const { asked, backend, cancelled } = mute()
    const handle = makeClient(backend).bucket(profiles)
    await interrupted(handle.put("k", { name: "x" }))
    expect(asked).toHaveLength(1)
    expect(cancelled).toEqual(asked)
  })

  it("cancels the read of an update, and all reads of many that are under way", async () => {
    const { asked, backend, cancelled } = mute()
    const store = makeClient(backend)
    await interrupted(store.bucket(scores).update("k", () => 1))
    expect(asked).toHaveLength(1)
    await interrupted(store.bucket(scores).many(Array.from({ length: 1000 }, String)))
    expect(asked).toHaveLength(1 + lan.client.manyMax)
    await interrupted(store.many({ it: [scores, Array.from({ length: 1000 }, String)] }))
    expect(asked).toHaveLength(1 + 2 * lan.client.manyMax)
    expect(cancelled).toEqual(asked)
  })

  it("ends a read of many that waits to be tried again", async () => {
    const { asked, backend, responds } = mute()
    const aborting = new AbortController()
    const db = makeDb({ scores }, backend, async () => undefined)
    const reading = db.scores.many(["k"], { signal: aborting.signal })
    responds[0]!(new Overloaded({ retryAfterMillis: 3_600_000 }))
    aborting.abort()
    await expect(reading).rejects.toMatchObject({ _tag: "Cancelled", mayHaveApplied: false })
    expect(asked).toHaveLength(1)
  })
})

describe("over NATS", () => {
  it("a cancelled request that waits for its turn was certainly not done", async () => {
    const cluster = await makeCluster({ nodes: 3, buckets, timeoutMillis: 60_000 })
    try {
      const db = makeDb({ profiles }, await remote(cluster), async () => undefined)
      const aborting = new AbortController()
      const first = lan.client.inFlightFirst
      const writing = Array.from(
        { length: 2 * first },
        (_, i) => db.profiles.put(`k${i}`, { name: "x" }, { signal: aborting.signal })
      )
      // In this turn none of them was answered, and those beyond the first have not been begun.
      aborting.abort()
      const ended = await Promise.allSettled(writing)
      const certain = ended.filter((one) =>
        one.status === "rejected" && one.reason.mayHaveApplied === false
      )
      expect(ended.every(({ status }) => status === "rejected")).toBe(true)
      expect(certain.length).toBeGreaterThanOrEqual(first)
      expect(await db.profiles.get(`k${2 * first - 1}`)).toBeUndefined()
    } finally {
      cluster.stop()
    }
  })
})

describe("over HTTP", () => {
  it("a cancelled write ends at once, and its connection too", async () => {
    let aborted = false
    const backend = new HttpBackend({
      runtime: liveRuntime,
      url: "http://127.0.0.1:1",
      fetch: (_, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener("abort", () => {
            aborted = true
            reject(new Error("aborted"))
          })
        })
    })
    const db = makeDb({ profiles }, backend, async () => undefined)
    const aborting = new AbortController()
    const writing = db.profiles.put("k", { name: "x" }, { signal: aborting.signal })
    aborting.abort()
    await expect(writing).rejects.toMatchObject({ _tag: "Cancelled", mayHaveApplied: true })
    expect(aborted).toBe(true)
  })
})
