/**
 * Floods a cluster of three node processes on a nats-server, beside an honest client with a few
 * puts and gets in flight, and prints a table: the client's latency and the nodes' memory, before
 * and during each flood.
 *
 *     npm run attack -- flood [--seconds 20] [--rate 10000] [--kind garbage]
 */
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Worker } from "node:worker_threads"
import { connect } from "../../src/index.ts"
import { Documents } from "../bench/everwrite.config.ts"
import { bodyOf, type Line, measure } from "../bench/measure.ts"
import { nodes, startNode } from "../bench/nodes.ts"
import { startNatsServer } from "../tooling/natsServer.ts"
import type { Flood } from "./floodAttackers.ts"

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "20" },
    rate: { type: "string", default: "10000" },
    kind: { type: "string", default: "" }
  }
})

const inFlight = 4
const memoryMillis = 200

/** Cuts off whoever does not read; the rest is nats-server's own. */
const serverConfig = "write_deadline: \"2s\"\nmax_pending: 8MB"

/** Each with its share of the rate: an answer of 900 KB is not asked for 10,000 times a second. */
const kinds: ReadonlyArray<readonly [kind: string, share: number]> = [
  ["garbage to nodes", 1],
  ["a replayed frame", 1],
  ["valid small reads", 1],
  ["$SRV requests", 1],
  ["answers never read", 0.02]
]

const head = [
  "flood".padEnd(20),
  "per second",
  "p50 ms before",
  "p50 ms",
  "p99 ms before",
  "p99 ms",
  "ratio",
  "failed",
  "of",
  "MB before",
  "MB peak"
]

const row = (cells: ReadonlyArray<string | number>): string =>
  cells.map((cell, at) => String(cell).padStart(head[at]?.length ?? 0)).join("  ")

/** Megabytes of the largest of some processes. */
const memoryOf = (pids: ReadonlyArray<number | undefined>): number =>
  Math.max(...pids.map((pid) => {
    const status = readFileSync(`/proc/${pid}/status`, "utf8")
    return Math.round(Number(/^VmRSS:\s+(\d+)/mu.exec(status)?.[1] ?? 0) / 1_024)
  }))

const percentile = ({ times }: Line, share: number): number => {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Infinity
}

/** Each flood is of a new cluster, so that none pays for the one before. */
const runOne = async (kind: string, rate: number, millis: number): Promise<void> => {
  const nats = await startNatsServer(serverConfig)
  const data = mkdtempSync(join(tmpdir(), "everwrite-flood-"))
  const children = await Promise.all(nodes.map((node) => startNode(node, { nats: nats.url, data })))
  const pids = children.map(({ pid }) => pid)
  const db = await connect({ documents: Documents }, { servers: nats.url, cluster: "bench" })
  await db.documents.put("large", "x".repeat(900_000))
  const operate = (i: number): Promise<unknown> =>
    i % 2 === 0
      ? db.documents.put(`k${i % 100}`, bodyOf(i))
      : db.documents.get(`k${(i - 1) % 100}`)
  await measure({ inFlight: 64, millis: 3_000 }, operate)
  const before = await measure({ inFlight, millis }, operate)
  const memoryBefore = memoryOf(pids)
  const sent = new SharedArrayBuffer(4)
  const workerData: Flood = { kind, rate, sent, url: nats.url, port: nats.port }
  const attacker = new Worker(new URL("./floodAttackers.ts", import.meta.url), { workerData })
  attacker.on("error", (error) => console.error(`the flood ends: ${error}`))
  let peak = 0
  const watching = setInterval(() => {
    peak = Math.max(peak, memoryOf(pids))
  }, memoryMillis)
  const during = await measure({ inFlight, millis }, operate)
  clearInterval(watching)
  await attacker.terminate()
  const [p99Before, p99] = [percentile(before, 0.99), percentile(during, 0.99)]
  const perSecond = Math.round(new Int32Array(sent)[0]! / millis * 1_000)
  console.log(row([
    kind.padEnd(20),
    perSecond,
    percentile(before, 0.5).toFixed(1),
    percentile(during, 0.5).toFixed(1),
    p99Before.toFixed(1),
    p99.toFixed(1),
    (p99 / p99Before).toFixed(1),
    during.failures,
    during.times.length + during.failures,
    memoryBefore,
    peak
  ]))
  await db.close()
  for (const child of children) {
    child.kill("SIGKILL")
    await once(child, "exit")
  }
  await nats.stop()
  rmSync(data, { recursive: true, force: true })
}

const load = (): string => loadavg().map((load) => load.toFixed(1)).join(", ")

const [millis, rate] = [1_000 * Number(values.seconds), Number(values.rate)]
console.log(`Node ${process.versions.node}, ${millis / 1_000} s a flood, load average ${load()}`)
console.log(row(head))
for (const [kind, share] of kinds) {
  if (kind.includes(values.kind)) await runOne(kind, rate * share, millis)
}
console.log(`load average ${load()}`)
process.exit(0)
