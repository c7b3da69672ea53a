/**
 * Runs etcd: three members, each of which syncs every write before it counts.
 */
import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"
import { freePort } from "../../tooling/natsServer.ts"
import { until } from "../../tooling/until.ts"
import { EtcdClient } from "./EtcdClient.ts"
import { madeFolder, startProgram, ThreeNodes } from "./Processes.ts"
import type { Connect, Program } from "./Program.ts"

const binary = (process.env["PATH"] ?? "").split(delimiter)
  .map((folder) => join(folder, "etcd"))
  .find((path) => existsSync(path))

/** Tries of an update whose document others change: the benchmark never has so many at once. */
const triesMax = 1_000

const isReady = async (address: string): Promise<boolean> => {
  const client = new EtcdClient([address])
  const answered = await client.put("ready", "yes").then(() => true, () => false)
  client.close()
  return answered
}

export const etcd: Program = {
  promise: "synced on two members of three; a get asks the leader, and that a majority",
  ...binary === undefined ? { missing: "apt-get install -y etcd-server" } : {},
  start: async (directory) => {
    const ports = await Promise.all([0, 1, 2].map(() => freePort()))
    const peers = await Promise.all([0, 1, 2].map(() => freePort()))
    const cluster = peers.map((port, i) => `m${i}=http://127.0.0.1:${port}`).join(",")
    const three = await new ThreeNodes((node) => {
      const client = `http://127.0.0.1:${ports[node]}`
      const peer = `http://127.0.0.1:${peers[node]}`
      const flags = {
        name: `m${node}`,
        "data-dir": madeFolder(directory, `m${node}`),
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": cluster,
        "auto-compaction-mode": "revision",
        "auto-compaction-retention": "1000",
        "quota-backend-bytes": String(8 * 2 ** 30),
        "log-level": "error"
      }
      const words = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
      return startProgram(binary ?? "etcd", words, ports[node]!)
    }).startAll()
    const { kill, pids, restart, stop } = three
    const addresses = ports.map((port) => `127.0.0.1:${port}`)
    for (const address of addresses) {
      await until(`etcd takes writes at ${address}`, () => isReady(address), {
        withinMillis: 20_000
      })
    }
    return { address: addresses.join(","), kill, pids, restart, stop }
  }
}

export const connectEtcd: Connect = async (address) => {
  const client = new EtcdClient(address.split(","))
  return {
    put: (key, body) => client.put(key, body),
    get: async (key) => (await client.get(key)).text,
    update: async (key, change) => {
      for (let tries = 0; tries < triesMax; tries++) {
        const { modified, text } = await client.get(key)
        if (await client.putUnlessModified(key, change(text), modified)) return
      }
      throw new Error(`${key} was changed by others ${triesMax} times`)
    },
    close: async () => client.close()
  }
}
