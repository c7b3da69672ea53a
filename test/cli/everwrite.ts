/**
 * Runs the command line as its users do: a process of its own, with flags, streams and an exit
 * code. Every process started here ends with its test.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { until } from "../tooling/until.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const command = [
  "--conditions=everwrite-source",
  "--disable-warning=ExperimentalWarning",
  fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))
]

export const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

export interface CommandOptions {
  readonly input?: string
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/**
 * The variables that a command needs; a person who runs the tests may have set others. Compiled
 * code is kept.
 */
const environment = (given: CommandOptions["env"]): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
  ...given
})

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly child: ChildProcessWithoutNullStreams
  readonly stdout: () => string
  readonly stderr: () => string
  readonly ended: Promise<Ended>
}

/** The output of a process and how it ends. */
const watch = (child: ChildProcessWithoutNullStreams): Started => {
  const kill = (): void => void child.kill("SIGKILL")
  process.once("exit", kill)
  let stdout = ""
  let stderr = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout += text))
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text))
  // One that ends without reading its input is no fault of ours.
  child.stdin.on("error", () => child.stdin.destroy())
  const ended = new Promise<Ended>((resolve) =>
    child.once("close", (code) => {
      process.removeListener("exit", kill)
      resolve({ code, stdout, stderr })
    })
  )
  return { child, stdout: () => stdout, stderr: () => stderr, ended }
}

export const start = (args: ReadonlyArray<string>, options: CommandOptions = {}): Started => {
  const child = spawn(process.execPath, [...command, ...args], {
    cwd: options.cwd ?? root,
    env: environment(options.env)
  })
  child.stdin.end(options.input ?? "")
  return watch(child)
}

/** Lends a process a terminal: of util-linux. */
export const script = "/usr/bin/script"

/** The same with a terminal, on which text for `stdin` is typed. */
export const startOnTerminal = (
  args: ReadonlyArray<string>,
  options: CommandOptions = {}
): Started => {
  const line = [process.execPath, ...command, ...args].map((word) => `'${word}'`).join(" ")
  return watch(spawn(script, ["-qec", line, "/dev/null"], {
    cwd: options.cwd ?? root,
    env: environment(options.env)
  }))
}

export const run = (args: ReadonlyArray<string>, options: CommandOptions = {}): Promise<Ended> =>
  start(args, options).ended

export interface Dev extends Started {
  readonly nats: string
  readonly nodes: ReadonlyArray<{ readonly node: string; readonly http: string }>
  readonly stop: (signal?: NodeJS.Signals) => Promise<Ended>
}

/** A cluster of `everwrite dev` on free ports, in a folder of its own. */
export const startDev = async (
  folder: string,
  args: ReadonlyArray<string> = []
): Promise<Dev> => {
  const started = start(["dev", "--json", "--port", "0", "--nats-port", "0", ...args], {
    cwd: folder
  })
  await until(
    `dev is ready (${started.stderr()})`,
    () => started.stdout().includes("\n") || started.child.exitCode !== null,
    { withinMillis: 30_000 }
  )
  if (started.child.exitCode !== null) throw new Error(started.stderr())
  const { nats, nodes } = JSON.parse(started.stdout())
  const stop = (signal: NodeJS.Signals = "SIGTERM") => {
    started.child.kill(signal)
    return started.ended
  }
  return { ...started, nats, nodes, stop }
}
