/**
 * Runs one live node: storage on its thread, NATS, the node itself, HTTP, opened in this order and
 * closed in the other, also after a failure in between.
 *
 * A stopping node first says that it is not ready, takes no more requests, lets those under way
 * finish, and only then closes the services that they need.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Tracer from "effect/Tracer"
import type { Backend } from "../client/Backend.ts"
import type { RequestObserver } from "../coordinator/RequestObserver.ts"
import * as EmbeddedBackend from "../client/EmbeddedBackend.ts"
import { Everwrite, scopedClient } from "../client/Everwrite.ts"
import { fitted } from "../core/model/BucketDefinition.ts"
import { type Incarnation, isIncarnation } from "../core/model/Incarnation.ts"
import { lanMetrics, lanReports } from "../core/model/EdgeLimits.ts"
import { lanWatch } from "../core/model/WatchLimits.ts"
import { presets } from "../core/model/Limits.ts"
import * as MembershipLog from "../core/ring/MembershipLog.ts"
import { defaultReplicaCount } from "../core/ring/Ring.ts"
import * as RingState from "../core/ring/RingState.ts"
import * as Buckets from "../core/strategy/Buckets.ts"
import type { NodeMetrics } from "../http/Metrics.ts"
import type { HttpUnavailable } from "../http/Server.ts"
import { StorageUnavailable } from "../storage/Storage.ts"
import type { BrokerUnavailable } from "../transport/broker/Broker.ts"
import { Transport, type TransportService, TransportUnavailable } from "../transport/Transport.ts"
import { alarmsOf, rightsAlarm, watch } from "./Alarms.ts"
import { BrokerRights, type BrokerRightsOptions } from "./BrokerRights.ts"
import { reportConflicts } from "./ConflictReports.ts"
import * as ClusterKey from "./ClusterKey.ts"
import { type Config, decode, InvalidConfig, type LoadedConfig } from "./ConfigFile.ts"
import { watchDisk } from "./DiskCheck.ts"
import { watchFilling, watchFormation } from "./FormationWatch.ts"
import { limitsOf } from "./LimitSettings.ts"
import { liveRuntime, withJoinedTurns } from "./LiveRuntime.ts"
import { layerDoor, NodeDoor } from "./NodeDoor.ts"
import { layerStorage, layerTransport, NodeStorage } from "./NodeLayers.ts"
import { type AnotherProcess, refuseSecond, watchSuperseded } from "./OneProcess.ts"
import { beginIncarnation, NodeCore, type NodeOptions } from "./NodeCore.ts"
import { processSamples } from "./ProcessSamples.ts"
import { RequestMetrics } from "./RequestMetrics.ts"
import { RequestTraces } from "./RequestTraces.ts"
import { type StorageEnded, watchStorage } from "./StorageWatch.ts"
import { fromObject, type InvalidSetting } from "./Setting.ts"
import { resolve, type Settings } from "./Settings.ts"
import { layerTelemetry, Telemetry } from "./Telemetry.ts"
import { version } from "./Version.ts"
import { healthOf, samplesOf } from "./Status.ts"

export interface LiveNode {
  readonly core: NodeCore
  /** For clients in this process. */
  readonly backend: Backend
  readonly settings: Settings
  /** Of HTTP; undefined where it is off. */
  readonly address: string | undefined
  /** Of NATS. */
  readonly natsAddress: string
  /** Stops the disk as a crash would; then close the scope, which writes nothing any more. */
  readonly crash: Effect.Effect<void>
  /** Fails once this node cannot go on, or another process under its id goes on instead. */
  readonly ended: Effect.Effect<never, AnotherProcess | StorageEnded>
}

/** Why a node does not start. */
export type StartFailure =
  | AnotherProcess
  | BrokerUnavailable
  | HttpUnavailable
  | InvalidSetting
  | StorageUnavailable
  | TransportUnavailable

const ringOf = ({ members, partitionCount }: Settings): RingState.RingState =>
  RingState.make({
    partitionCount,
    replicaCount: defaultReplicaCount,
    log: MembershipLog.form(members)
  })

const bucketsOf = (served: LoadedConfig["buckets"], { members }: Settings): Buckets.Buckets =>
  Buckets.make(served.map((bucket) => {
    const definition = "code" in bucket ? bucket.definition : bucket
    const fitting = fitted(definition, members.length)
    return "code" in bucket ? { ...bucket, definition: fitting } : fitting
  }))

/** The code of a bucket, for the description of its paths. */
const codeIn = (buckets: Buckets.Buckets) => (bucket: string) => buckets.get(bucket)?.code

const begin = (options: Pick<NodeOptions, "storage" | "runtime">, { dataDir }: Settings) =>
  Effect.callback<Incarnation, StorageUnavailable>((resume) =>
    beginIncarnation(options, (begun) =>
      resume(
        isIncarnation(begun)
          ? Effect.succeed(begun)
          : Effect.fail(new StorageUnavailable({ path: dataDir, reason: begun.detail }))
      ))
  )

/** The node says that it is ready only when the broker knows its subscriptions. */
const subscribed = (transport: TransportService) =>
  Effect.callback<void, TransportUnavailable>((resume) =>
    transport.flush((reached) => {
      const address = transport.address()
      const reason = "the connection broke at once"
      resume(reached ? Effect.void : Effect.fail(new TransportUnavailable({ address, reason })))
    })
  )

/** Tells the operator when the connection breaks, and when it is back. */
const watchConnection = Effect.fnUntraced(function*(transport: TransportService) {
  const run = Effect.runForkWith(yield* Effect.context())
  const tell = (connected: boolean) =>
    void run(
      connected
        ? Effect.logInfo(`connected to NATS again, at ${transport.address()}`)
        : Effect.logWarning("the connection to NATS broke; it is tried again")
    )
  yield* Effect.acquireRelease(
    Effect.sync(() => transport.onStatus(tell)),
    (watching) => Effect.sync(() => watching.close())
  )
})

/** Knows which rights the node's user lacks at the broker. */
const watchRights = (
  { cluster, node }: Settings,
  transport: TransportService,
  greet: BrokerRightsOptions["greet"]
) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      new BrokerRights({ runtime: liveRuntime, transport, cluster, node, greet, limits: lanWatch })
    ),
    (rights) => Effect.sync(() => rights.close())
  )

/**
 * Logs the first exception at each place, and one that comes after a while without any; the others
 * are counted.
 */
const reportFailures = Effect.fnUntraced(function*() {
  const run = Effect.runForkWith(yield* Effect.context())
  const failedAt = new Map<string, number>()
  return (failure: unknown, where: string) => {
    const now = liveRuntime.elapsed()
    const isNew = now - (failedAt.get(where) ?? -Infinity) > lanWatch.alarmQuietMillis
    failedAt.set(where, now)
    if (!isNew) return
    const stack = failure instanceof Error ? failure.stack : undefined
    run(Effect.logError(`${where} ended with an exception: ${stack ?? String(failure)}`))
  }
})

/** Measures all requests, and follows a share of them where a collector is set. */
const observerOf = (
  { node, traceShare: share }: Settings,
  { buckets, metrics, runtime, tracer }: Pick<NodeOptions, "buckets" | "runtime"> & {
    readonly metrics: NodeMetrics
    readonly tracer: Tracer.Tracer | undefined
  }
): RequestObserver => {
  const measured = new RequestMetrics({
    context: metrics.context,
    ...lanMetrics,
    buckets: new Set(buckets.keys())
  })
  return tracer === undefined
    ? measured
    : new RequestTraces({ runtime, tracer, share, node, metrics: measured })
}

/** A key that follows from a name keeps no attacker out: it is for development, and says so. */
const keysOf = Effect.fnUntraced(function*(settings: Settings) {
  const { cluster, clusterKey, clusterKeyPrevious: previous } = settings
  if (clusterKey === undefined) {
    yield* Effect.logWarning(
      `EVERWRITE_CLUSTER_KEY is not set: a key for development is used, which follows from the `
        + `name of cluster ${cluster}; anyone who knows the name can forge contexts and frames`
    )
  }
  return ClusterKey.toKeys({ current: clusterKey ?? ClusterKey.derived(cluster), previous })
})

/** Takes no more requests, and waits until those under way have ended or the time is up. */
const drain = Effect.fnUntraced(function*(core: NodeCore) {
  const { coordinator, options, requests } = core
  const { drainPollMillis, drainTimeoutMillis: limit } = options.limits
  core.drain()
  let waited = 0
  // An answer in parts is not all sent when its request has ended.
  const isBusy = () => coordinator.underWay() > 0 || requests.answerParts.bytes > 0
  while (isBusy() && waited < limit) {
    yield* Effect.sleep(drainPollMillis)
    waited += drainPollMillis
  }
  const cut = coordinator.underWay()
  if (cut > 0) yield* Effect.logWarning(`${cut} requests had not ended after ${limit} ms`)
  // Their answers are gathered until the end of the turn, and then on their way to the broker.
  yield* Effect.sleep(1)
  yield* Effect.callback<void>((resume) => options.transport.flush(() => resume(Effect.void)))
}, Effect.withSpan("everwrite.drain", { root: true }))

const operatorsWords = ({ acceptLoss, form }: Settings) => ({
  isForced: form,
  isLossAccepted: acceptLoss
})

/** Starts a node, which stops with the scope. */
const start = Effect.fnUntraced(function*(
  settings: Settings,
  served: LoadedConfig["buckets"]
): Effect.fn.Return<
  LiveNode,
  StartFailure,
  NodeDoor | NodeStorage | Scope.Scope | Telemetry | Transport
> {
  const { cluster, node, otlpUrl } = settings
  const runtime = withJoinedTurns(liveRuntime)
  const metrics = yield* Telemetry
  const storage = yield* NodeStorage
  const rights = yield* watchRights(settings, yield* Transport, (to) => core.link.greet(to))
  const { transport } = rights
  const tracer = otlpUrl === undefined ? undefined : yield* Effect.tracer
  const buckets = bucketsOf(served, settings)
  const incarnation = yield* begin({ storage: storage.service, runtime }, settings)
  const { ended: superseded, onSuperseded } = yield* watchSuperseded({ node })
  const options: NodeOptions = {
    runtime,
    transport,
    storage: storage.service,
    node,
    cluster,
    ring: ringOf(settings),
    buckets,
    keys: yield* keysOf(settings),
    limits: limitsOf(settings),
    ...operatorsWords(settings),
    version,
    onFailure: yield* reportFailures(),
    onConflict: yield* reportConflicts({ ...lanReports, runtime }),
    onSuperseded,
    observer: observerOf(settings, { runtime, metrics, buckets, tracer })
  }
  yield* refuseSecond(options, incarnation)
  const core = yield* Effect.acquireRelease(
    Effect.sync(() => new NodeCore(options, incarnation)),
    (started) => Effect.sync(() => started.close())
  )
  const ended = Effect.raceFirst(superseded, yield* watchStorage(storage, core))
  metrics.add(() => [...samplesOf(core), ...processSamples(settings)])
  yield* subscribed(transport)
  const { coordinator, questions, view } = core
  const backend = EmbeddedBackend.make({ runtime, coordinator, view, buckets, cluster, questions })
  let stopping = false
  const door = yield* NodeDoor
  const missingRights = () => rights.missing()
  const health = healthOf(core, () => stopping, missingRights)
  const address = yield* door.open({ backend, health, metrics, codeOf: codeIn(buckets) })
  yield* watchConnection(transport)
  const alarms = [...alarmsOf(core), rightsAlarm(missingRights)]
  yield* Effect.forkScoped(watch(alarms, { ...lanWatch, ...options.limits }))
  yield* Effect.forkScoped(watchDisk(storage.service, { ...lanWatch, ...options.limits }))
  yield* Effect.forkScoped(watchFormation(core))
  yield* Effect.forkScoped(watchFilling(core))
  // The last to be opened is the first to be closed: requests under way need all the rest.
  yield* Effect.addFinalizer(() => {
    if (stopping) return Effect.void
    stopping = true
    // The last numbers go to a collector, too.
    return Effect.andThen(drain(core), Effect.sync(() => metrics.refresh()))
  })
  const crash = Effect.suspend(() => {
    stopping = true
    return storage.crash
  })
  return { core, backend, settings, address, natsAddress: transport.address(), crash, ended }
})

/**
 * The node as a service, for programs that are one: the layer starts it, gives them its client
 * without a hop, and stops it with the program.
 */
export class EverwriteNode
  extends Context.Service<EverwriteNode, LiveNode>()("everwrite/node/EverwriteNode")
{
  /** With settings that were read, and buckets that were loaded. */
  static layerOf(
    settings: Settings,
    served: LoadedConfig["buckets"],
    /** On another store than the one in its folder: for tests of a disk that fails. */
    storage: Layer.Layer<NodeStorage, StorageUnavailable> = layerStorage(settings)
  ): Layer.Layer<EverwriteNode, StartFailure> {
    // Several nodes may share a process and its log.
    const started = Effect.annotateLogs(start(settings, served), { node: settings.node })
    const node = Layer.effect(EverwriteNode, started).pipe(
      Layer.provide(layerTransport(settings)),
      Layer.provide(layerDoor(settings)),
      Layer.provide(storage)
    )
    // One span around all that it stands on; the span of a layer would last as long as the node.
    return Layer.effectContext(Effect.withSpan(Layer.build(node), "everwrite.start")).pipe(
      Layer.provide(layerTelemetry(settings))
    )
  }

  /** With the buckets and settings of `config`; no flag, variable or file is looked at. */
  static layer(
    config: Config
  ): Layer.Layer<EverwriteNode | Everwrite, StartFailure | InvalidConfig> {
    return Layer.unwrap(Effect.gen(function*() {
      const { buckets, settings } = yield* Effect.fromResult(decode(config)).pipe(
        Effect.mapError((problem) => new InvalidConfig({ path: "EverwriteNode.layer", problem }))
      )
      const resolved = yield* resolve([fromObject(settings, "EverwriteNode.layer")])
      return Layer.provideMerge(layerClient, EverwriteNode.layerOf(resolved, buckets))
    }))
  }
}

/** The client of the node in this process. */
const layerClient = Layer.effect(
  Everwrite,
  Effect.flatMap(
    EverwriteNode,
    ({ backend, settings: { preset } }) => scopedClient(backend, presets[preset].client)
  )
)

/** The same as an effect, for those who start and stop nodes by scopes of their own. */
export const startNode = (
  settings: Settings,
  served: LoadedConfig["buckets"]
): Effect.Effect<LiveNode, StartFailure, Scope.Scope> =>
  Effect.map(Layer.build(EverwriteNode.layerOf(settings, served)), Context.get(EverwriteNode))
