// Checks that a starting node tries a broker again which does not answer in time, for a while, and
// names at once an address where nothing listens.
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { connect, createServer, type Socket } from "node:net"
import { expect, it } from "vitest"
import { EverwriteNode } from "../../src/node/Node.ts"
import { startBroker } from "../../src/transport/broker/Broker.ts"
import { freePort } from "../tooling/natsServer.ts"
import { alone, useFolder } from "./temporaryDirectories.ts"

const folder = useFolder()

const startAt = (port: number) =>
  Effect.runPromiseExit(
    Effect.provide(
      Effect.void,
      EverwriteNode.layer({ ...alone(folder()), nats: `nats://127.0.0.1:${port}` })
    )
  )

it("a node starts at a broker that answers none of its first two attempts", async () => {
  const [port, brokerPort] = [await freePort(), await freePort()]
  const broker = await startBroker({ port: brokerPort })
  const sockets = new Set<Socket>()
  let attempts = 0
  const relay = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined))
    if (++attempts <= 2) return
    const other = connect(brokerPort, "127.0.0.1")
    sockets.add(other.on("error", () => undefined))
    socket.pipe(other).pipe(socket)
  })
  await new Promise<void>((resolve) => relay.listen(port, "127.0.0.1", resolve))
  const exit = await startAt(port)
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => relay.close(resolve))
  await broker.close()
  expect(attempts).toBeGreaterThan(2)
  expect(Exit.isSuccess(exit) ? "" : Cause.pretty(exit.cause)).toBe("")
}, 30_000)

it("a node names an address where nothing listens without another attempt", async () => {
  const start = performance.now()
  const exit = await startAt(await freePort())
  expect(Exit.isFailure(exit) && String(Cause.squash(exit.cause))).toContain("no NATS broker at")
  expect(performance.now() - start).toBeLessThan(5_000)
})
