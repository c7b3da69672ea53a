/**
 * Lends tests nodes that are processes of their own, on a real broker, each with HTTP.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { BucketDefinition } from "../../src/core/model/BucketDefinition.ts"
import { start, type Started } from "../cli/everwrite.ts"
import { type NatsServer, standsStill } from "../tooling/natsServer.ts"
import { until } from "../tooling/until.ts"

export interface NodeProcessesOptions {
  readonly nats: NatsServer
  readonly cluster: string
  /** All members, whether they are started or not. */
  readonly members: ReadonlyArray<string>
  readonly buckets: ReadonlyArray<BucketDefinition>
}

export class NodeProcesses {
  readonly #folder = mkdtempSync(join(tmpdir(), "everwrite-nodes-"))
  readonly #options: NodeProcessesOptions
  readonly #nodes = new Map<string, Started>()
  readonly #urls = new Map<string, string>()

  constructor(options: NodeProcessesOptions) {
    this.#options = options
    writeFileSync(this.#config, JSON.stringify({ buckets: options.buckets }))
  }

  get #config(): string {
    return join(this.#folder, "everwrite.config.json")
  }

  /** Starts a node, and waits until it is ready. */
  async start(node: string, ...flags: ReadonlyArray<string>): Promise<void> {
    const { cluster, members, nats } = this.#options
    const names = ["--node", node, "--members", members.join(","), "--cluster", cluster]
    const ways = ["--nats", nats.url, "--http", "0", "--data", join(this.#folder, node)]
    const args = ["start", "--json", "--config", this.#config, ...names, ...ways, ...flags]
    const started = start(args, { env: { EVERWRITE_CLUSTER_KEY: "a key for the tests" } })
    this.#nodes.set(node, started)
    await until("the node is ready", () => {
      if (started.child.exitCode !== null) throw new Error(started.stderr())
      const [, url] = /"http":"([^"]+)"/u.exec(started.stderr()) ?? []
      if (url !== undefined) this.#urls.set(node, url)
      return url !== undefined
    }, { withinMillis: 30_000 })
  }

  /** Sends a request to a node by HTTP. */
  async request(
    node: string,
    path: string,
    init: RequestInit & { readonly query?: Readonly<Record<string, string>> } = {}
  ): Promise<Response> {
    const { query = {}, ...rest } = init
    return fetch(`${this.#urls.get(node)!}${path}?${String(new URLSearchParams(query))}`, rest)
  }

  /** Stops a node's process without closing its sockets, and waits until it stands still. */
  async freeze(node: string): Promise<void> {
    const { child } = this.#nodes.get(node)!
    child.kill("SIGSTOP")
    await until("the node stands still", () => standsStill(child.pid))
  }

  thaw(node: string): void {
    this.#nodes.get(node)!.child.kill("SIGCONT")
  }

  /** Ends a node's process as a crash would. */
  async kill(node: string): Promise<void> {
    const { child, ended } = this.#nodes.get(node)!
    child.kill("SIGKILL")
    await ended
  }

  async stop(): Promise<void> {
    for (const { child } of this.#nodes.values()) child.kill("SIGKILL")
    await Promise.all([...this.#nodes.values()].map(({ ended }) => ended))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
