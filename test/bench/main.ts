/**
 * Measures three node processes over a real nats-server on this machine, and beside them, in the
 * same run, what bare NATS and bare SQLite do.
 *
 *     npm run bench [-- --seconds 5]
 *     npm run bench -- --counts [--top 25] [--rounds 2] [--of DIRECTORY]
 *
 * N = 3, R = 2, W = 2; documents of 256 bytes whose content changes; every write is synced on two
 * nodes before it is acknowledged. Load, broker and nodes share the machine.
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
import { natsServerBinary, startNatsServer } from "../tooling/natsServer.ts"
import { runCounts } from "./counts/counts.ts"
import { Documents } from "./everwrite.config.ts"
import { natsEcho, sqliteUpserts } from "./floors.ts"
import { bodyOf, head, keyOf, measure, row, text } from "./measure.ts"
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

const run = async (): Promise<void> => {
  const nats = await startNatsServer()
  const data = mkdtempSync(join(tmpdir(), "everwrite-bench-"))
  const children = await Promise.all(nodes.map((node) => startNode(node, { nats: nats.url, data })))
  const db = await connect({ documents: Documents }, { servers: nats.url, cluster: "bench" })
  console.log(`${cpus().length} cores, Node ${process.versions.node}, ${values.seconds} s a row`)
  console.log(text(head))
  // Until every document is there and the code is compiled, nothing counts.
  await measure(
    { inFlight: 256, millis: Math.max(millis, 1000) },
    (i) => db.documents.put(keyOf(i), bodyOf(i))
  )
  let version = 0
  for (const inFlight of inFlights) {
    const options = { inFlight, millis }
    const line = await measure(options, (i) => db.documents.put(keyOf(i), bodyOf(++version)))
    console.log(text(row("puts", inFlight, line)))
  }
  for (const inFlight of inFlights) {
    const line = await measure({ inFlight, millis }, (i) => db.documents.get(keyOf(i)))
    console.log(text(row("gets", inFlight, line)))
  }
  await db.close()
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
