/**
 * The services that a node stands on, as layers: its store, and its connection to a broker. Each is
 * opened when its layer is built, and closed with it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { lanWatch } from "../core/model/WatchLimits.ts"
import { presets } from "../core/model/Limits.ts"
import type { StorageUnavailable } from "../storage/Storage.ts"
import { openWorker, type WorkerStorage } from "../storage/WorkerStorage.ts"
import { type BrokerUnavailable, EmbeddedBroker, layerBroker } from "../transport/broker/Broker.ts"
import { layerNats } from "../transport/NatsTransport.ts"
import type { NatsOptions } from "../transport/NatsOptions.ts"
import { Transport, type TransportUnavailable } from "../transport/Transport.ts"
import { limitsOf } from "./LimitSettings.ts"
import { liveRuntime } from "./LiveRuntime.ts"
import { natsOptions } from "./NatsSettings.ts"
import type { InvalidSetting } from "./Setting.ts"
import type { Settings } from "./Settings.ts"

/** The store of a node, on a thread of its own. */
export class NodeStorage
  extends Context.Service<NodeStorage, WorkerStorage>()("everwrite/node/NodeStorage")
{}

export const layerStorage = (settings: Settings): Layer.Layer<NodeStorage, StorageUnavailable> => {
  const { cluster, dataDir: directory, node, partitionCount } = settings
  const opening = openWorker({
    directory,
    identity: { cluster, node, partitionCount },
    runtime: liveRuntime,
    limits: limitsOf(settings)
  })
  return Layer.effect(
    NodeStorage,
    Effect.acquireRelease(opening, (opened) => opened.close).pipe(
      Effect.withSpan("everwrite.start.storage")
    )
  )
}

/** Whether a broker may be there later, which takes this user. */
const mayCome = (error: TransportUnavailable): boolean =>
  error.isDenied !== true && error.isMisconfigured !== true

/** A broker may be busy; that nothing listens, or who is refused, is told at once. */
const isLate = (error: TransportUnavailable): boolean => error.isLate === true

/**
 * Tries again while the reason may pass, and tells once that it does. A node that does not wait for
 * a broker tries some times only.
 */
const layerPatient = (
  options: NatsOptions,
  { isWaiting }: { readonly isWaiting: boolean }
): Layer.Layer<Transport, TransportUnavailable> => {
  const mayPass = isWaiting ? mayCome : isLate
  let isTold = false
  const tell = (error: TransportUnavailable) => {
    if (isTold || !mayPass(error)) return Effect.void
    isTold = true
    return Effect.logWarning(
      `${error.message}; ${isWaiting ? "it is waited for" : "it is tried again for a while"}`
    )
  }
  return Layer.effect(
    Transport,
    Effect.map(Layer.build(layerNats(options)), Context.get(Transport)).pipe(
      Effect.tapError(tell),
      Effect.retry({
        while: mayPass,
        schedule: Schedule.spaced(lanWatch.brokerWaitMillis),
        ...isWaiting ? {} : { times: lanWatch.brokerTriesMax - 1 }
      })
    )
  )
}

/** Connected to the brokers of the settings, or to one in this process. */
export const layerTransport = (
  settings: Settings
): Layer.Layer<Transport, BrokerUnavailable | InvalidSetting | TransportUnavailable> => {
  const { nats, node, preset, waitForNats } = settings
  const connected = (servers: string) =>
    natsOptions(settings, { servers, name: `everwrite/${node}` }).pipe(
      Effect.map((given) => {
        const options = { ...given, answersApart: true }
        return layerPatient(options, { isWaiting: waitForNats && nats !== "embedded" })
      }),
      Layer.unwrap
    )
  if (nats !== "embedded") return connected(nats)
  return Effect.map(EmbeddedBroker, ({ url }) => connected(url)).pipe(
    Layer.unwrap,
    Layer.provide(layerBroker(presets[preset].broker))
  )
}
