/**
 * Follows a share of the requests in spans, which name bucket, operation and outcome, and never a
 * key or a value. A request whose sender has a span belongs to that span's trace, and is followed
 * where that is.
 */
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import type {
  Observation,
  RequestEnd,
  RequestNames,
  RequestObserver
} from "../coordinator/RequestObserver.ts"
import type { NodeId } from "../core/model/Names.ts"
import * as TraceParent from "../core/model/TraceParent.ts"
import type { Runtime } from "../core/Runtime.ts"

export interface RequestTracesOptions {
  readonly runtime: Pick<Runtime, "now" | "random">
  readonly tracer: Tracer.Tracer
  /** Of the requests whose sender says nothing. */
  readonly share: number
  readonly node: NodeId
  /** Follows each request besides. */
  readonly metrics: RequestObserver
}

export class RequestTraces implements RequestObserver {
  readonly #options: RequestTracesOptions

  constructor(options: RequestTracesOptions) {
    this.#options = options
  }

  begin(names: RequestNames): Observation {
    const { metrics, runtime, share } = this.#options
    const observation = metrics.begin(names)
    const parent = names.trace === undefined ? undefined : TraceParent.read(names.trace)
    const isFollowed = parent === undefined ? runtime.random() < share : parent.sampled
    return isFollowed ? this.#follow(names, parent, observation) : observation
  }

  #follow(
    { bucket, operation, origin }: RequestNames,
    parent: TraceParent.SpanName | undefined,
    observation: Observation
  ): Observation {
    const { node, runtime, tracer } = this.#options
    const span = tracer.span({
      name: `${operation} ${bucket}`,
      parent: parent === undefined ? Option.none() : Option.some(Tracer.externalSpan(parent)),
      annotations: Context.empty(),
      links: [],
      startTime: nanos(runtime.now()),
      kind: "server",
      root: parent === undefined,
      sampled: true
    })
    span.attribute("db.system.name", "everwrite")
    span.attribute("db.collection.name", bucket)
    span.attribute("db.operation.name", operation)
    span.attribute("everwrite.node", node)
    span.attribute("everwrite.origin", origin)
    const ended = (end: RequestEnd): void => {
      observation.ended(end)
      span.attribute("everwrite.outcome", end.outcome)
      const exit = end.outcome === "ok" ? Exit.void : Exit.fail(end.outcome)
      span.end(nanos(runtime.now()), exit)
    }
    return { ended, trace: TraceParent.write(span) }
  }
}

const nanos = (millis: number): bigint => BigInt(Math.round(millis * 1_000)) * 1_000n
