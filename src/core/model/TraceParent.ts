/**
 * Names a span across processes, as the `traceparent` header of W3C Trace Context does: trace,
 * span, and whether the span is recorded.
 *
 * @see https://www.w3.org/TR/trace-context/
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const pattern = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/u

export const TraceParent = Schema.String.check(
  Schema.isPattern(pattern, { expected: "a traceparent of version 00" })
).pipe(Schema.brand("TraceParent"))
export type TraceParent = typeof TraceParent.Type

export interface SpanName {
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
}

const decode = Schema.decodeUnknownOption(TraceParent)

/** The header's value, if it is one: another is passed over, as the standard asks. */
export const from = (header: string | undefined): TraceParent | undefined =>
  header === undefined ? undefined : Option.getOrUndefined(decode(header))

/** The name of a span; undefined where its tracer has no such names. */
export const write = ({ sampled, spanId, traceId }: SpanName): TraceParent | undefined =>
  from(`00-${traceId}-${spanId}-${sampled ? "01" : "00"}`)

export const read = (parent: TraceParent): SpanName => {
  const [, traceId = "", spanId = "", flags = "0"] = pattern.exec(parent) ?? []
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}
