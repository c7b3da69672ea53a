/**
 * Runs nodes as processes of their own, each with a disk folder, which can be killed, stopped,
 * wiped and damaged.
 */
import { type ChildProcess, spawn } from "node:child_process"
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { freePort, standsStill } from "../tooling/natsServer.ts"
import { isBuilt, ownProgram } from "../tooling/ownProgram.ts"
import { until } from "../tooling/until.ts"
import { pause } from "./pause.ts"
import type { Random } from "./random.ts"

export interface NodesOptions {
  readonly names: ReadonlyArray<string>
  readonly cluster: string
  /** Where the folders of the nodes are. */
  readonly folder: string
  readonly config: string
  /** The brokers that a node is told of. */
  readonly brokersOf: (node: string) => string
}

interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<unknown>
}

const root = fileURLToPath(new URL("../..", import.meta.url))
/** Longer than a machine needs that starts five nodes and has other work. */
const startMillis = 180_000

/** How a node's last words begin that found no nats-server. */
const noBroker = "no NATS broker"

/** The files of a store that hold data. */
const isData = (file: string): boolean => /^store\.sqlite(?:-wal|-log-\d)?$/u.test(file)

export class Nodes {
  /** From the start of a process until it takes requests, in milliseconds. */
  readonly startTimes: Array<number> = []
  readonly #options: NodesOptions
  readonly #running = new Map<string, Running>()
  readonly #ports = new Map<string, number>()

  constructor(options: NodesOptions) {
    this.#options = options
    mkdirSync(join(options.folder, "logs"), { recursive: true })
  }

  get names(): ReadonlyArray<string> {
    return this.#options.names
  }

  url(node: string): string {
    return `http://127.0.0.1:${this.#ports.get(node)}`
  }

  /**
   * Resolves when the node takes requests. One that ends because its nats-server did not answer is
   * started again, as a supervisor would.
   */
  async start(node: string): Promise<void> {
    if (!this.#ports.has(node)) this.#ports.set(node, await freePort())
    const begunAt = performance.now()
    const deadline = begunAt + startMillis
    let child = this.#spawn(node)
    await until(`${node} is ready`, async () => {
      if (await isReady(this.url(node))) return true
      const reason = this.#lastLine(node)
      if (hasEnded(child)) {
        if (!reason.startsWith(noBroker)) throw new Error(`${node} ended: ${reason}`)
        child = this.#spawn(node)
      }
      if (performance.now() > deadline) throw new Error(`${node} is not ready: ${reason}`)
      await pause(100)
      return false
    }, { withinMillis: 2 * startMillis })
    this.startTimes.push(performance.now() - begunAt)
  }

  /** Ends a node's process as a crash would. */
  async kill(node: string): Promise<void> {
    const running = this.#running.get(node)
    running?.child.kill("SIGKILL")
    await running?.ended
  }

  /** Stops a node's process without closing its sockets, and waits until it stands still. */
  async freeze(node: string): Promise<void> {
    const { child } = this.#running.get(node)!
    child.kill("SIGSTOP")
    await until(`${node} stands still`, () => standsStill(child.pid))
  }

  thaw(node: string): void {
    this.#running.get(node)!.child.kill("SIGCONT")
  }

  /** Takes the disk of a node that is down. */
  wipe(node: string): void {
    rmSync(this.#dataOf(node), { recursive: true, force: true })
  }

  /** Turns one bit in the database of a node that is down, and says where. */
  flip(node: string, random: Random): string {
    const folder = this.#dataOf(node)
    const files = readdirSync(folder).filter(isData)
      .map((name) => ({ name, bytes: statSync(join(folder, name)).size }))
    let offset = random.below(files.reduce((sum, { bytes }) => sum + bytes, 0))
    for (const { bytes, name } of files) {
      if (offset < bytes) {
        const path = join(folder, name)
        const content = readFileSync(path)
        content[offset]! ^= 1 << random.below(8)
        writeFileSync(path, content)
        return `${name} at ${offset}`
      }
      offset -= bytes
    }
    throw new Error(`${node} has no database`)
  }

  async stop(): Promise<void> {
    await Promise.all(this.names.map((node) => this.kill(node)))
  }

  #spawn(node: string): ChildProcess {
    const { brokersOf, cluster, config, folder, names } = this.#options
    const flags = {
      node,
      members: names.join(","),
      nats: brokersOf(node),
      cluster,
      data: this.#dataOf(node),
      config,
      http: String(this.#ports.get(node)),
      "log-level": "warn"
    }
    const words = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
    const log = openSync(join(folder, "logs", node), "a")
    const child = spawn(process.execPath, [...ownProgram(root), "start", ...words], {
      cwd: root,
      stdio: ["ignore", log, log],
      env: {
        PATH: process.env["PATH"],
        // The built program keeps what Node compiled by itself.
        ...(isBuilt
          ? {}
          : { NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "compiled") }),
        EVERWRITE_CLUSTER_KEY: "a key for the faults"
      }
    })
    closeSync(log)
    this.#running.set(node, watch(child))
    return child
  }

  #dataOf(node: string): string {
    return join(this.#options.folder, node)
  }

  #lastLine(node: string): string {
    const log = readFileSync(join(this.#options.folder, "logs", node), "utf8")
    return log.trimEnd().split("\n").at(-1) ?? ""
  }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null

const watch = (child: ChildProcess): Running => {
  const kill = (): void => void child.kill("SIGKILL")
  process.once("exit", kill)
  const ended = new Promise((resolve) =>
    child.once("close", () => {
      process.removeListener("exit", kill)
      resolve(undefined)
    })
  )
  return { child, ended }
}

const isReady = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(10_000) })).ok
  } catch {
    return false
  }
}
