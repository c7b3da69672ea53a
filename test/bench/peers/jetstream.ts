/**
 * Runs the key-value store of JetStream: three nats-servers in a cluster, three replicas. A client
 * sends what the official one sends for a put, a get and an update.
 */
import { connect, headers, type NatsConnection } from "@nats-io/transport-node"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { freePort, natsServerBinary } from "../../tooling/natsServer.ts"
import { until } from "../../tooling/until.ts"
import { madeFolder, startProgram, ThreeNodes } from "./Processes.ts"
import type { Client, Connect, Program } from "./Program.ts"

const stream = "KV_bench"
const subjectOf = (key: string): string => `$KV.bench.${key}`

/** As the official client creates a bucket of one version for each key. */
const settings = {
  name: stream,
  subjects: [subjectOf(">")],
  max_msgs_per_subject: 1,
  storage: "file",
  num_replicas: 3,
  discard: "new",
  duplicate_window: 120_000_000_000,
  allow_rollup_hdrs: true,
  deny_delete: true,
  allow_direct: true
}

interface Acknowledgement {
  readonly error?: { readonly description: string }
}

const timeout = 5_000

const create = async (address: string): Promise<void> => {
  const connection = await connect({ servers: address.split(",") })
  await until("JetStream has made the bucket", async () => {
    const made = await connection
      .request(`$JS.API.STREAM.CREATE.${stream}`, JSON.stringify(settings), { timeout })
      .then((message) => message.json<Acknowledgement>())
      .catch(() => ({ error: {} }))
    return made.error === undefined
  }, { withinMillis: 60_000 })
  await connection.close()
}

const configurationOf = (
  at: { readonly name: string; readonly port: number; readonly route: number },
  routes: ReadonlyArray<number>,
  folder: string
): string =>
  [
    `server_name: ${at.name}`,
    `listen: 127.0.0.1:${at.port}`,
    `jetstream { store_dir: "${folder}" }`,
    `cluster { name: bench, listen: 127.0.0.1:${at.route}, routes: [`
    + `${routes.map((port) => `nats://127.0.0.1:${port}`).join(", ")}] }`
  ].join("\n")

export const jetstream: Program = {
  promise: "in the page cache of two servers of three, synced every two minutes; a get asks one",
  ...natsServerBinary === undefined ? { missing: "apt-get install -y nats-server" } : {},
  start: async (directory) => {
    const ports = await Promise.all([0, 1, 2].map(() => freePort()))
    const routes = await Promise.all([0, 1, 2].map(() => freePort()))
    const three = await new ThreeNodes((node) => {
      const name = `s${node + 1}`
      const folder = madeFolder(directory, name)
      const file = join(directory, `${name}.conf`)
      const at = { name, port: ports[node]!, route: routes[node]! }
      writeFileSync(file, configurationOf(at, routes, folder))
      return startProgram(natsServerBinary ?? "nats-server", ["-c", file], ports[node]!)
    }).startAll()
    const address = ports.map((port) => `127.0.0.1:${port}`).join(",")
    await create(address)
    const { kill, pids, restart, stop } = three
    return { address, kill, pids, restart, stop }
  }
}

interface Revision {
  readonly text: string
  readonly sequence: string
}

const read = async (connection: NatsConnection, key: string): Promise<Revision> => {
  const subject = `$JS.API.DIRECT.GET.${stream}.${subjectOf(key)}`
  const message = await connection.request(subject, undefined, { timeout })
  if (message.headers?.code === 404) return { text: "", sequence: "0" }
  return {
    text: Buffer.from(message.data).toString("latin1"),
    sequence: message.headers?.get("Nats-Sequence") ?? "0"
  }
}

/** Tries of an update whose document others change: the benchmark never has so many at once. */
const triesMax = 1_000

const clientOf = (connection: NatsConnection): Client => ({
  put: async (key, body) => {
    const options = { timeout }
    const bytes = Buffer.from(body, "latin1")
    const { error } = (await connection.request(subjectOf(key), bytes, options))
      .json<Acknowledgement>()
    if (error !== undefined) throw new Error(error.description)
  },
  get: async (key) => (await read(connection, key)).text,
  update: async (key, change) => {
    for (let tries = 0; tries < triesMax; tries++) {
      const { sequence, text } = await read(connection, key)
      const expected = headers()
      expected.set("Nats-Expected-Last-Subject-Sequence", sequence)
      const bytes = Buffer.from(change(text), "latin1")
      const options = { timeout, headers: expected }
      const { error } = (await connection.request(subjectOf(key), bytes, options))
        .json<Acknowledgement>()
      if (error === undefined) return
    }
    throw new Error(`${key} was changed by others ${triesMax} times`)
  },
  close: () => connection.close()
})

export const connectJetstream: Connect = async (address) =>
  clientOf(await connect({ servers: address.split(","), maxReconnectAttempts: -1 }))
