/**
 * Measures how many 300-byte messages a second go from one connection of the official client to
 * another: through nats-server, through the embedded broker in a process of its own, and through
 * the embedded broker in the client's process, as in `everwrite dev`.
 */
import { connect, type NatsConnection } from "@nats-io/transport-node"
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { startBroker } from "../../src/transport/broker/Broker.ts"
import { natsServerBinary, startNatsServer } from "../tooling/natsServer.ts"

const self = fileURLToPath(import.meta.url)
const payload = new Uint8Array(300).fill(0x2e)
const inFlightMax = 4_000
const perTurn = 250

/** Messages a second, over `millis` of publishing as fast as they arrive. */
const throughput = async (url: string, millis: number): Promise<number> => {
  const publisher = await connect({ servers: url })
  const subscriber = await connect({ servers: url })
  let received = 0
  subscriber.subscribe("bench.*", { callback: () => void received++ })
  await subscriber.flush()
  const sent = await publishFor(publisher, millis, () => received)
  const start = performance.now()
  while (received < sent.count && performance.now() - start < 5_000) await turn()
  const seconds = (performance.now() - sent.start) / 1_000
  await Promise.all([publisher.close(), subscriber.close()])
  return received / seconds
}

const publishFor = async (
  publisher: NatsConnection,
  millis: number,
  received: () => number
): Promise<{ readonly start: number; readonly count: number }> => {
  const start = performance.now()
  let count = 0
  while (performance.now() - start < millis) {
    for (let i = 0; i < perTurn && count - received() < inFlightMax; i++) {
      publisher.publish("bench.subject", payload)
      count++
    }
    await turn()
  }
  return { start, count }
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/** This file again, as a process that is nothing but an embedded broker. */
const brokerProcess = (): Promise<{ readonly url: string; readonly child: ChildProcess }> =>
  new Promise((resolve, reject) => {
    const args = ["--conditions=everwrite-source", self, "broker"]
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
    child.once("error", reject)
    child.stdout.once("data", (url: Buffer) => resolve({ url: url.toString().trim(), child }))
  })

export const run = async (): Promise<void> => {
  const inProcess = await startBroker()
  const own = await brokerProcess()
  const server = natsServerBinary === undefined ? undefined : await startNatsServer()
  const targets = [
    ...server === undefined ? [] : [["nats-server", server.url] as const],
    ["embedded, own process", own.url] as const,
    ["embedded, client's process", inProcess.url] as const
  ]
  const best = new Map<string, number>()
  for (let round = 0; round < 4; round++) {
    for (const [name, url] of targets) {
      best.set(name, Math.max(best.get(name) ?? 0, await throughput(url, 1_500)))
    }
  }
  const reference = best.get("nats-server")
  for (const [name, perSecond] of best) {
    const ratio = reference === undefined ? "" : `  ${(perSecond / reference).toFixed(2)}`
    console.log(
      `${name.padEnd(28)}${Math.round(perSecond).toLocaleString("en")} messages/s${ratio}`
    )
  }
  own.child.kill()
  await inProcess.close()
  await server?.stop()
}

if (process.argv[1] === self) {
  if (process.argv[2] === "broker") console.log((await startBroker()).url)
  else await run()
}
