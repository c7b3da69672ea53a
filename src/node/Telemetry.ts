/**
 * The numbers of a node, and, where the settings name a collector of OpenTelemetry, the exporters
 * that send them and the node's spans there: Effect's own. Where they name none, no exporter and no
 * span is made.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { TracerDisabledWhen } from "effect/http/HttpMiddleware"
import * as Layer from "effect/Layer"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import * as Schedule from "effect/Schedule"
import { lanMetrics } from "../core/model/EdgeLimits.ts"
import { NodeMetrics } from "../http/Metrics.ts"
import type { Settings } from "./Settings.ts"
import { version } from "./Version.ts"

/** The numbers that a node shows. */
export class Telemetry
  extends Context.Service<Telemetry, NodeMetrics>()("everwrite/node/Telemetry")
{}

const layerMetrics = Layer.sync(Telemetry, () => new NodeMetrics())

/** The exporter reads the registry, and not the counts that are read into it. */
const layerRefresh = Layer.effectDiscard(Effect.gen(function*() {
  const metrics = yield* Telemetry
  const refresh = Effect.sync(() => metrics.refresh())
  yield* Effect.forkScoped(Effect.repeat(refresh, Schedule.spaced(lanMetrics.exportMillis)))
}))

const layerExporters = (base: string, { cluster, node }: Pick<Settings, "cluster" | "node">) => {
  const attributes = { "service.instance.id": `${cluster}/${node}` }
  const shared = {
    resource: { serviceName: "everwrite", serviceVersion: version, attributes },
    exportInterval: lanMetrics.exportMillis
  }
  const registry = Layer.effectContext(Effect.map(Telemetry, ({ context }) => context))
  return Layer.mergeAll(
    OtlpTracer.layer({ ...shared, url: `${base}/v1/traces` }),
    OtlpMetrics.layer({ ...shared, url: `${base}/v1/metrics` }).pipe(Layer.provide(registry)),
    layerRefresh,
    // Requests have their spans from `RequestTraces`, by HTTP too.
    Layer.succeed(TracerDisabledWhen, () => true)
  ).pipe(Layer.provide(OtlpSerialization.layerJson), Layer.provide(FetchHttpClient.layer))
}

/** The numbers of a node; and the tracer of its spans, where there is a collector for them. */
export const layerTelemetry = (settings: Settings): Layer.Layer<Telemetry> => {
  const { otlpUrl } = settings
  if (otlpUrl === undefined) return layerMetrics
  const exporters = layerExporters(otlpUrl.replace(/\/+$/u, ""), settings)
  return Layer.provideMerge(exporters, layerMetrics)
}
