// Checks that a broker's restart in mid-load loses nothing that was acknowledged, and that the
// cluster serves again within two seconds of its return.
import { describe, expect, it } from "vitest"
import * as Schema from "effect/Schema"
import { connectWith } from "../../src/client/Promises.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import {
  describeWithNats,
  type RestartableBroker,
  startEmbedded,
  startNatsServer
} from "../tooling/natsServer.ts"
import { until } from "../tooling/until.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { natsClusterName, type NatsClusterOptions, startNatsCluster } from "./natsCluster.ts"

const writes = Bucket.lww("writes", { key: Key.text, value: Schema.Int })
const visits = Bucket.siblings("visits", { key: Key.text, value: Schema.Int })
const writers = 32
/** In which the cluster must serve again. */
const returnMillis = 2_000

const connect = (servers: string) =>
  connectWith(liveRuntime, { writes, visits }, { servers, cluster: natsClusterName })

type Db = Awaited<ReturnType<typeof connect>>

/** Writes without a pause, one key after another, and keeps what was acknowledged. */
class Load {
  readonly acknowledged = new Map<string, number>()
  failures = 0
  #issued = 0
  #stopped = false
  readonly #db: Db
  readonly #running: ReadonlyArray<Promise<void>>

  constructor(db: Db) {
    this.#db = db
    this.#running = Array.from({ length: writers }, () => this.#write())
  }

  get underWay(): number {
    return this.#issued - this.acknowledged.size - this.failures
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#running)
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      const value = ++this.#issued
      const key = `k${value}`
      try {
        await this.#db.writes.put(key, value, { w: 2 })
        this.acknowledged.set(key, value)
      } catch {
        this.failures++
      }
    }
  }
}

const restartInMidLoad = async (
  broker: RestartableBroker,
  storage: NatsClusterOptions["storage"]
): Promise<void> => {
  const buckets = [writes, visits]
  const cluster = await startNatsCluster({ servers: broker.url, storage, buckets })
  const db = await connect(broker.url)
  try {
    const load = new Load(db)
    await until("writes are acknowledged", () => load.acknowledged.size > 300)
    await broker.stop()
    expect(load.underWay).toBe(writers)
    await until(
      "everyone has noticed",
      () => cluster.nodes.every(({ options }) => !options.transport.connected())
    )
    const before = load.acknowledged.size
    await broker.start()
    await until("the cluster serves again", () => load.acknowledged.size > before + writers, {
      withinMillis: returnMillis
    })
    await load.stop()
    expect(cluster.nodes.map(({ options }) => options.transport.stats().reconnects))
      .toEqual([1, 1, 1])
    const entries = await db.writes.many(load.acknowledged.keys(), { r: 2 })
    const lost = entries.filter(({ key, ...entry }) =>
      entry._tag === "Absent" || entry.value !== load.acknowledged.get(key)
    )
    expect(lost).toEqual([])
    expect(load.acknowledged.size).toBeGreaterThan(before)
  } finally {
    await db.close()
    await cluster.stop()
    await broker.stop()
  }
}

/** A write that was sent into the break is carried out once, although it was sent again. */
const retryOnce = async (broker: RestartableBroker): Promise<void> => {
  const buckets = [writes, visits]
  const cluster = await startNatsCluster({ servers: broker.url, storage: "direct", buckets })
  const db = await connect(broker.url)
  try {
    const absent = await db.visits.entry("v")
    const adding = Array.from({ length: 50 }, (_, i) => db.visits.replace(absent, i))
    await broker.stop()
    await broker.start()
    const outcomes = await Promise.allSettled(adding)
    // Before that, the broker says that nobody listens, and a read fails at once.
    await until(
      "all nodes are back",
      () => cluster.nodes.every(({ options }) => options.transport.connected())
    )
    const entry = await db.visits.entry("v", { r: "all" })
    const found = entry._tag === "Found" ? entry.value.toSorted((a, b) => a - b) : []
    const acknowledged = outcomes.flatMap(({ status }, i) => (status === "fulfilled" ? [i] : []))
    expect(found).toEqual([...new Set(found)])
    expect(found).toEqual(expect.arrayContaining(acknowledged))
  } finally {
    await db.close()
    await cluster.stop()
    await broker.stop()
  }
}

describe("an embedded broker that restarts", () => {
  it("in mid-load loses nothing that was acknowledged, and the cluster serves again", async () => {
    await restartInMidLoad(await startEmbedded(), "direct")
  })

  it("between a write and its answer leaves one write, not two", async () => {
    await retryOnce(await startEmbedded())
  })
})

describeWithNats("a nats-server that restarts", () => {
  it("in mid-load loses nothing that was acknowledged, and the cluster serves again", async () => {
    await restartInMidLoad(await startNatsServer(), "worker")
  })

  it("between a write and its answer leaves one write, not two", async () => {
    await retryOnce(await startNatsServer())
  })
})
