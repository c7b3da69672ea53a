/**
 * Starts all that a scenario needs: three nats-servers in a cluster, five nodes spread over them,
 * and a client of each nats-server.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Brokers, startBrokers } from "./brokers.ts"
import { type ChaosDb, connectTo } from "./families.ts"
import { Nodes } from "./nodes.ts"
import { untilFormed } from "./replicas.ts"

interface Client {
  readonly close: () => Promise<void>
}

export interface WorldOf<C extends Client> {
  readonly brokers: Brokers
  readonly nodes: Nodes
  /** One of each nats-server. */
  readonly clients: ReadonlyArray<C>
  readonly folder: string
  readonly stop: () => Promise<void>
}

export type World = WorldOf<ChaosDb>

export interface WorldOptions {
  /**
   * Whether nodes and clients are told of their own nats-server alone, and wait for it where it
   * stops, or of all three, and go to another one.
   */
  readonly reach: "own" | "all"
  /** The address that a node is told instead of its nats-server's. */
  readonly instead?: (node: string, port: number) => Promise<string>
  readonly config?: string
}

/** The nats-server of each node, by index: with the first cut off, two nodes are cut off. */
const homes: Readonly<Record<string, number>> = { n1: 0, n2: 0, n3: 1, n4: 1, n5: 2 }
export const nodeNames = Object.keys(homes)

const cluster = "chaos"
const ownConfig = fileURLToPath(new URL("everwrite.config.ts", import.meta.url))

export const startWorld = (options: WorldOptions): Promise<World> =>
  startWorldOf(options, connectTo)

/** The same with clients of other buckets, which `config` declares. */
export const startWorldOf = async <C extends Client>(
  options: WorldOptions,
  connect: (servers: ReadonlyArray<string>, cluster: string) => Promise<C>
): Promise<WorldOf<C>> => {
  const folder = mkdtempSync(join(tmpdir(), "everwrite-chaos-"))
  const brokers = await startBrokers()
  const urls = brokers.servers.map(({ url }) => url)
  const instead = new Map<string, string>()
  if (options.instead !== undefined) {
    for (const node of nodeNames) {
      instead.set(node, await options.instead(node, brokers.servers[homes[node]!]!.port))
    }
  }
  const addressesOf = (home: number): ReadonlyArray<string> =>
    options.reach === "all" ? urls : [urls[home]!]
  const nodes = new Nodes({
    names: nodeNames,
    cluster,
    folder,
    config: options.config ?? ownConfig,
    brokersOf: (node) => instead.get(node) ?? addressesOf(homes[node]!).join(",")
  })
  const clients: Array<C> = []
  const stop = async (): Promise<void> => {
    await Promise.all(clients.map((client) => client.close()))
    await nodes.stop()
    await brokers.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await Promise.all(nodeNames.map((node) => nodes.start(node)))
    await untilFormed(nodes)
    for (const home of urls.keys()) clients.push(await connect(addressesOf(home), cluster))
  } catch (error) {
    await stop()
    throw error
  }
  return { brokers, nodes, clients, folder, stop }
}
