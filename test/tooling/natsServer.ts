/**
 * Runs NATS for the suites that stop it and start it again on the same port, on loopback and a
 * free port: the embedded broker, or a real nats-server with a configuration of its own, which
 * may also be frozen and thawed.
 *
 * Where nats-server is not installed the suites that need it are skipped by name; under CI its
 * absence is a failure.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createConnection, createServer } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { describe, it } from "vitest"
import { startBroker } from "../../src/transport/broker/Broker.ts"
import { until } from "./until.ts"

/** Runs, and comes back at the same address. */
export interface RestartableBroker {
  readonly url: string
  readonly stop: () => Promise<void>
  /** Resolves when it takes connections. */
  readonly start: () => Promise<void>
}

export interface NatsServer extends RestartableBroker {
  readonly port: number
  /** Starts it again after `stop`, with another configuration if one is given. */
  readonly start: (config?: string) => Promise<void>
  /** Stops the process without closing its sockets (SIGSTOP), and waits until it stands still. */
  readonly freeze: () => Promise<void>
  readonly thaw: () => void
}

export const startEmbedded = async (): Promise<RestartableBroker> => {
  let broker = await startBroker()
  const { port, url } = broker
  return {
    url,
    stop: () => broker.close(),
    start: async () => {
      broker = await startBroker({ port })
    }
  }
}

const install = "apt-get install -y nats-server"

export const natsServerBinary: string | undefined = [
  ...(process.env["PATH"] ?? "").split(delimiter),
  "/usr/sbin"
].map((folder) => join(folder, "nats-server")).find((path) => existsSync(path))

/** `describe`, for suites that need nats-server. */
export const describeWithNats = (title: string, body: () => void): void => {
  if (natsServerBinary !== undefined) {
    describe(title, body)
  } else if (process.env["CI"] === "true") {
    describe(title, () => {
      it("finds nats-server", () => {
        throw new Error(`nats-server is not installed: ${install}`)
      })
    })
  } else {
    describe.skip(`${title} (nats-server is not installed: ${install})`, body)
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once("error", () => resolve(false))
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)))
  })

/**
 * A port that nobody has. It is none of those that systems give to connections, or to programs that
 * ask for any: such a one could be taken again before the test listens there, or while it does not.
 */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000)
    if (await isFree(port)) return port
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1" })
    const settle = (answered: boolean): void => {
      socket.destroy()
      resolve(answered)
    }
    socket.once("data", () => settle(true))
    socket.once("error", () => settle(false))
  })

const untilAnswering = async (port: number, child: ChildProcess): Promise<void> => {
  const deadline = performance.now() + 10_000
  while (!await answers(port)) {
    if (child.exitCode !== null || performance.now() > deadline) {
      throw new Error(`nats-server did not start on port ${port}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Whether every thread is stopped; systems without /proc are believed to be quick. */
export const standsStill = (pid: number | undefined): boolean => {
  const tasks = `/proc/${pid}/task`
  return !existsSync(tasks)
    || readdirSync(tasks).every((task) =>
      /\) T /u.test(readFileSync(join(tasks, task, "stat"), "utf8"))
    )
}

/** Starts a server whose configuration file holds `config` besides address and port. */
export const startNatsServer = async (config = ""): Promise<NatsServer> => {
  if (natsServerBinary === undefined) throw new Error(`nats-server is missing: ${install}`)
  const binary = natsServerBinary
  const port = await freePort()
  let folder: string | undefined
  let child: ChildProcess | undefined
  const kill = (): void => void child?.kill("SIGKILL")

  const start = async (settings = config): Promise<void> => {
    folder = await mkdtemp(join(tmpdir(), "everwrite-nats-"))
    const file = join(folder, "nats.conf")
    await writeFile(file, `host: 127.0.0.1\nport: ${port}\n${settings}\n`)
    child = spawn(binary, ["-a", "127.0.0.1", "-c", file], { stdio: "ignore" })
    process.once("exit", kill)
    await untilAnswering(port, child)
  }
  const stop = async (): Promise<void> => {
    if (child === undefined || folder === undefined) return
    const exited = new Promise((resolve) => child?.once("exit", resolve))
    kill()
    await exited
    process.removeListener("exit", kill)
    child = undefined
    await rm(folder, { recursive: true, force: true })
  }

  await start()
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    start,
    stop,
    freeze: async () => {
      child?.kill("SIGSTOP")
      await until("nats-server stands still", () => standsStill(child?.pid))
    },
    thaw: () => void child?.kill("SIGCONT")
  }
}
