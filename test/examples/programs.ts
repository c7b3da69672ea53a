/**
 * Runs a command as a person would type it: a line of shell at the top of the repository, with the
 * Node of that person's shell. All that it starts is one group of processes, which ends with its
 * test.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { delimiter } from "node:path"
import { fileURLToPath } from "node:url"
import type { Ended } from "../cli/everwrite.ts"
import { until } from "../tooling/until.ts"

export const root = fileURLToPath(new URL("../..", import.meta.url))

/**
 * The folders that npm and npx put in front of a script's path are not in the shell of a person.
 */
const path = (process.env["PATH"] ?? "").split(delimiter)
  .filter((folder) => !/node_modules|node-gyp-bin/.test(folder))

export interface ShellOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Folders of commands that come first. */
  readonly commands?: ReadonlyArray<string>
}

export interface ShellProgram {
  readonly stdout: () => string
  /** All that it printed once it ended. */
  readonly ended: Promise<Ended>
  /** Waits for what it prints, as a result or beside it. */
  readonly prints: (what: RegExp) => Promise<RegExpExecArray>
  /** Ends it as Ctrl-C does. */
  readonly interrupt: () => Promise<Ended>
}

/** Generous, because the machine may be busy with other things. */
const withinMillis = 120_000

const signalGroup = (child: ChildProcessWithoutNullStreams, signal: NodeJS.Signals): void => {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    process.kill(-child.pid, signal)
  }
}

export const start = (line: string, options: ShellOptions = {}): ShellProgram => {
  const child = spawn("sh", ["-c", line], {
    cwd: root,
    env: {
      HOME: process.env["HOME"],
      PATH: [...options.commands ?? [], ...path].join(delimiter),
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      ...options.env
    },
    stdio: "pipe",
    detached: true
  })
  const kill = (): void => signalGroup(child, "SIGKILL")
  process.once("exit", kill)
  let stdout = ""
  let stderr = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout += text))
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text))
  child.stdin.end()
  let hasEnded = false
  const ended = new Promise<Ended>((resolve) =>
    child.once("close", (code) => {
      hasEnded = true
      process.removeListener("exit", kill)
      resolve({ code, stdout, stderr })
    })
  )
  const prints = async (what: RegExp): Promise<RegExpExecArray> => {
    const found = () => what.exec(stdout) ?? what.exec(stderr)
    await until(`${line} prints ${what}`, () => hasEnded || found() !== null, { withinMillis })
    const match = found()
    if (match === null) throw new Error(`${line} printed no ${what}, but ${stdout}${stderr}`)
    return match
  }
  const interrupt = (): Promise<Ended> => {
    signalGroup(child, "SIGINT")
    return ended
  }
  return { stdout: () => stdout, ended, prints, interrupt }
}

export const run = (line: string, options: ShellOptions = {}): Promise<Ended> =>
  start(line, options).ended
