/**
 * Lists the settings that say where a node's spans and metrics go.
 */
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import { setting } from "./Setting.ts"

const Fraction = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

const Share = Schema.Union([
  Fraction,
  Schema.String.check(Schema.isPattern(/^[01](?:\.\d{1,9})?$/u)).pipe(Schema.decodeTo(Fraction, {
    decode: SchemaGetter.transform(Number),
    encode: SchemaGetter.transform(String)
  }))
])

const Url = Schema.String.check(
  Schema.makeFilter((text) => /^https?:$/u.test(URL.parse(text)?.protocol ?? ""))
)

export const telemetrySettings = {
  otlpUrl: setting({
    variable: "OTEL_EXPORTER_OTLP_ENDPOINT",
    schema: Url,
    expected: "the http or https URL of a collector, such as http://127.0.0.1:4318",
    otherwise: undefined,
    about: "Where spans and metrics go, by OTLP over HTTP with JSON; /v1/traces and /v1/metrics "
      + "are added. Without it none are made."
  }),
  traceShare: setting({
    variable: "EVERWRITE_TRACE_SHARE",
    schema: Share,
    expected: "a number from 0 to 1",
    otherwise: 0.01,
    about:
      "The share of requests that get a span, of those whose sender names none. A request with "
      + "a traceparent header (NATS or HTTP) is followed where its sender says so."
  })
}
