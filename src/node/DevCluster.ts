/**
 * Runs three nodes and a broker in one process: a whole cluster for a laptop, of the very nodes
 * that run in production, with faults to try out.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { join } from "node:path"
import { invariant } from "../core/Invariant.ts"
import { presets } from "../core/model/Limits.ts"
import { NodeId } from "../core/model/Names.ts"
import { publicAddress } from "../core/model/PublicAddress.ts"
import { type Broker, EmbeddedBroker, layerBroker } from "../transport/broker/Broker.ts"
import * as ClusterKey from "./ClusterKey.ts"
import type { LoadedConfig } from "./ConfigFile.ts"
import { settled } from "./FormationWatch.ts"
import { type LiveNode, type StartFailure, startNode } from "./Node.ts"
import { fromObject, type Source } from "./Setting.ts"
import { resolve, type Settings } from "./Settings.ts"

const ids = ["n1", "n2", "n3"].map((id) => NodeId.make(id))

/** The fixed settings of `everwrite dev`, and its defaults. */
const fixed = fromObject({ members: ids.join(), node: ids[0] }, "everwrite dev")
const usual = fromObject(
  {
    preset: "development",
    nats: "embedded",
    dataDir: join(".everwrite", "dev"),
    logLevel: "warn"
  },
  "everwrite dev"
)

/** The settings that the nodes share: `dataDir` holds a folder for each, ports count up. */
export const resolveDev = (sources: ReadonlyArray<Source>) =>
  Effect.map(resolve([fixed, ...sources, usual]), (settings): Settings => ({
    ...settings,
    clusterKey: settings.clusterKey ?? ClusterKey.derived(settings.cluster)
  }))

export interface DevCluster {
  readonly settings: Settings
  /** Where clients reach the brokers, without a user or password. */
  readonly natsUrl: string
  /** Whether the broker is this process's own: only then nodes can be cut off. */
  readonly embedded: boolean
  readonly nodes: () => ReadonlyArray<LiveNode>
  /** Ends a node as a crash would, and starts it again on the data that it had on disk. */
  readonly restart: (node: NodeId) => Effect.Effect<void, StartFailure>
  /** Cuts a node off from the other nodes and from clients on NATS. */
  readonly isolate: (node: NodeId) => void
  /** Ends every isolation. */
  readonly heal: () => void
}

interface Running {
  readonly live: LiveNode
  readonly scope: Scope.Closeable
}

const connectionOf = (node: NodeId): string => `everwrite/${node}`

const settingsOf = (settings: Settings, index: number): Settings => {
  const node = ids[index]!
  const { dataDir, http } = settings
  return {
    ...settings,
    node,
    dataDir: join(dataDir, node),
    http: typeof http === "number" && http > 0 ? http + index : http
  }
}

/** The broker of this process, or where one is to be found already. */
const openBroker = Effect.fnUntraced(function*({ nats, preset }: Settings) {
  if (nats !== "embedded") return { natsUrl: nats, broker: undefined }
  const broker: Broker = Context.get(
    yield* Layer.build(layerBroker(presets[preset].broker)),
    EmbeddedBroker
  )
  return { natsUrl: broker.url, broker }
})

/** Starts the cluster, which stops with the scope. */
export const startDev = Effect.fnUntraced(function*(
  settings: Settings,
  buckets: LoadedConfig["buckets"]
): Effect.fn.Return<DevCluster, StartFailure, Scope.Scope> {
  const outer = yield* Effect.scope
  const { broker, natsUrl } = yield* openBroker(settings)
  const start = Effect.fnUntraced(function*(index: number) {
    const scope = yield* Scope.fork(outer)
    const own = settingsOf({ ...settings, nats: natsUrl }, index)
    const live = yield* startNode(own, buckets).pipe(Scope.provide(scope))
    const running: Running = { live, scope }
    return running
  })
  const running = yield* Effect.forEach(ids, (_, index) => start(index), {
    concurrency: ids.length
  })
  // Nobody is to notice that three nodes need a moment to form a cluster.
  for (const { live } of running) yield* settled(live.core)
  const restart = Effect.fnUntraced(function*(node: NodeId) {
    const index = ids.indexOf(node)
    const { live, scope } = running[index]!
    const name = connectionOf(node)
    // Messages that a crashed process had not sent stay unsent.
    broker?.isolate(name)
    yield* live.crash
    yield* Scope.close(scope, Exit.void)
    broker?.heal(name)
    running[index] = yield* start(index)
  })
  return {
    settings,
    natsUrl: publicAddress(natsUrl),
    embedded: broker !== undefined,
    nodes: () => running.map(({ live }) => live),
    restart,
    isolate: (node) => {
      invariant(broker !== undefined, "only the broker of this process can cut off a node")
      broker.isolate(connectionOf(node))
    },
    heal: () => {
      for (const node of ids) broker?.heal(connectionOf(node))
    }
  }
})
