/**
 * Attacks a node over a nats-server with clients that read nothing, beside an honest client with
 * some requests under way, and prints a table: the honest client's operations and latency before
 * and during each attack, with the server's default limits and with those of `everwrite
 * nats-config`.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { connect } from "everwrite"
import { lanServer } from "../../src/core/model/EdgeLimits.ts"
import { Documents } from "../bench/everwrite.config.ts"
import { startNatsServer } from "../tooling/natsServer.ts"
import { neverReads } from "../tooling/neverReads.ts"
import { until } from "../tooling/until.ts"

const here = fileURLToPath(new URL("../..", import.meta.url))
const underWay = 16
/** How often the attacker asks, and how much at once. */
const askPauseMillis = 50
const asksAtOnce = 2

const advised = `max_pending: ${lanServer.waitingBytesMax}
write_deadline: "${lanServer.writeDeadlineMillis}ms"`

const servers: ReadonlyArray<readonly [name: string, config: string]> = [
  ["defaults", ""],
  ["of nats-config", advised]
]

const kinds: ReadonlyArray<readonly [kind: string, subscribe: string, asks: boolean]> = [
  ["answers of 900 KB, unread", "_INBOX.attacker.*", true],
  ["all subjects, unread", ">", false]
]

const startOne = (url: string, data: string) => {
  const config = join(here, "test/bench/everwrite.config.ts")
  const flags = ["--nats", url, "--http", "off", "--data", data, "--log-level", "error"]
  const main = [join(here, "src/cli/main.ts"), "start", ...flags, "--config", config]
  return spawn(process.execPath, ["--conditions=everwrite-source", ...main], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, EVERWRITE_CLUSTER_KEY: "a key for the attacks" }
  })
}

interface Seen {
  readonly done: number
  readonly failed: number
  readonly p50: number
  readonly p99: number
}

/** Lets so many reads at a time go on for a while. */
const watch = async (get: () => Promise<unknown>, millis: number): Promise<Seen> => {
  const end = performance.now() + millis
  const latencies: Array<number> = []
  let failed = 0
  const loop = async (): Promise<void> => {
    while (performance.now() < end) {
      const start = performance.now()
      await get().then(() => latencies.push(performance.now() - start), () => failed++)
    }
  }
  await Promise.all(Array.from({ length: underWay }, loop))
  latencies.sort((left, right) => left - right)
  const at = (part: number) => latencies[Math.floor(part * (latencies.length - 1))] ?? Infinity
  return { done: latencies.length, failed, p50: at(0.5), p99: at(0.99) }
}

const head = [
  "attack".padEnd(26),
  "server".padEnd(14),
  "done before",
  "done",
  "failed",
  "p50 ms before",
  "p50 ms",
  "p99 ms before",
  "p99 ms",
  "cut off"
]

const row = (cells: ReadonlyArray<string | number>): string =>
  cells.map((cell, at) => String(cell).padStart(head[at]?.length ?? 0)).join("  ")

type Kind = typeof kinds[number]

const runOne = async (
  [kind, subscribe, asks]: Kind,
  [name, config]: typeof servers[number],
  millis: number
): Promise<void> => {
  const data = mkdtempSync(join(tmpdir(), "everwrite-attack-"))
  const server = await startNatsServer(config)
  const child = startOne(server.url, data)
  let opened: Awaited<ReturnType<typeof open>> | undefined
  const open = () => connect({ documents: Documents }, { servers: server.url })
  await until("the node answers", async () => {
    opened = await open().catch(() => undefined)
    return opened !== undefined
  }, { withinMillis: 60_000 })
  const db = opened!
  await db.documents.put("small", "x".repeat(1_000))
  await db.documents.put("large", "x".repeat(900_000))
  const get = () => db.documents.get("small")
  await watch(get, 1_000)
  const before = await watch(get, millis)
  const attacker = await neverReads(server.port, { subscribe, reply: "_INBOX.attacker.1" })
  const asking = setInterval(() => {
    if (asks) attacker.ask("everwrite.dev.v1.read.documents.get", { key: "large" }, asksAtOnce)
  }, askPauseMillis)
  const during = await watch(get, millis)
  clearInterval(asking)
  console.log(row([
    kind.padEnd(26),
    name.padEnd(14),
    before.done,
    during.done,
    during.failed,
    before.p50.toFixed(1),
    during.p50.toFixed(1),
    before.p99.toFixed(1),
    during.p99.toFixed(1),
    attacker.isCutOff() ? "yes" : "no"
  ]))
  attacker.close()
  await db.close()
  child.kill("SIGKILL")
  await once(child, "exit")
  await server.stop()
  rmSync(data, { recursive: true })
}

const { values } = parseArgs({ options: { seconds: { type: "string", default: "10" } } })
const millis = 1_000 * Number(values.seconds)
console.log(`Node ${process.versions.node}, ${millis / 1000} s an attack`)
console.log(row(head))
for (const kind of kinds) {
  for (const server of servers) await runOne(kind, server, millis)
}
