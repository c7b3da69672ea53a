/**
 * Counts, for each put and each get at 64 in flight, the bytes that the client and the nodes
 * allocate and copy. Clusters run one after the other: the heap is sampled in one, and what copies
 * is wrapped in the next; where places are asked for, one more runs with nothing inlined. Main
 * threads and storage threads are both counted; `Primitives.ts` says what is left out.
 *
 * A document remembers the writes it has had, and a put costs more for each: so the number of
 * operations is fixed, before the counting and in it, and not the time.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { startNatsServer } from "../../tooling/natsServer.ts"
import { documentCount } from "../measure.ts"
import { nodes, startNode } from "../nodes.ts"
import { ask, hasRun, isReady, isStarted, isStopped } from "./Asking.ts"
import {
  clientName,
  type Counted,
  type Figures,
  type Kind,
  type Phase,
  phaseVariable,
  rootVariable
} from "./Figures.ts"
import { type Counts, print } from "./Report.ts"

export interface CountsOptions {
  /** The checkouts that are measured; all but the first are compared with the first. */
  readonly of: ReadonlyArray<string>
  /** How many places are listed. */
  readonly top: number
  /** How often each document is written before: until all is there, and the code is compiled. */
  readonly rounds: number
}

const operations = 16_000

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const preload = ["--disable-warning=ExperimentalWarning", "--import", file("./preload.ts")]
const inlineNothing = ["--no-turbo-inlining", "--no-maglev-inlining"]
const execArgvOf = (phase: Phase): ReadonlyArray<string> =>
  phase === "places" ? [...inlineNothing, ...preload] : preload

const startClient = async (
  options: {
    readonly of: string
    readonly nats: string
    readonly bodies: number
    readonly execArgv: ReadonlyArray<string>
    readonly env: Record<string, string>
  }
): Promise<ChildProcess> => {
  const bodies = String(options.bodies)
  const words = ["--of", options.of, "--nats", options.nats, "--bodies", bodies]
  const own = ["--conditions=everwrite-source", ...options.execArgv, file("./client.ts"), ...words]
  const child = spawn(process.execPath, own, {
    cwd: options.of,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...process.env, ...options.env }
  })
  await ask(child, undefined, isReady)
  return child
}

const run = async (
  client: ChildProcess,
  command: { readonly run: Kind; readonly first: number; readonly count: number }
): Promise<void> => {
  const { failures } = await ask(client, command, hasRun)
  if (failures > 0) throw new Error(`${failures} operations failed: the figures would be wrong`)
}

const count = async (
  processes: ReadonlyMap<string, ChildProcess>,
  { kind, warmUp }: { readonly kind: Kind; readonly warmUp: number }
): Promise<Counted> => {
  const client = processes.get(clientName)
  if (client === undefined) throw new Error("there is no client")
  await run(client, { run: kind, first: 0, count: warmUp })
  for (const child of processes.values()) await ask(child, { counts: "start" }, isStarted)
  await run(client, { run: kind, first: warmUp, count: operations })
  const figures = new Map<string, ReadonlyArray<Figures>>()
  for (const [name, child] of processes) {
    const { threads } = await ask(child, { counts: "stop" }, isStopped)
    figures.set(name, threads)
  }
  return figures
}

const countPhase = async (
  phase: Phase,
  { of, rounds }: { readonly of: string; readonly rounds: number }
): Promise<Readonly<Record<Kind, Counted>>> => {
  const nats = await startNatsServer()
  const data = mkdtempSync(join(tmpdir(), "everwrite-counts-"))
  const env = { [phaseVariable]: phase, [rootVariable]: of }
  const execArgv = execArgvOf(phase)
  const options = { nats: nats.url, data, of, execArgv, env, channel: true }
  const started = await Promise.all(
    nodes.map(async (node) => [node, await startNode(node, options)] as const)
  )
  const warmUp = rounds * documentCount
  const client = await startClient({
    of,
    nats: nats.url,
    bodies: warmUp + operations,
    execArgv,
    env
  })
  const processes = new Map<string, ChildProcess>([[clientName, client], ...started])
  const counted = {
    put: await count(processes, { kind: "put", warmUp }),
    get: await count(processes, { kind: "get", warmUp: documentCount })
  }
  for (const child of processes.values()) {
    child.kill("SIGTERM")
    await once(child, "exit")
  }
  await nats.stop()
  rmSync(data, { recursive: true, force: true })
  return counted
}

/** Counts each of the checkouts, of which all but the first are compared with the first. */
export const runCounts = async (options: CountsOptions): Promise<void> => {
  const checkouts = [...new Set(options.of.map((path) => resolve(path)))]
  const foreign = checkouts.find((path) => !existsSync(join(path, "src/cli/main.ts")))
  if (foreign !== undefined) {
    console.error(`${foreign} is no checkout of this repository`)
    process.exitCode = 1
    return
  }
  const all: Array<Counts> = []
  for (const of of checkouts) {
    const subject = { of, rounds: options.rounds }
    const heap = await countPhase("heap", subject)
    const copies = await countPhase("copies", subject)
    const places = options.top > 0 ? await countPhase("places", subject) : heap
    all.push({ of, heap, copies, places, operations })
  }
  print(all, options.top)
}
