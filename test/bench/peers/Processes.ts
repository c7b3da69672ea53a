/**
 * Starts the processes of the programs that are compared, ends them, and sees that none outlives
 * the benchmark.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync } from "node:fs"
import { createConnection } from "node:net"
import { join } from "node:path"
import { until } from "../../tooling/until.ts"

const running = new Set<ChildProcess>()
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL")
})

/** Ends it with the benchmark, if nobody ends it before. */
export const owned = (child: ChildProcess): ChildProcess => {
  running.add(child)
  child.once("exit", () => running.delete(child))
  return child
}

export const end = async (
  child: ChildProcess | undefined,
  signal: NodeJS.Signals = "SIGTERM"
): Promise<void> => {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, "exit")
  child.kill(signal)
  await exited
}

const takesConnections = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1" })
    const settle = (taken: boolean): void => {
      socket.destroy()
      resolve(taken)
    }
    socket.once("connect", () => settle(true))
    socket.once("error", () => settle(false))
  })

/** Starts a program that is no part of this repository, and waits until it takes connections. */
export const startProgram = async (
  command: string,
  words: ReadonlyArray<string>,
  port: number
): Promise<ChildProcess> => {
  const child = owned(spawn(command, words, { stdio: "ignore" }))
  await until(
    `${command} takes connections on ${port}`,
    () => {
      if (child.exitCode !== null) throw new Error(`${command} ${words.join(" ")} has ended`)
      return takesConnections(port)
    },
    { withinMillis: 20_000 }
  )
  return child
}

/** Three of a kind, each of which can be killed and started again with what it had on disk. */
export class ThreeNodes {
  readonly #start: (node: number) => Promise<ChildProcess>
  readonly #children: Array<ChildProcess> = []

  constructor(start: (node: number) => Promise<ChildProcess>) {
    this.#start = start
  }

  async startAll(): Promise<this> {
    this.#children.push(...await Promise.all([0, 1, 2].map((node) => this.#start(node))))
    return this
  }

  readonly pids = (): ReadonlyArray<number> => this.#children.map(({ pid = 0 }) => pid)

  readonly kill = (node: number): Promise<void> => end(this.#children[node], "SIGKILL")

  readonly restart = async (node: number): Promise<void> => {
    this.#children[node] = owned(await this.#start(node))
  }

  readonly stop = async (): Promise<void> => {
    await Promise.all(this.#children.map((child) => end(child)))
  }
}

export const madeFolder = (directory: string, name: string): string => {
  const folder = join(directory, name)
  mkdirSync(folder, { recursive: true })
  return folder
}
