/**
 * Starts three nodes as processes of their own, each behind a wire to the broker that can be cut.
 *
 * The broker is the embedded one, or the nats-server that NATS_URL names. A node whose wire is cut
 * reaches no other node and is reached by none, but its customers still reach it over HTTP.
 */
import { connectHttp } from "everwrite"
import { startBroker } from "everwrite/server"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { buckets, type CartDb } from "./carts.ts"
import { host, listen, makeWire, type Wire } from "./wire.ts"

export interface Cluster {
  readonly broker: string
  /** A client of each node. */
  readonly clients: ReadonlyArray<CartDb>
  readonly wires: ReadonlyArray<Wire>
  readonly stop: () => Promise<void>
}

const nodes = ["n1", "n2", "n3"]

const freePort = async (): Promise<number> => {
  const server = createServer()
  const port = await listen(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const startNode = (
  options: {
    readonly node: string
    readonly wire: Wire
    readonly data: string
    readonly http: number
  }
): ChildProcess => {
  const { data, http, node, wire } = options
  const settings = {
    node,
    members: nodes.join(","),
    nats: `nats://${host}:${wire.port}`,
    data: join(data, node),
    config: file("everwrite.config.ts"),
    http: String(http),
    cluster: "carts"
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const command = ["--conditions=everwrite-source", file("../../src/cli/main.ts"), "start"]
  return spawn(process.execPath, [...command, ...flags], {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      EVERWRITE_CLUSTER_KEY: "shopping-carts-example",
      EVERWRITE_LOG_LEVEL: "error"
    }
  })
}

const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 60_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`${what} took longer than a minute`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const isReady = async (http: number): Promise<boolean> => {
  try {
    return (await fetch(`http://${host}:${http}/readyz`)).ok
  } catch {
    return false
  }
}

export const startCluster = async (): Promise<Cluster> => {
  const natsUrl = process.env["NATS_URL"]
  const embedded = natsUrl === undefined ? await startBroker() : undefined
  const broker = new URL(natsUrl ?? embedded!.url)
  const data = await mkdtemp(join(tmpdir(), "everwrite-carts-"))
  const wires = await Promise.all(nodes.map(() => makeWire(Number(broker.port), broker.hostname)))
  const ports = await Promise.all(nodes.map(() => freePort()))
  const processes = nodes.map((node, i) =>
    startNode({ node, wire: wires[i]!, data, http: ports[i]! })
  )
  const clients = ports.map((http) => connectHttp(buckets, { url: `http://${host}:${http}` }))
  const stop = async () => {
    for (const client of clients) await client.close()
    for (const child of processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill("SIGTERM")
      await new Promise((resolve) => child.once("exit", resolve))
    }
    for (const wire of wires) wire.close()
    await embedded?.close()
    await rm(data, { recursive: true, force: true })
  }
  try {
    await Promise.all(ports.map((http) => until("starting a node", () => isReady(http))))
  } catch (error) {
    await stop()
    throw error
  }
  return { broker: natsUrl ?? `${embedded!.url} (embedded)`, clients, wires, stop }
}
