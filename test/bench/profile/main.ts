/**
 * Prints where the microseconds and the allocated bytes of a put and of a get go: by room of the
 * source and by process. One node coordinates every operation, so that its work and that of a
 * replica stand apart.
 *
 *     npm run profile [-- --operations 10000] [--in-flight 64]
 *
 * Two clusters run one after the other: in the first the threads' CPU is sampled, in the second
 * what they allocate. Figures of a thread are CPU time, whatever else the machine does; on a busy
 * one they are greater all the same, since caches are colder. V8's helper threads collect garbage
 * and compile; the sampling itself is theirs too.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { freePort, natsServerBinary } from "../../tooling/natsServer.ts"
import { ask, hasRun, isReady, isStarted, isStopped } from "../counts/Asking.ts"
import { type Kind, type Phase, phaseVariable, rootVariable } from "../counts/Figures.ts"
import { here, nodes, startNode } from "../nodes.ts"
import { end, owned, startProgram } from "../peers/Processes.ts"
import { type ProcessFigures, type Profiled, tableOf } from "./Report.ts"

const { values } = parseArgs({
  options: {
    "operations": { type: "string", default: "10000" },
    "in-flight": { type: "string", default: "64" }
  }
})
const operations = Number(values.operations)
const coordinator = nodes[0]!

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const execArgv = [
  "--disable-warning=ExperimentalWarning",
  "--import",
  file("../counts/preload.ts")
]

/** CPU that a process took so far, which Linux counts in hundredths of a second. */
const microsOf = ({ pid }: ChildProcess): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

const startClient = async (nats: string, env: Record<string, string>): Promise<ChildProcess> => {
  const words = [nats, coordinator, values["in-flight"]]
  const own = ["--conditions=everwrite-source", ...execArgv, file("./client.ts"), ...words]
  const child = owned(spawn(process.execPath, own, {
    cwd: here,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...process.env, ...env }
  }))
  await ask(child, undefined, isReady)
  return child
}

interface Running {
  readonly broker: ChildProcess
  readonly client: ChildProcess
  readonly nodes: ReadonlyArray<ChildProcess>
}

const operate = async (
  { client }: Running,
  command: { readonly run: Kind; readonly first: number; readonly count: number }
): Promise<void> => {
  const { failures } = await ask(client, command, hasRun)
  if (failures > 0) throw new Error(`${failures} operations failed: the figures would be wrong`)
}

const profileKind = async (running: Running, kind: Kind): Promise<Profiled> => {
  const children = [running.client, ...running.nodes]
  await operate(running, { run: kind, first: 0, count: operations })
  for (const child of children) await ask(child, { counts: "start" }, isStarted)
  const before = microsOf(running.broker)
  await operate(running, { run: kind, first: operations, count: operations })
  const broker = microsOf(running.broker) - before
  const figures: Array<ProcessFigures> = []
  for (const child of children) {
    const { threads } = await ask(child, { counts: "stop" }, isStopped)
    figures.push(threads)
  }
  const [client = [], first = [], ...replicas] = figures
  return { operations, client, coordinator: first, replicas, broker }
}

const kinds: ReadonlyArray<Kind> = ["put", "get"]

const profile = async (phase: Phase): Promise<ReadonlyMap<Kind, Profiled>> => {
  process.stderr.write(`profiling: ${phase}\n`)
  const data = mkdtempSync(join(tmpdir(), "everwrite-profile-"))
  const port = await freePort()
  const nats = `nats://127.0.0.1:${port}`
  const words = ["-a", "127.0.0.1", "-p", String(port)]
  const broker = await startProgram(natsServerBinary ?? "nats-server", words, port)
  const env = { [phaseVariable]: phase, [rootVariable]: here }
  const options = { nats, data, execArgv, env, channel: true }
  const started = await Promise.all(nodes.map((node) => startNode(node, options)))
  const running = {
    broker,
    nodes: started.map(owned),
    client: await startClient(nats, env)
  }
  const profiled = new Map<Kind, Profiled>()
  for (const kind of kinds) profiled.set(kind, await profileKind(running, kind))
  for (const child of [running.client, ...started, broker]) await end(child)
  rmSync(data, { recursive: true, force: true })
  return profiled
}

const cpu = await profile("cpu")
const heap = await profile("heap")
const load = `${operations} operations, ${values["in-flight"]} in flight`
for (const kind of kinds) {
  console.log(`\n${kind}: microseconds of CPU for each, ${load}`)
  console.log(tableOf(cpu.get(kind)!, "microseconds").join("\n"))
  console.log(`\n${kind}: bytes allocated on the heap for each, ${load}`)
  console.log(tableOf(heap.get(kind)!, "bytes").join("\n"))
}
