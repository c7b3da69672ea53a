// Checks the store as a service of Effect programs: layers, sessions, and how they end.
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Everwrite, layerBackend, layerNats } from "../../src/client/Everwrite.ts"
import { ClusterName } from "../../src/core/model/Names.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { NoAnswer, UnknownBucket } from "../../src/core/model/StoreError.ts"
import { TransportUnavailable } from "../../src/transport/Transport.ts"
import { type Broker, startBroker } from "../../src/transport/broker/Broker.ts"
import { notes, profiles, scores } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { type NatsCluster, natsClusterName, startNatsCluster } from "../cluster/natsCluster.ts"
import { freePort } from "../tooling/natsServer.ts"
import { until } from "../tooling/until.ts"
import { liveRuntime } from "../tooling/runtimes.ts"

const putAda = Effect.gen(function*() {
  const people = yield* Everwrite.bucket(profiles)
  yield* people.put("ada", { name: "Ada" })
  return yield* people.get("ada")
})

describe("on a node in this process", () => {
  let cluster: MemoryCluster
  beforeAll(async () => {
    cluster = await makeCluster({ nodes: 3, buckets: [profiles, notes], timeoutMillis: 10_000 })
  })
  afterAll(() => cluster.stop())
  const layer = (place: number) => layerBackend(cluster.backends[place]!)

  it("a program reads and writes by the service, and errors are in its channel", async () => {
    expect(await Effect.runPromise(Effect.provide(putAda, layer(0)))).toEqual({ name: "Ada" })
    const unknown = Effect.gen(function*() {
      const handle = yield* Everwrite.bucket(scores)
      return yield* handle.get("k")
    }).pipe(Effect.catchTag("UnknownBucket", (error) => Effect.succeed(error)))
    const error = await Effect.runPromise(Effect.provide(unknown, layer(0)))
    expect(error).toBeInstanceOf(UnknownBucket)
  })

  it("an effect that is run twice writes twice: each run is an operation of its own", async () => {
    const twice = Effect.gen(function*() {
      const handle = yield* Everwrite.bucket(notes)
      const absent = yield* handle.entry("twice")
      const adding = handle.replace(absent, "x")
      yield* adding
      return yield* adding
    })
    expect(await Effect.runPromise(Effect.provide(twice, layer(0))))
      .toMatchObject({ value: ["x", "x"] })
  })

  it("a session is for the effects inside it, on the same store", async () => {
    cluster.cut(cluster.nodes[0]!.id)
    const available = { consistency: "available" } as const
    const inside = Everwrite.inSession(Effect.gen(function*() {
      const people = yield* Everwrite.bucket(profiles)
      yield* people.put("eve", { name: "Eve" }, available)
      return yield* people.get("eve", available)
    }))
    expect(await Effect.runPromise(Effect.provide(inside, layer(0)))).toEqual({ name: "Eve" })
    cluster.heal()
  })
})

const remote = (servers: string, name: ClusterName = natsClusterName) =>
  layerNats({ servers, cluster: name, runtime: liveRuntime })

const failureOf = async (servers: string, name?: ClusterName) => {
  const exit = await Effect.runPromiseExit(Effect.provide(putAda, remote(servers, name)))
  return Exit.isFailure(exit) ? exit.cause.reasons.map((reason) => ({ ...reason })) : []
}

describe("over NATS", () => {
  let broker: Broker
  let cluster: NatsCluster
  beforeAll(async () => {
    broker = await startBroker()
    cluster = await startNatsCluster({
      servers: broker.url,
      buckets: [profiles],
      storage: "direct"
    })
  })
  afterAll(async () => {
    await cluster.stop()
    await broker.close()
  })

  it("a program does the same, and its connection ends with it", async () => {
    const { connections } = broker.stats()
    expect(await Effect.runPromise(Effect.provide(putAda, remote(broker.url))))
      .toEqual({ name: "Ada" })
    await until("the client has left", () => broker.stats().connections === connections)
  })

  it("a program does not start without a broker, or without a node of its cluster", async () => {
    expect(await failureOf(`127.0.0.1:${await freePort()}`))
      .toMatchObject([{ error: expect.any(TransportUnavailable) }])
    const { connections } = broker.stats()
    expect(await failureOf(broker.url, ClusterName.make("elsewhere")))
      .toMatchObject([{ error: expect.any(NoAnswer) }])
    await until("the client has left", () => broker.stats().connections === connections)
  })

  it("a program that is interrupted while it waits leaves no connection", async () => {
    const { connections } = broker.stats()
    const waiting = layerNats({
      servers: broker.url,
      cluster: ClusterName.make("elsewhere"),
      runtime: liveRuntime,
      wait: "1 hour"
    })
    const fiber = Effect.runFork(Effect.provide(putAda, waiting))
    await until("the client is there", () => broker.stats().connections > connections)
    await Effect.runPromise(Fiber.interrupt(fiber))
    await until("the client has left", () => broker.stats().connections === connections)
  })

  it("a program does not start with a bucket that its nodes declare otherwise", async () => {
    const other = Bucket.lww("profiles", { key: Key.text, value: Schema.String })
    const layer = layerNats({
      servers: broker.url,
      cluster: natsClusterName,
      runtime: liveRuntime,
      buckets: [other]
    })
    const failure = await Effect.runPromise(Effect.flip(Effect.provide(putAda, layer)))
    expect(failure).toMatchObject({ _tag: "BucketMismatch", bucket: "profiles" })
  })
})
