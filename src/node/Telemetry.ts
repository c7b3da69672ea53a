/**
 * Sends spans and metrics to a collector of OpenTelemetry, by Effect's own exporter, where the
 * settings name one. Where they name none, no exporter and no span is made.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { lanMetrics } from "../core/model/EdgeLimits.ts"
import type { NodeMetrics } from "../http/Metrics.ts"
import type { Settings } from "./Settings.ts"
import { version } from "./Version.ts"

const serviceName = "everwrite"

/** The tracer of a collector, to which metrics go too; undefined where none is set. */
export const openTelemetry = Effect.fnUntraced(function*(
  { cluster, node, otlpUrl }: Pick<Settings, "cluster" | "node" | "otlpUrl">,
  metrics: NodeMetrics
): Effect.fn.Return<Tracer.Tracer | undefined, never, Scope.Scope> {
  if (otlpUrl === undefined) return undefined
  const base = otlpUrl.replace(/\/+$/u, "")
  const attributes = { "service.instance.id": `${cluster}/${node}` }
  const shared = {
    resource: { serviceName, serviceVersion: version, attributes },
    exportInterval: lanMetrics.exportMillis
  }
  const registry = Layer.succeedContext(metrics.context)
  const exporters = Layer.mergeAll(
    OtlpTracer.layer({ ...shared, url: `${base}/v1/traces` }),
    OtlpMetrics.layer({ ...shared, url: `${base}/v1/metrics` }).pipe(Layer.provide(registry))
  ).pipe(Layer.provide(OtlpSerialization.layerJson), Layer.provide(FetchHttpClient.layer))
  const context = yield* Layer.build(exporters)
  // The exporter reads the registry, and not the counts that are read into it.
  const refresh = Effect.sync(() => metrics.refresh())
  yield* Effect.forkScoped(Effect.repeat(refresh, Schedule.spaced(lanMetrics.exportMillis)))
  return Context.get(context, Tracer.Tracer)
})
