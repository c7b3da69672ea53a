/**
 * Prints the puts that three nodes acknowledge in a second, against the number that callers keep
 * under way: from what the nodes can bear to twenty times as much.
 *
 *     npm run attack -- overload [--seconds 5] [--in-flight 64,1000,20000] [--callers 4]
 *
 * Puts of 256 bytes to 10,000 keys, W = 2, synced; from several caller processes, over a real
 * nats-server, all on this machine. Callers have no patience: the next call follows an error at
 * once. Refused: certainly not done. In doubt: may have applied. Milliseconds are those of
 * acknowledged puts, from the call to its end. Memory is the most that any node had during the
 * row. Well again: how long after the end of the load the last of a put each 20 ms failed, or took
 * more than 100 ms.
 */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { parseArgs } from "node:util"
import { connect } from "../../src/index.ts"
import { Documents } from "../bench/everwrite.config.ts"
import { bodyOf, keyOf } from "../bench/measure.ts"
import { nodes, startNode } from "../bench/nodes.ts"
import { natsServerBinary, startNatsServer } from "../tooling/natsServer.ts"
import type { Ended, Load } from "./overloadCaller.ts"

const { values } = parseArgs({
  options: {
    "seconds": { type: "string", default: "5" },
    "in-flight": { type: "string", default: "64,256,512,1000,2000,5000,10000,20000" },
    "callers": { type: "string", default: "4" }
  }
})
const millis = Number(values.seconds) * 1_000
const inFlights = values["in-flight"].split(",").map(Number)
const callerCount = Number(values.callers)
const warmMillis = 2_000
/** A put that takes longer shows that the nodes still have the load in them. */
const wellMillis = 100
const probeEveryMillis = 20
const probesMillis = 6_000

const startCaller = async (nats: string, number: number): Promise<ChildProcess> => {
  const caller = fork(new URL("overloadCaller.ts", import.meta.url), [nats, String(number)], {
    execArgv: ["--conditions=everwrite-source", "--disable-warning=ExperimentalWarning"],
    serialization: "advanced"
  })
  await once(caller, "message")
  return caller
}

const call = async (caller: ChildProcess, load: Load): Promise<Ended> => {
  const ended = new Promise<Ended>((resolve) => caller.once("message", resolve))
  caller.send(load)
  return ended
}

const memoryOf = ({ pid }: ChildProcess): number =>
  Number(/^VmRSS:\s+(\d+)/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024

/** Until nothing is left of a load: how long that took. */
const recovery = async (nats: string): Promise<number> => {
  const db = await connect({ documents: Documents }, { servers: nats, cluster: "bench" })
  const began = performance.now()
  let badAt = began
  const probes: Array<Promise<void>> = []
  for (let i = 0; performance.now() - began < probesMillis; i++) {
    const at = performance.now()
    probes.push(
      db.documents.put(keyOf(i), bodyOf(-i)).then(() => {
        if (performance.now() - at > wellMillis) badAt = Math.max(badAt, performance.now())
      }, () => {
        badAt = Math.max(badAt, performance.now())
      })
    )
    await pause(probeEveryMillis)
  }
  await Promise.all(probes)
  await db.close()
  return (badAt - began) / 1_000
}

const text = (cells: ReadonlyArray<string>): string =>
  cells.map((cell) => cell.padStart(10)).join(" ")

const head = [
  "in flight",
  "goodput/s",
  "refused/s",
  "in doubt/s",
  "p50 ms",
  "p99 ms",
  "MB a node",
  "well in s"
]

const percentile = (sorted: ReadonlyArray<number>, share: number): string =>
  String(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? "-")

const runRow = async (
  inFlight: number,
  { callers, nats, running }: {
    readonly callers: ReadonlyArray<ChildProcess>
    readonly running: ReadonlyArray<ChildProcess>
    readonly nats: string
  }
): Promise<void> => {
  let megabytes = 0
  const watch = setInterval(() => {
    megabytes = Math.max(megabytes, ...running.map(memoryOf))
  }, 200)
  const share = Math.ceil(inFlight / callers.length)
  const load = { inFlight: share, warmMillis, millis }
  const ended = await Promise.all(callers.map((caller) => call(caller, load)))
  clearInterval(watch)
  const well = await recovery(nats)
  const sum = (count: (one: Ended) => number): number =>
    ended.reduce((total, one) => total + count(one), 0) / (millis / 1_000)
  const sorted = ended.flatMap(({ times }) => times).toSorted((a, b) => a - b)
  console.log(text([
    String(inFlight),
    sum(({ times }) => times.length).toFixed(0),
    sum(({ refused }) => refused).toFixed(0),
    sum(({ inDoubt }) => inDoubt).toFixed(0),
    percentile(sorted, 0.5),
    percentile(sorted, 0.99),
    megabytes.toFixed(0),
    well.toFixed(1)
  ]))
  const others = ended.flatMap(({ others }) => Object.entries(others))
  if (others.length > 0) console.log(`other errors: ${JSON.stringify(others)}`)
}

const run = async (): Promise<void> => {
  const server = await startNatsServer()
  const data = mkdtempSync(join(tmpdir(), "everwrite-overload-"))
  const running = await Promise.all(
    nodes.map((node) => startNode(node, { nats: server.url, data }))
  )
  const callers = await Promise.all(
    Array.from({ length: callerCount }, (_, i) => startCaller(server.url, i + 1))
  )
  console.log(`${cpus().length} cores, Node ${process.versions.node}, ${values.seconds} s a row`)
  console.log(text(head))
  for (const inFlight of inFlights) {
    await runRow(inFlight, { callers, nats: server.url, running })
  }
  for (const caller of callers) caller.disconnect()
  for (const child of running) {
    child.kill("SIGTERM")
    await once(child, "exit")
  }
  await server.stop()
  rmSync(data, { recursive: true, force: true })
}

if (natsServerBinary === undefined) {
  console.error("the attack needs nats-server: apt-get install -y nats-server")
  process.exitCode = 1
} else {
  await run()
}
