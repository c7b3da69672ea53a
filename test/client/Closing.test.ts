// Checks what callers are told after the end of their client or session, and of the requests that
// are under way then, by every way to a store.
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Context from "effect/Context"
import { createServer, type Server } from "node:http"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { Backend } from "../../src/client/Backend.ts"
import { contextOf } from "../../src/client/Entry.ts"
import { Everwrite, layerBackend } from "../../src/client/Everwrite.ts"
import { HttpBackend } from "../../src/client/HttpBackend.ts"
import { NatsBackend } from "../../src/client/NatsBackend.ts"
import { makeDb } from "../../src/client/Promises.ts"
import * as Task from "../../src/client/Task.ts"
import { type ClientLimits, lan } from "../../src/core/model/Limits.ts"
import { Closed, Overloaded } from "../../src/core/model/StoreError.ts"
import { explain, list } from "../cluster/asked.ts"
import { buckets, notes, shelves } from "../cluster/buckets.ts"
import { clusterName, makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { startServer, type TestServer } from "../http/served.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { until } from "../tooling/until.ts"

let cluster: MemoryCluster
let server: TestServer
beforeEach(async () => {
  cluster = await makeCluster({ nodes: 3, buckets, timeoutMillis: 5_000 })
  server = await startServer({ backend: cluster.backends[0]! })
})
afterEach(async () => {
  await server.stop()
  cluster.stop()
})

const bound = { notes, shelves }

const overNats = async (limits: Partial<ClientLimits> = {}) => {
  const backend = new NatsBackend({
    runtime: liveRuntime,
    transport: cluster.connect(),
    cluster: clusterName,
    limits: { ...lan.client, ...limits }
  })
  await Task.toPromise(backend.ready)
  return backend
}

const overHttp = () => new HttpBackend({ runtime: liveRuntime, url: server.url })

const ways = [
  ["in process", async () => makeDb(bound, cluster.backends[0]!, async () => undefined)],
  ["over NATS", async () => {
    const backend = await overNats()
    return makeDb(bound, backend, async () => backend.close())
  }],
  ["over HTTP", async () => {
    const backend = overHttp()
    return makeDb(bound, backend, async () => backend.close())
  }]
] as const

type Open = Awaited<ReturnType<typeof ways[number][1]>>

/** Every method of a handle. */
const callsOf = ({ notes: texts, shelves: shelf }: Pick<Open, "notes" | "shelves">) => {
  const seen = { key: "k", context: contextOf(notes, "") }
  return [
    () => texts.get("k"),
    () => texts.entry("k"),
    () => texts.many(["k", "l"]),
    () => texts.replace(seen, "x"),
    () => texts.update("k", () => "x"),
    () => texts.delete("k"),
    () => shelf.visits.add("k", 1),
    () => shelf.edit("k", (document) => [document.visits.add(1)])
  ]
}

/** The time that a call of a closed client may take on a busy machine: far below any timeout. */
const soonMillis = 500

const expectClosed = async (db: Pick<Open, "notes" | "shelves">, closed: string) => {
  for (const call of callsOf(db)) {
    const startedAt = performance.now()
    const error = await call().then(() => undefined, (thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Closed)
    expect(error).toMatchObject({ closed, mayHaveApplied: false })
    expect(performance.now() - startedAt).toBeLessThan(soonMillis)
  }
}

describe.each(ways)("a client %s", (_, open) => {
  it("that is closed fails each call at once, and it was certainly not done", async () => {
    const db = await open()
    const [before, handle] = [db.session(), db.notes]
    await db.close()
    await expectClosed(db, "client")
    await expectClosed(before, "client")
    await expectClosed(db.session(), "client")
    await expect(handle.get("k")).rejects.toBeInstanceOf(Closed)
  })

  it("fails the calls that follow `close`, before it has ended", async () => {
    const db = await open()
    const closing = db.close()
    await expectClosed(db, "client")
    await closing
  })

  it.each(["client", "session"])("settles at once what is under way at the end of a %s", async (
    closed
  ) => {
    const db = await open()
    await db.shelves.visits.add("k", 1)
    // Each waits for all replicas, one of which is away.
    cluster.cut(cluster.nodes[1]!.id)
    const ending = closed === "client" ? db : db.session()
    const calls = [
      ending.notes.get("k", { r: "all" }),
      ending.shelves.visits.add("k", 1, {
        w: "all"
      })
    ]
    const others = makeDb(bound, cluster.backends[0]!, async () => undefined)
    const shown = () => others.shelves.get("k", { r: 1 })
    await until("the write is under way", async () => (await shown())?.visits === 2)
    const startedAt = performance.now()
    await ending.close()
    const outcomes = await Promise.allSettled(calls)
    expect(performance.now() - startedAt).toBeLessThan(soonMillis)
    expect(outcomes).toMatchObject(
      [false, true].map((mayHaveApplied) => ({ reason: { _tag: "Closed", mayHaveApplied } }))
    )
    if (closed === "session") expect(await db.notes.get("l", { r: 1 })).toBeUndefined()
    await db.close()
  })

  it("has sessions of which each ends alone", async () => {
    const db = await open()
    const [one, other] = [db.session(), db.session()]
    {
      await using scoped = db.session()
      expect(await scoped.notes.get("k")).toBeUndefined()
    }
    await one.close()
    await one.close()
    await expectClosed(one, "session")
    expect(await other.notes.get("k")).toBeUndefined()
    expect(await db.shelves.visits.add("k", 1)).toMatchObject({ value: { visits: 1 } })
    expect(await one.session().notes.get("k").catch(({ closed }) => closed)).toBe("session")
    await db.close()
  })
})

describe("a client over NATS that is closed", () => {
  it("settles what is under way at once, and says what is known of it", async () => {
    const backend = await overNats()
    const db = makeDb(bound, backend, async () => backend.close())
    await db.shelves.visits.add("k", 1)
    // Each waits for all replicas, one of which is away.
    cluster.cut(cluster.nodes[0]!.id)
    const sent = [db.notes.get("k", { r: "all" }), db.shelves.visits.add("k", 1, { w: "all" })]
    const started = () => cluster.nodes.slice(1).map(({ core }) => core.coordinator.underWay())
    await until("both are under way", () => started().reduce((sum, count) => sum + count, 0) >= 2)
    const unsent = [db.notes.get("k"), db.shelves.visits.add("k", 1)]
    const startedAt = performance.now()
    await db.close()
    const outcomes = await Promise.allSettled([...sent, ...unsent])
    expect(performance.now() - startedAt).toBeLessThan(soonMillis)
    expect(outcomes).toMatchObject(
      [false, true, false, false].map((mayHaveApplied) => ({
        reason: { _tag: "Closed", mayHaveApplied }
      }))
    )
  })

  it("settles what waits for its turn at once, which was certainly not done", async () => {
    const backend = await overNats({ inFlightMin: 1, inFlightFirst: 1, inFlightMax: 1 })
    const db = makeDb(bound, backend, async () => backend.close())
    cluster.cut(cluster.nodes[0]!.id)
    const first = db.notes.get("k", { r: "all" })
    const waiting = [db.notes.get("k"), db.shelves.visits.add("k", 1)]
    const startedAt = performance.now()
    await db.close()
    expect(await Promise.allSettled([first, ...waiting])).toMatchObject(
      Array.from({ length: 3 }, () => ({ reason: { _tag: "Closed", mayHaveApplied: false } }))
    )
    expect(performance.now() - startedAt).toBeLessThan(soonMillis)
  })

  it("does not wait with the reads that nodes have refused for a while", async () => {
    const backend = await overNats()
    const full = new Overloaded({ node: "n1", retryAfterMillis: 60_000 })
    const refusing: Backend = {
      runtime: liveRuntime,
      request: (_, respond) => respond(full),
      describe: backend.describe,
      explain: backend.explain,
      list: backend.list
    }
    const db = makeDb(bound, refusing, async () => backend.close())
    const outcomes = Promise.allSettled([db.notes.many(["k"]), db.session().notes.many(["k"])])
    await new Promise(setImmediate)
    await db.close()
    expect((await outcomes).map(({ status, ...more }) => [status, more])).toMatchObject([
      ["rejected", { reason: { _tag: "Closed", closed: "client" } }],
      ["rejected", { reason: { _tag: "Closed", closed: "client" } }]
    ])
  })

  it("sends nothing of the turn in which it is closed", async () => {
    const backend = await overNats()
    const db = makeDb(bound, backend, async () => backend.close())
    await db.shelves.visits.add("k", 1)
    const adding = db.shelves.visits.add("k", 1)
    await db.close()
    await expect(adding).rejects.toMatchObject({ _tag: "Closed", mayHaveApplied: false })
    const other = makeDb(bound, cluster.backends[0]!, async () => undefined)
    expect(await other.shelves.get("k", { r: "all" })).toMatchObject({ visits: 1 })
  })

  it("answers no question any more", async () => {
    const backend = await overNats()
    const asked = new Promise((resolve) => backend.describe(resolve))
    backend.close()
    const closed = { _tag: "Closed", mayHaveApplied: false }
    expect(await asked).toMatchObject(closed)
    expect(await new Promise((resolve) => backend.describe(resolve))).toMatchObject(closed)
    await expect(list(backend, "notes")).rejects.toMatchObject(closed)
    await expect(explain(backend, "notes", { key: "k" })).rejects.toMatchObject(closed)
  })
})

describe("a client over HTTP that is closed", () => {
  /** Takes requests and answers none. */
  let silent: Server
  let url: string
  let requests: number
  beforeEach(async () => {
    requests = 0
    silent = createServer(() => void requests++)
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve))
    const address = silent.address()
    url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`
  })
  afterEach(() => {
    silent.closeAllConnections()
    silent.close()
  })

  it("settles what is under way at once, and says that a write may have applied", async () => {
    const backend = new HttpBackend({ runtime: liveRuntime, url })
    const db = makeDb(bound, backend, async () => backend.close())
    const outcomes = Promise.allSettled([db.notes.get("k"), db.shelves.visits.add("k", 1)])
    await expect.poll(() => requests).toBe(2)
    const startedAt = performance.now()
    await db.close()
    expect(await outcomes).toMatchObject([
      { reason: { _tag: "Closed", mayHaveApplied: false } },
      { reason: { _tag: "Closed", mayHaveApplied: true } }
    ])
    expect(performance.now() - startedAt).toBeLessThan(soonMillis)
  })

  it("answers no question any more", async () => {
    const backend = overHttp()
    backend.close()
    const closed = { _tag: "Closed", mayHaveApplied: false }
    expect(await new Promise((resolve) => backend.describe(resolve))).toMatchObject(closed)
    await expect(list(backend, "notes")).rejects.toMatchObject(closed)
    await expect(explain(backend, "notes", { key: "k" })).rejects.toMatchObject(closed)
  })
})

describe("the service of a layer", () => {
  it("fails each effect at once after its scope has ended", async () => {
    const scope = Effect.runSync(Scope.make())
    const layer = layerBackend(cluster.backends[0]!)
    const built = await Effect.runPromise(Layer.buildWithScope(layer, scope))
    const store = Context.get(built, Everwrite)
    const session = await Effect.runPromise(store.session)
    expect(await Effect.runPromise(store.bucket(notes).get("k"))).toBeUndefined()
    await Effect.runPromise(Scope.close(scope, Exit.void))
    for (const service of [store, session]) {
      const failed = await Effect.runPromise(Effect.flip(service.bucket(notes).get("k")))
      expect(failed).toMatchObject({ _tag: "Closed", mayHaveApplied: false })
    }
  })
})
