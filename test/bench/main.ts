/**
 * Measures three node processes over a real nats-server on this machine, and beside them, in the
 * same run, what bare NATS and bare SQLite do.
 *
 *     npm run bench [-- --seconds 5]
 *     npm run bench -- --counts [--top 25] [--rounds 2] [--of DIRECTORY]
 *
 * N = 3, R = 2, W = 2; documents of 256 bytes whose content changes; every write is synced on two
 * nodes before it is acknowledged. Load, broker and nodes share the machine. Hot puts go to 16 keys
 * instead of 10,000; an addition replaces one element of a set of 10,000. Wire bytes are those that
 * the transports of the three nodes send for an operation, the answer among them; disk bytes those
 * that their storage commits, rows of SQLite counted as 64 bytes and their content.
 *
 * `--counts` measures bytes instead of time: what a put and a get allocate and copy, in the client
 * and in each node, and with `--top` where. With `--of`, another checkout of this repository is
 * counted first, by the same means, and this one against it. `--rounds` is how often each document
 * is written before.
 */
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { connect } from "../../src/index.ts"
import { freePort, natsServerBinary, startNatsServer } from "../tooling/natsServer.ts"
import { runCounts } from "./counts/counts.ts"
import { Documents, Tags, Visits } from "./everwrite.config.ts"
import { natsEcho, sqliteUpserts } from "./floors.ts"
import { bodyOf, documentCount, head, keyOf, type Line, measure, row, text } from "./measure.ts"
import { here, nodes, startNode } from "./nodes.ts"

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "5" },
    counts: { type: "boolean", default: false },
    top: { type: "string", default: "0" },
    rounds: { type: "string", default: "2" },
    of: { type: "string", multiple: true, default: [] }
  }
})
const millis = Number(values.seconds) * 1000
const inFlights = [1, 64, 512]

/** Bytes that the nodes have sent and committed so far. */
const bytesSoFar = async (ports: ReadonlyArray<number>) => {
  const sums = { wire: 0, disk: 0 }
  for (const port of ports) {
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    const valueOf = (name: string): number =>
      Number(new RegExp(`^everwrite_${name}_total (\\d+)$`, "mu").exec(metrics)?.[1])
    sums.wire += valueOf("nats_bytes_sent")
    sums.disk += valueOf("bytes_committed")
  }
  return sums
}

interface Workload {
  readonly title: string
  readonly inFlights: ReadonlyArray<number>
  readonly operate: (i: number) => Promise<unknown>
}

/** Measures and prints a row for each number in flight; the last line of the middle one. */
const runRows = async (
  { inFlights: numbers, operate, title }: Workload,
  ports: ReadonlyArray<number>
): Promise<ReadonlyMap<number, Line>> => {
  const lines = new Map<number, Line>()
  for (const inFlight of numbers) {
    const before = await bytesSoFar(ports)
    const line = await measure({ inFlight, millis }, operate)
    const after = await bytesSoFar(ports)
    const count = line.times.length + line.failures
    const bytes = {
      wire: (after.wire - before.wire) / count,
      disk: (after.disk - before.disk) / count
    }
    console.log(text(row(title, inFlight, { ...line, bytes })))
    lines.set(inFlight, line)
  }
  return lines
}

const hotKeys = 16

const runAll = async (nats: string, ports: ReadonlyArray<number>): Promise<void> => {
  const buckets = { documents: Documents, visits: Visits, tags: Tags }
  const db = await connect(buckets, { servers: nats, cluster: "bench" })
  // Until every document is there and the code is compiled, nothing counts.
  await measure(
    { inFlight: 256, millis: Math.max(millis, 1000) },
    (i) => db.documents.put(keyOf(i), bodyOf(i))
  )
  for (let at = 0; at < documentCount; at += 1_000) {
    const elements = Array.from({ length: 1_000 }, (_, i) => `e${at + i}`)
    await db.tags.edit("large", (tags) => elements.map((element) => tags.add(element)))
  }
  let version = 0
  const put = (key: string) => db.documents.put(key, bodyOf(++version))
  const cold = await runRows({ title: "puts", inFlights, operate: (i) => put(keyOf(i)) }, ports)
  const hot = await runRows(
    { title: "hot puts", inFlights, operate: (i) => put(`k${i % hotKeys}`) },
    ports
  )
  await runRows(
    { title: "gets", inFlights, operate: (i) => db.documents.get(keyOf(i)) },
    ports
  )
  await runRows(
    { title: "increments", inFlights, operate: (i) => db.visits.add(keyOf(i), 1) },
    ports
  )
  await runRows({
    title: "set of 10,000",
    inFlights: [1, 8],
    operate: (i) => db.tags.add("large", `e${i % documentCount}`)
  }, ports)
  const ratio = (cold.get(64)?.perSecond ?? 0) / (hot.get(64)?.perSecond ?? 0)
  console.log(`With 64 in flight a hot put takes ${ratio.toFixed(2)} times as long as a cold one.`)
  await db.close()
}

const run = async (): Promise<void> => {
  const nats = await startNatsServer()
  const data = mkdtempSync(join(tmpdir(), "everwrite-bench-"))
  const ports = await Promise.all(nodes.map(() => freePort()))
  const children = await Promise.all(
    nodes.map((node, i) => startNode(node, { nats: nats.url, data, http: ports[i]! }))
  )
  console.log(`${cpus().length} cores, Node ${process.versions.node}, ${values.seconds} s a row`)
  console.log(text(head))
  await runAll(nats.url, ports)
  for (const child of children) {
    child.kill("SIGTERM")
    await once(child, "exit")
  }
  for (const inFlight of inFlights) {
    console.log(
      text(row("bare NATS echo", inFlight, await natsEcho(nats.url, { inFlight, millis })))
    )
  }
  for (const inFlight of inFlights) {
    console.log(text(row("bare SQLite", inFlight, sqliteUpserts({ inFlight, millis }))))
  }
  await nats.stop()
  rmSync(data, { recursive: true, force: true })
}

if (natsServerBinary === undefined) {
  console.error("the benchmark needs nats-server: apt-get install -y nats-server")
  process.exitCode = 1
} else if (values.counts) {
  const { of, rounds, top } = values
  await runCounts({ of: [...of, here], top: Number(top), rounds: Number(rounds) })
} else {
  await run()
}
