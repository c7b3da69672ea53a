/**
 * The services that a node stands on, as layers: its store, and its connection to a broker. Each is
 * opened when its layer is built, and closed with it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { presets } from "../core/model/Limits.ts"
import type { StorageUnavailable } from "../storage/Storage.ts"
import { openWorker, type WorkerStorage } from "../storage/WorkerStorage.ts"
import { type BrokerUnavailable, EmbeddedBroker, layerBroker } from "../transport/broker/Broker.ts"
import { layerNats } from "../transport/NatsTransport.ts"
import type { Transport, TransportUnavailable } from "../transport/Transport.ts"
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

/** Connected to the brokers of the settings, or to one in this process. */
export const layerTransport = (
  settings: Settings
): Layer.Layer<Transport, BrokerUnavailable | InvalidSetting | TransportUnavailable> => {
  const { nats, node, preset } = settings
  const connected = (servers: string) =>
    natsOptions(settings, { servers, name: `everwrite/${node}` }).pipe(
      Effect.map((options) => layerNats({ ...options, answersApart: true })),
      Layer.unwrap
    )
  if (nats !== "embedded") return connected(nats)
  return Effect.map(EmbeddedBroker, ({ url }) => connected(url)).pipe(
    Layer.unwrap,
    Layer.provide(layerBroker(presets[preset].broker))
  )
}
