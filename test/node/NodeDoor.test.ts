// Checks that a node which is to wait for a broker does so, says meanwhile that it lives and why it
// is not ready, and serves once a broker is there.
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { Everwrite } from "../../src/client/Everwrite.ts"
import type { Config } from "../../src/node/ConfigFile.ts"
import { EverwriteNode } from "../../src/node/Node.ts"
import { visits } from "../../src/node/SampleBuckets.ts"
import { startBroker } from "../../src/transport/broker/Broker.ts"
import { start } from "../cli/everwrite.ts"
import { freePort } from "../tooling/natsServer.ts"
import { until } from "../tooling/until.ts"
import { alone, useFolder } from "./temporaryDirectories.ts"

const folder = useFolder()

const configOf = (natsPort: number, http: number): Config => ({
  ...alone(folder()),
  nats: `nats://127.0.0.1:${natsPort}`,
  http,
  waitForNats: true
})

const answerOf = async (http: number, path: string) => {
  try {
    const answer = await fetch(`http://127.0.0.1:${http}${path}`)
    return { status: answer.status, text: await answer.text() }
  } catch {
    return undefined
  }
}

describe("a node that is to wait for a broker", () => {
  it("lives and is not ready without one, and serves at the same address with one", async () => {
    const [natsPort, http] = [await freePort(), await freePort()]
    const program = Effect.gen(function*() {
      yield* (yield* Everwrite.bucket(visits)).add("home", 1)
      return yield* Effect.never
    })
    const fiber = Effect.runFork(
      Effect.provide(program, EverwriteNode.layer(configOf(natsPort, http)))
    )
    await until("it lives", async () => (await answerOf(http, "/livez"))?.status === 200)
    for (let times = 0; times < 3; times++) {
      const ready = await answerOf(http, "/readyz")
      expect(ready?.status).toBe(503)
      expect(ready?.text).toContain("waits for a NATS broker")
      const read = await answerOf(http, "/v1/buckets/visits/docs?key=home")
      expect(read?.status).toBe(503)
      expect(read?.text).toContain("waits for a NATS broker")
    }
    const broker = await startBroker({ port: natsPort })
    await until("it is ready", async () => {
      expect((await answerOf(http, "/livez"))?.status).toBe(200)
      return (await answerOf(http, "/readyz"))?.status === 200
    })
    await until(
      "it has carried the write out",
      async () => (await answerOf(http, "/v1/buckets/visits/docs?key=home"))?.text === "1\n"
    )
    await Effect.runPromise(Fiber.interrupt(fiber))
    expect(await answerOf(http, "/livez")).toBeUndefined()
    await broker.close()
  })

  it("frees its port and its folder when it is stopped before one is there", async () => {
    const [natsPort, http] = [await freePort(), await freePort()]
    const config = configOf(natsPort, http)
    for (let times = 0; times < 2; times++) {
      const fiber = Effect.runFork(Effect.provide(Effect.never, EverwriteNode.layer(config)))
      await until("it lives", async () => (await answerOf(http, "/livez"))?.status === 200)
      await Effect.runPromise(Fiber.interrupt(fiber))
      expect(await answerOf(http, "/livez")).toBeUndefined()
    }
  })

  it("waits for none that could not help: its own settings are at fault", async () => {
    const config = configOf(await freePort(), 0)
    const exit = await Effect.runPromiseExit(
      Effect.provide(Effect.void, EverwriteNode.layer({ ...config, natsCreds: "/no/such.creds" }))
    )
    expect(Exit.isFailure(exit) && String(Cause.squash(exit.cause)))
      .toContain("natsCreds is /no/such.creds")
  })

  it("waits on where something else listens at the broker's address", async () => {
    const other = createServer((socket) => socket.destroy())
    const natsPort = await freePort()
    await new Promise<void>((resolve) => other.listen(natsPort, "127.0.0.1", resolve))
    const http = await freePort()
    const fiber = Effect.runFork(
      Effect.provide(Effect.never, EverwriteNode.layer(configOf(natsPort, http)))
    )
    await until("it lives", async () => (await answerOf(http, "/livez"))?.status === 200)
    expect((await answerOf(http, "/readyz"))?.status).toBe(503)
    await Effect.runPromise(Fiber.interrupt(fiber))
    await new Promise((resolve) => other.close(resolve))
  })

  it("ends by a signal while it waits, from the command line", async () => {
    const [natsPort, http] = [await freePort(), await freePort()]
    const args = ["start", "--wait-for-nats", "--nats", `nats://127.0.0.1:${natsPort}`]
    const config = join(folder(), "everwrite.config.json")
    writeFileSync(config, JSON.stringify({ buckets: [visits.definition] }))
    const { child, ended, stderr } = start([
      ...args,
      "--http",
      String(http),
      "--data",
      join(folder(), "data"),
      "--json",
      "--config",
      config
    ])
    await until("it lives", async () => {
      if (child.exitCode !== null) throw new Error(stderr())
      return (await answerOf(http, "/livez"))?.status === 200
    }, { withinMillis: 30_000 })
    child.kill("SIGTERM")
    const { code } = await ended
    expect(code).toBe(0)
    expect(stderr()).toContain("it is waited for")
    expect(stderr()).toContain("stopped")
  })
})
