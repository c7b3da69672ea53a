/**
 * Carries out operations one after the other on three nodes and a client in this process, whose
 * clock and chance are the test's, and prints what they cost: so that each run costs the same. The
 * stores are files, each on this thread. Lines on stderr, which a tracer of system calls sees, mark
 * where the operations of a kind begin and end.
 *
 *     node test/bench/work/operate.ts DIRECTORY
 */
import { mkdirSync, writeSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { CallBody, RequestBody } from "../../../schemas/ClientRequest.ts"
import type { BackendAnswer } from "../../../src/client/Backend.ts"
import { NatsBackend } from "../../../src/client/NatsBackend.ts"
import { lan } from "../../../src/core/model/Limits.ts"
import { BucketName } from "../../../src/core/model/Names.ts"
import { openLogFiles } from "../../../src/storage/LogFile.ts"
import type { TransportService } from "../../../src/transport/Transport.ts"
import { clusterName, makeCluster } from "../../cluster/memoryCluster.ts"
import { Asked, node } from "../../cluster/steppedCluster.ts"
import { SteppedRuntime } from "../../tooling/SteppedRuntime.ts"
import * as Config from "../everwrite.config.ts"
import type { Counts } from "./Figures.ts"
import { operationsCounted } from "./Figures.ts"
import { countStatements } from "./StatementCounter.ts"

const directory = process.argv[2] ?? "."
const statementsSoFar = countStatements()
const documents = 50

let messages = 0
let wireBytes = 0
const counted = (transport: TransportService): TransportService => ({
  ...transport,
  publish: (subject, data, ...others) => {
    messages++
    wireBytes += data.length
    transport.publish(subject, data, ...others)
  }
})

const runtime = new SteppedRuntime()
const buckets = [Config.Documents, Config.Visits, Config.Carts, Config.Tags, Config.Tallies]

const startCluster = async () => {
  const cluster = await makeCluster({
    nodes: 3,
    started: [],
    buckets,
    runtime,
    // Reads come from memory where they would in a node.
    limits: { cacheBytesMax: 64 * 2 ** 20, logBytesMax: lan.node.logBytesMax },
    wire: (_node, transport) => counted(transport)
  })
  for (const number of [1, 2, 3]) {
    const folder = join(directory, `n${number}`)
    mkdirSync(folder)
    const path = join(folder, "store.sqlite")
    const disk = { database: new DatabaseSync(path), logs: openLogFiles(path), inUse: false }
    const starting = cluster.restart(node(number), disk)
    runtime.runReady()
    await starting
  }
  // They form a cluster, and hear that the others have.
  runtime.advance(10_000)
  return cluster
}

const cluster = await startCluster()
const client = new NatsBackend({
  runtime,
  transport: counted(cluster.connect()),
  cluster: clusterName
})
client.ready(() => undefined, (error) => {
  throw error
}, () => undefined)
runtime.runReady()

/** What is answered after more than this is not answered. */
const millisMax = 1_000

const ask = (action: "read" | "write", bucket: string, body: RequestBody): BackendAnswer => {
  const asked = new Asked()
  client.request(
    { action, bucket: BucketName.make(bucket), body },
    (outcome) => asked.outcomes.push(outcome)
  )
  runtime.runReady()
  for (let millis = 0; asked.isOpen && millis < millisMax; millis++) runtime.advance(1)
  return asked.answer
}

const call = (bucket: string, key: string, name: string, ...args: CallBody["args"]) =>
  ask("write", bucket, { key, calls: [{ name, args }] })

let version = 0
const body = (): string => String(++version).padStart(256, "x")

const addToCart = (key: string, item: string): void => {
  const { context, values: [cart] } = ask("read", "carts", { key })
  const items = Object(cart ?? {})
  const changed = { ...items, [item]: (items[item] ?? 0) + 1 }
  ask("write", "carts", { key, context, calls: [{ name: "put", args: [changed] }] })
}

/** Elements of the set, and counters of the map, before one more change of one of them. */
const elements = 1_000
const elementCalls = (name: string, ...args: CallBody["args"]): ReadonlyArray<CallBody> =>
  Array.from({ length: elements }, (_, i) => ({ name, args: [`e${i}`, ...args] }))

const kinds: Readonly<Record<string, (i: number) => unknown>> = {
  "put": (i) => call("documents", `k${i % documents}`, "put", body()),
  "get": (i) => ask("read", "documents", { key: `k${i % documents}` }),
  "increment": (i) => call("visits", `k${i % documents}`, "add", 1),
  "add to a cart": (i) => addToCart(`k${i % documents}`, `item-${i % 7}`),
  "add to a set of 1,000": (i) => call("tags", "set", "add", `e${i % elements}`),
  "add to a map of 1,000": (i) => call("tallies", "map", "add", `e${i % elements}`, 1)
}

const sum = (): Counts => ({ messages, wireBytes, ...statementsSoFar() })

const difference = (after: Counts, before: Counts): Counts => ({
  messages: after.messages - before.messages,
  wireBytes: after.wireBytes - before.wireBytes,
  statements: after.statements - before.statements,
  commits: after.commits - before.commits
})

ask("write", "tags", { key: "set", calls: elementCalls("add") })
ask("write", "tallies", { key: "map", calls: elementCalls("add", 1) })
const counts: Record<string, Counts> = {}
for (const [kind, operate] of Object.entries(kinds)) {
  // Twice: documents have a history then, and the caches what they will have.
  for (let i = 0; i < 2 * documents; i++) operate(i)
  const before = sum()
  writeSync(2, `begin ${kind}\n`)
  for (let i = 0; i < operationsCounted; i++) operate(i)
  writeSync(2, `end ${kind}\n`)
  counts[kind] = difference(sum(), before)
}
console.log(JSON.stringify(counts))
process.exit(0)
