/**
 * Runs a few nodes and a broker in one process: a whole cluster for a laptop, of the very nodes
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
import { fromObject, InvalidSetting, type JointFault, type Source } from "./Setting.ts"
import { resolve, type Settings } from "./Settings.ts"

/** Nodes of `everwrite dev`; a document has three replicas, so with more there are stand-ins. */
export const devNodes = { usual: 3, most: 9 }

/** The settings of `everwrite dev` that nothing else may give. */
const fixedFor = (count: number): Source => {
  const ids = Array.from({ length: count }, (_, index) => NodeId.make(`n${index + 1}`))
  return fromObject({ members: ids.join(), node: ids[0] }, "everwrite dev")
}

/** Its defaults. */
const usual = fromObject(
  {
    preset: "development",
    nats: "embedded",
    logLevel: "warn"
  },
  "everwrite dev"
)

/** A port for the broker of this process, where another broker is used. */
const otherBroker = (nats: string, natsPort: number | undefined): ReadonlyArray<JointFault> => {
  if (natsPort === undefined || nats === "embedded") return []
  const fault = new InvalidSetting({
    setting: "nats-port",
    value: String(natsPort),
    origin: "from --nats-port",
    expected: "no port of a broker in this process, since NATS_URL, or the config file, names "
      + "another broker: leave out one of the two"
  })
  return [{ causes: ["nats"], fault }]
}

/**
 * The settings that the nodes share: `dataDir` holds a folder for each, ports count up. The samples
 * have a folder of their own: a project that begins with them finds none of their documents later.
 */
export const resolveDev = Effect.fnUntraced(function*(
  sources: ReadonlyArray<Source>,
  options: {
    readonly samples: boolean
    readonly natsPort?: number | undefined
    readonly nodes?: number | undefined
  } = { samples: false }
) {
  const fixed = fixedFor(options.nodes ?? devNodes.usual)
  const given = yield* resolve(
    [fixed, ...sources, usual],
    ({ nats }) => otherBroker(nats, options.natsPort)
  )
  const { cluster, clusterKey } = given
  const folder = options.samples ? `${cluster}-samples` : cluster
  const folders = fromObject({ dataDir: join(".everwrite", folder) }, "everwrite dev")
  const { dataDir } = yield* resolve([fixed, ...sources, usual, folders])
  const settings: Settings = {
    ...given,
    dataDir,
    clusterKey: clusterKey ?? ClusterKey.derived(cluster)
  }
  return settings
})

export interface DevCluster {
  readonly settings: Settings
  /** Where clients reach the brokers, without a user or password. */
  readonly natsUrl: string
  /** Whether the broker is this process's own: only then nodes can be cut off. */
  readonly embedded: boolean
  /** Whether that broker listens elsewhere than clients look first. */
  readonly isUsualPortTaken: boolean
  /** Those that run. */
  readonly nodes: () => ReadonlyArray<LiveNode>
  /** Ends a node as a crash would. */
  readonly kill: (node: NodeId) => Effect.Effect<void>
  /** Starts it again, on the data that it had on disk. */
  readonly revive: (node: NodeId) => Effect.Effect<void, StartFailure>
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
  const node = settings.members[index]!.id
  const { dataDir, http } = settings
  return {
    ...settings,
    node,
    dataDir: join(dataDir, node),
    http: typeof http === "number" && http > 0 ? http + index : http
  }
}

/** Where clients of NATS look for a broker. */
export const usualNatsPort = 4222

/** The broker of this process, or where one is to be found already. */
const openBroker = Effect.fnUntraced(function*(
  { nats, preset }: Settings,
  port: number | undefined
) {
  if (nats !== "embedded") return { natsUrl: nats, broker: undefined, isUsualPortTaken: false }
  const listen = (at: number) => Layer.build(layerBroker({ ...presets[preset].broker, port: at }))
  const broker: Broker = Context.get(
    yield* listen(port ?? usualNatsPort).pipe(
      Effect.catchIf(({ kind }) => port === undefined && kind === "in-use", () => listen(0))
    ),
    EmbeddedBroker
  )
  const isUsualPortTaken = port === undefined && broker.port !== usualNatsPort
  return { natsUrl: broker.url, broker, isUsualPortTaken }
})

/** Starts the cluster, which stops with the scope. */
export const startDev = Effect.fnUntraced(function*(
  settings: Settings,
  buckets: LoadedConfig["buckets"],
  /** The broker's port; 0 takes any. Unless given the usual one, or any where that is taken. */
  natsPort?: number
): Effect.fn.Return<DevCluster, StartFailure, Scope.Scope> {
  const outer = yield* Effect.scope
  const ids = settings.members.map(({ id }) => id)
  const { broker, isUsualPortTaken, natsUrl } = yield* openBroker(settings, natsPort)
  const start = Effect.fnUntraced(function*(index: number) {
    const scope = yield* Scope.fork(outer)
    const own = settingsOf({ ...settings, nats: natsUrl }, index)
    const live = yield* startNode(own, buckets).pipe(Scope.provide(scope))
    const running: Running = { live, scope }
    return running
  })
  const started = yield* Effect.forEach(ids, (_, index) => start(index), {
    concurrency: ids.length
  })
  const running: Array<Running | undefined> = [...started]
  // Nobody is to notice that the nodes need a moment to form a cluster.
  for (const { live } of started) yield* settled(live.core)
  const kill = Effect.fnUntraced(function*(node: NodeId) {
    const index = ids.indexOf(node)
    const killed = running[index]
    if (killed === undefined) return
    running[index] = undefined
    const name = connectionOf(node)
    // Messages that a crashed process had not sent stay unsent.
    broker?.isolate(name)
    yield* killed.live.crash
    yield* Scope.close(killed.scope, Exit.void)
    broker?.heal(name)
  })
  const revive = Effect.fnUntraced(function*(node: NodeId) {
    const index = ids.indexOf(node)
    running[index] ??= yield* start(index)
  })
  return {
    settings,
    natsUrl: publicAddress(natsUrl),
    embedded: broker !== undefined,
    isUsualPortTaken,
    nodes: () => running.flatMap((node) => node === undefined ? [] : [node.live]),
    kill,
    revive,
    isolate: (node) => {
      invariant(broker !== undefined, "only the broker of this process can cut off a node")
      broker.isolate(connectionOf(node))
    },
    heal: () => {
      for (const node of ids) broker?.heal(connectionOf(node))
    }
  }
})
