/**
 * Attacks the HTTP interface of one node with clients that read nothing, send nothing or send
 * slowly, beside an honest client that opens a connection for each request, and prints a table: the
 * node's memory and the honest client's latency, before and during each attack.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { Worker } from "node:worker_threads"
import { freePort } from "../tooling/natsServer.ts"
import { until } from "../tooling/until.ts"
import type { Attack } from "./httpAttackers.ts"

const here = fileURLToPath(new URL("../..", import.meta.url))
const documents = "/v1/buckets/documents/docs"
const restMillis = 20
/** A client gives up on an answer then. */
const givenUpMillis = 5_000

const pause = (millis: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, millis)
  })

const startOne = async (data: string, port: number): Promise<ChildProcess> => {
  const flags = [
    "--http",
    String(port),
    "--nats",
    "embedded",
    "--data",
    data,
    "--log-level",
    "error"
  ]
  const config = join(here, "test/bench/everwrite.config.ts")
  const main = join(here, "src/cli/main.ts")
  const command = ["--conditions=everwrite-source", main, "start", ...flags, "--config", config]
  const child = spawn(process.execPath, command, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, EVERWRITE_CLUSTER_KEY: "a key for the attacks" }
  })
  await until("the node is ready", async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
    return answer?.ok === true
  }, { withinMillis: 60_000 })
  return child
}

/** Megabytes that the process has in memory; 0 where it has ended. */
const memoryOf = ({ pid }: ChildProcess): number => {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+)/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"))
      ?? []
    return Math.round(Number(kilobytes ?? 0) / 1024)
  } catch {
    return 0
  }
}

interface Seen {
  readonly p50: number
  readonly p99: number
  readonly failures: number
  readonly count: number
  readonly health: number
  readonly memoryPeak: number
}

/** Milliseconds that a request takes, on a connection of its own; Infinity where it fails. */
const timed = async (port: number, path: string): Promise<number> => {
  const start = performance.now()
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { connection: "close" },
      signal: AbortSignal.timeout(givenUpMillis)
    })
    await response.arrayBuffer()
    return response.ok ? performance.now() - start : Infinity
  } catch {
    return Infinity
  }
}

const watch = async (child: ChildProcess, port: number, millis: number): Promise<Seen> => {
  const end = performance.now() + millis
  const latencies: Array<number> = []
  let health = 0
  let memoryPeak = 0
  while (performance.now() < end) {
    latencies.push(await timed(port, `${documents}?key=small`))
    if (await timed(port, "/livez") === Infinity) health++
    memoryPeak = Math.max(memoryPeak, memoryOf(child))
    await pause(restMillis)
  }
  latencies.sort((left, right) => left - right)
  const at = (part: number) => latencies[Math.floor(part * (latencies.length - 1))] ?? Infinity
  const failures = latencies.filter((latency) => latency === Infinity).length
  return { p50: at(0.5), p99: at(0.99), failures, count: latencies.length, health, memoryPeak }
}

const kinds: ReadonlyArray<readonly [kind: string, connections: number]> = [
  ["pipelined, unread", 10],
  ["pipelined, read slowly", 10],
  ["idle", 1_000],
  ["dripping", 1_000],
  ["stalled bodies", 900]
]

const head = [
  "attack".padEnd(24),
  "connections",
  "MB before",
  "MB peak",
  "p50 ms before",
  "p50 ms",
  "p99 ms before",
  "p99 ms",
  "failed",
  "of",
  "livez failed"
]

const row = (cells: ReadonlyArray<string | number>): string =>
  cells.map((cell, at) => String(cell).padStart(head[at]?.length ?? 0)).join("  ")

const put = (port: number, key: string, bytes: number): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}${documents}?key=${key}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify("x".repeat(bytes))
  })

/** Each attack is of a new node, so that none pays for the one before. */
const runOne = async (kind: string, connections: number, millis: number): Promise<void> => {
  const data = mkdtempSync(join(tmpdir(), "everwrite-attack-"))
  const port = await freePort()
  const child = await startOne(data, port)
  for (const [key, bytes] of [["small", 100], ["large", 1_000_000]] as const) {
    const { status } = await put(port, key, bytes)
    if (status !== 200) throw new Error(`the document ${key} is refused: ${status}`)
  }
  await watch(child, port, 1_000)
  const before = await watch(child, port, millis / 2)
  const memory = memoryOf(child)
  const workerData: Attack = { kind, connections, port, path: `${documents}?key=large` }
  const attackers = new Worker(new URL("./httpAttackers.ts", import.meta.url), { workerData })
  const during = await watch(child, port, millis)
  await attackers.terminate()
  const ended = child.exitCode !== null || child.signalCode !== null
  console.log(row([
    kind.padEnd(24),
    connections,
    memory,
    ended ? "ended" : during.memoryPeak,
    before.p50.toFixed(1),
    during.p50.toFixed(1),
    before.p99.toFixed(1),
    during.p99.toFixed(1),
    during.failures,
    during.count,
    during.health
  ]))
  if (!ended) {
    child.kill("SIGKILL")
    await once(child, "exit")
  }
  rmSync(data, { recursive: true })
}

const attackHttp = async (millis: number): Promise<void> => {
  console.log(`Node ${process.versions.node}, ${millis / 1000} s an attack`)
  console.log(row(head))
  for (const [kind, connections] of kinds) await runOne(kind, connections, millis)
}

const { values } = parseArgs({ options: { seconds: { type: "string", default: "10" } } })
await attackHttp(1_000 * Number(values.seconds))
