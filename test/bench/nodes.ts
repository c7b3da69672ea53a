/**
 * Starts the node processes of the benchmark, each with a disk folder of its own.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { nodeOptions, nodeVariables } from "../../src/cli/OwnProcess.ts"
import { freePort } from "../tooling/natsServer.ts"
import { ownProgram, sourceProgram } from "../tooling/ownProgram.ts"
import { until } from "../tooling/until.ts"

export const nodes = ["n1", "n2", "n3"]

/** The top of the checkout that this file is in. */
export const here = fileURLToPath(new URL("../..", import.meta.url))

export interface NodeOptions {
  readonly nats: string
  /** Where the folders of the nodes are. */
  readonly data: string
  /** The checkout whose nodes are started from their sources; else this one's, perhaps built. */
  readonly of?: string
  /** Options of Node itself, and variables, besides those that a node needs. */
  readonly execArgv?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  /** The port of its HTTP interface; else a free one. */
  readonly http?: number
  /** With a channel to the child: it receives messages, and answers. */
  readonly channel?: boolean
}

/** Resolves when the node takes requests. */
export const startNode = async (node: string, options: NodeOptions): Promise<ChildProcess> => {
  const of = options.of ?? here
  const http = options.http ?? await freePort()
  const flags = {
    node,
    members: nodes.join(","),
    nats: options.nats,
    cluster: "bench",
    data: join(options.data, node),
    config: join(of, "test/bench/everwrite.config.ts"),
    http: String(http),
    "log-level": "error"
  }
  const words = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
  // As the command of the package starts a node.
  const program = options.of === undefined ? ownProgram(here) : sourceProgram(options.of)
  const own = [...nodeOptions, ...options.execArgv ?? [], ...program]
  const command = [...own, "start", ...words]
  const child = spawn(process.execPath, command, {
    cwd: of,
    stdio: ["ignore", "ignore", "inherit", ...(options.channel ? ["ipc" as const] : [])],
    env: {
      ...process.env,
      ...nodeVariables,
      ...options.env,
      EVERWRITE_CLUSTER_KEY: "of the benchmark"
    }
  })
  await until(`${node} is ready`, async () => {
    const answer = await fetch(`http://127.0.0.1:${http}/readyz`).catch(() => undefined)
    return answer?.ok === true
  }, { withinMillis: 60_000 })
  return child
}
