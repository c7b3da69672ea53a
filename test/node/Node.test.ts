/** One live node: the data it keeps, the services it needs, and how it refuses to start. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { createServer } from "node:http"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { Everwrite } from "../../src/client/Everwrite.ts"
import type { Config } from "../../src/node/ConfigFile.ts"
import { EverwriteNode } from "../../src/node/Node.ts"
import { scratch, visits } from "../../src/node/SampleBuckets.ts"
import { startBroker } from "../../src/transport/broker/Broker.ts"
import { until } from "../tooling/until.ts"
import { alone, useFolder } from "./temporaryDirectories.ts"

const folder = useFolder()

const run = <A, E>(
  config: Config,
  program: Effect.Effect<A, E, EverwriteNode | Everwrite>
): Promise<A> => Effect.runPromise(Effect.provide(program, EverwriteNode.layer(config)))

const fault = async (config: Config): Promise<string> => {
  const exit = await Effect.runPromiseExit(
    Effect.provide(EverwriteNode, EverwriteNode.layer(config))
  )
  return Exit.match(exit, {
    onSuccess: () => "it started",
    onFailure: (cause) => String(Cause.squash(cause))
  })
}

describe("a node as a layer", () => {
  it("gives the program its client, and keeps its data over a restart", async () => {
    const config = alone(folder())
    await run(
      config,
      Effect.gen(function*() {
        const counts = yield* Everwrite.bucket(visits)
        yield* counts.add("home", 2)
        yield* counts.add("home", 3)
      })
    )
    const kept = await run(
      config,
      Effect.gen(function*() {
        return yield* (yield* Everwrite.bucket(visits)).get("home")
      })
    )
    expect(kept).toBe(5)
  })

  it("begins a new incarnation at each start", async () => {
    const config = alone(folder())
    const incarnation = Effect.map(EverwriteNode, ({ core }) => core.replica.incarnation())
    const first = await run(config, incarnation)
    const second = await run(config, incarnation)
    expect(second > first).toBe(true)
  })

  it("holds each document once, where it is the only member", async () => {
    const answer = await run(
      alone(folder()),
      Effect.gen(function*() {
        const values = yield* Everwrite.bucket(scratch)
        yield* values.put("k", 1, { w: "all" })
        return yield* values.entry("k", { r: "all" })
      })
    )
    expect(answer).toMatchObject({ value: 1, replied: 1 })
  })

  it("serves HTTP where it is told to, and says there how it is", async () => {
    const config = { ...alone(folder()), http: 0 }
    const [ready, metrics] = await run(
      config,
      Effect.gen(function*() {
        const { address } = yield* EverwriteNode
        const counts = yield* Everwrite.bucket(visits)
        yield* counts.add("home", 1)
        return yield* Effect.promise(() =>
          Promise.all(
            ["/readyz", "/metrics"].map(async (path) => (await fetch(address + path)).text())
          )
        )
      })
    )
    expect(ready).toBe("ready\n")
    expect(metrics).toContain(`\neverwrite_requests_total{kind="write"} 1\n`)
    expect(metrics).toContain("\neverwrite_nats_connected 1\n")
  })

  it("is not ready while there is no broker, and is again with it", async () => {
    const broker = await startBroker()
    const config = { ...alone(folder()), http: 0, nats: broker.url }
    await run(
      config,
      Effect.gen(function*() {
        const { address, core } = yield* EverwriteNode
        const ready = () => Effect.promise(async () => (await fetch(`${address}/readyz`)).text())
        const connected = (expected: boolean) =>
          Effect.promise(() =>
            until(`connected: ${expected}`, () => core.options.transport.connected() === expected)
          )
        yield* Effect.promise(() => broker.close())
        yield* connected(false)
        expect(yield* ready()).toContain("there is no connection to NATS")
        const again = yield* Effect.promise(() => startBroker({ port: broker.port }))
        yield* connected(true)
        expect(yield* ready()).toBe("ready\n")
        yield* Effect.promise(() => again.close())
      })
    )
  })

  it("has a connection of their own for large answers", async () => {
    const broker = await startBroker()
    await run(
      { ...alone(folder()), nats: broker.url },
      Effect.gen(function*() {
        const { core: { options: { transport } } } = yield* EverwriteNode
        yield* Effect.promise(() => new Promise((resolve) => transport.flush(resolve)))
        expect(broker.stats().connections).toBe(2)
        transport.publish("_INBOX.client.1", new Uint8Array(100_000))
        expect(transport.stats().apartAddresses).toBe(1)
      })
    )
    await broker.close()
  })

  it("that drains refuses new requests", async () => {
    const config = { ...alone(folder()), http: 0 }
    await run(
      config,
      Effect.gen(function*() {
        const { address, core } = yield* EverwriteNode
        core.drain()
        const url = `${address}/v1/buckets/visits/docs?key=home`
        const status = yield* Effect.promise(async () => (await fetch(url)).status)
        expect(status).toBe(503)
      })
    )
  })
})

describe("a node does not start, and says why,", () => {
  it("where its HTTP port is taken", async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    expect(await fault({ ...alone(folder()), http: port }))
      .toContain(`no HTTP on 127.0.0.1:${port}: the port is taken`)
    server.close()
  })

  it("where its folder is in use", async () => {
    const config = alone(folder())
    const second = await run(config, Effect.promise(() => fault(config)))
    expect(second).toContain("another process, or another storage of this process, uses it")
  })

  it("where its folder holds another node's data", async () => {
    await run(alone(folder()), Effect.void)
    expect(await fault({ ...alone(folder()), node: "n2" })).toContain("n1")
  })

  it("where no broker answers", async () => {
    expect(await fault({ ...alone(folder()), nats: "nats://127.0.0.1:1" }))
      .toContain("no NATS broker at nats://127.0.0.1:1: connection refused")
  })

  it("where a setting is wrong", async () => {
    expect(await fault({ ...alone(folder()), partitionCount: 100 })).toContain(
      "partitionCount is 100 (from EverwriteNode.layer); expected a power of two from 1 to 65536"
    )
  })

  it("and leaves nothing open behind it", async () => {
    const config = alone(join(folder(), "n1"))
    await fault({ ...config, nats: "nats://127.0.0.1:1" })
    await run(config, Effect.void)
  })
})
