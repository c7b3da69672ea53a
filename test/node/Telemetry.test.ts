// Checks that a node sends spans and metrics to a collector where it is told of one, that a
// request's span belongs to the trace of its sender, over HTTP and NATS, and also where another
// node carries it out, and that a share of the other requests is followed.
import { connect, headers } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import { createServer } from "node:http"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { Everwrite, layerNats, makeClient } from "../../src/client/Everwrite.ts"
import { HttpBackend } from "../../src/client/HttpBackend.ts"
import { ClusterName, NodeId } from "../../src/core/model/Names.ts"
import * as TraceParent from "../../src/core/model/TraceParent.ts"
import { EverwriteNode } from "../../src/node/Node.ts"
import { liveRuntime } from "../../src/node/LiveRuntime.ts"
import { scratch } from "../../src/node/SampleBuckets.ts"
import { RequestTraces } from "../../src/node/RequestTraces.ts"
import { buckets, profiles } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"
import { alone, useFolder } from "./temporaryDirectories.ts"

const folder = useFolder()

const Spans = Schema.Array(Schema.Struct({
  name: Schema.String,
  traceId: Schema.String,
  parentSpanId: Schema.optional(Schema.String),
  attributes: Schema.Array(Schema.Struct({ key: Schema.String, value: Schema.Unknown }))
}))

const readTraces = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({
  resourceSpans: Schema.Array(Schema.Struct({
    scopeSpans: Schema.Array(Schema.Struct({ spans: Spans }))
  }))
})))

/** A collector of OpenTelemetry, which keeps what it gets. */
const startCollector = async () => {
  const received: Array<{ readonly path: string; readonly text: string }> = []
  const server = createServer((request, response) => {
    let text = ""
    request.setEncoding("utf8")
    request.on("data", (chunk: string) => void (text += chunk))
    request.on("end", () => {
      received.push({ path: request.url ?? "", text })
      response.end("{}")
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  if (typeof address !== "object" || address === null) throw new Error("no port")
  const spans = (): typeof Spans.Type =>
    received.filter(({ path }) => path === "/v1/traces").flatMap(({ text }) =>
      readTraces(text).resourceSpans.flatMap(({ scopeSpans }) =>
        scopeSpans.flatMap(({ spans }) => spans)
      )
    )
  return { url: `http://127.0.0.1:${address.port}`, received, spans, close: () => server.close() }
}

const traceId = "0af7651916cd43dd8448eb211c80319c"
const spanId = "b7ad6b7169203331"
const parent = `00-${traceId}-${spanId}-01`

describe("a node that is told of a collector", () => {
  let collector: Awaited<ReturnType<typeof startCollector>>
  beforeEach(async () => {
    collector = await startCollector()
  })
  afterEach(() => collector.close())

  const stopped = (traceShare: number): Promise<void> =>
    Effect.runPromise(
      Effect.provide(
        Effect.gen(function*() {
          const { address, natsAddress } = yield* EverwriteNode
          const path = `${address}/v1/buckets/scratch/docs?key=secret-key`
          yield* Effect.promise(() => fetch(path, { headers: { traceparent: parent } }))
          yield* Effect.promise(() => fetch(path))
          const own = headers()
          own.set("traceparent", parent)
          yield* Effect.promise(async () => {
            const client = await connect({ servers: natsAddress })
            const subject = "everwrite.dev.v1.read.scratch.get"
            await client.request(subject, `{"key":"secret-key"}`, { headers: own, timeout: 5_000 })
            await client.close()
          })
        }),
        EverwriteNode.layer({
          ...alone(folder()),
          http: 0,
          otlpUrl: collector.url,
          traceShare
        })
      )
    )

  it("sends a span of each request whose sender has one, as part of that trace", async () => {
    await stopped(0)
    const requests = collector.spans().filter(({ name }) => name === "get scratch")
    expect(requests.map((span) => [span.traceId, span.parentSpanId])).toEqual([
      [traceId, spanId],
      [traceId, spanId]
    ])
    expect(requests[0]?.attributes).toContainEqual({
      key: "everwrite.outcome",
      value: { stringValue: "ok" }
    })
    expect(collector.received.map(({ text }) => text).join()).not.toContain("secret-key")
  })

  it("sends a span of as many of the others as its setting says", async () => {
    await stopped(1)
    const requests = collector.spans().filter(({ name }) => name === "get scratch")
    expect(requests.filter(({ parentSpanId }) => parentSpanId === undefined)).toHaveLength(1)
    expect(requests).toHaveLength(3)
  })

  it("sends one trace of its start, one of its stop, and its metrics", async () => {
    await stopped(0)
    const own = collector.spans().filter(({ name }) => name.startsWith("everwrite."))
    const roots = own.filter(({ parentSpanId }) => parentSpanId === undefined)
    expect(roots.map(({ name }) => name)).toEqual(["everwrite.start", "everwrite.drain"])
    const begun = own.filter((span) => span.traceId === roots[0]?.traceId)
    expect(begun.map(({ name }) => name)).toEqual(expect.arrayContaining(
      ["start", "start.storage", "nats.connect", "start.http"].map((name) => `everwrite.${name}`)
    ))
    expect(own.filter((span) => !begun.includes(span))).toEqual([roots[1]])
    const metrics = collector.received.filter(({ path }) => path === "/v1/metrics")
    expect(metrics.at(-1)?.text).toContain("everwrite_request_seconds")
    expect(metrics.at(-1)?.text).toContain("everwrite_nats_connected")
  })
})

describe("a program of Effect with a tracer of its own", () => {
  it.each(["NATS", "HTTP"])("has its reads over %s in the trace of its span", async (way) => {
    const collector = await startCollector()
    const own = await Effect.runPromise(
      Effect.gen(function*() {
        const { address = "", natsAddress } = yield* EverwriteNode
        const client = way === "NATS"
          ? layerNats({
            runtime: liveRuntime,
            servers: natsAddress,
            cluster: ClusterName.make("dev")
          })
          : Layer.succeed(
            Everwrite,
            makeClient(new HttpBackend({ runtime: liveRuntime, url: address }))
          )
        const tracer = Tracer.make({ span: (options) => new Tracer.NativeSpan(options) })
        return yield* Effect.gen(function*() {
          const documents = yield* Everwrite.bucket(scratch)
          yield* documents.get("k")
          return yield* Effect.currentSpan
        }).pipe(
          Effect.withSpan("of the program"),
          Effect.provideService(Tracer.Tracer, tracer),
          Effect.provide(client)
        )
      }).pipe(Effect.provide(
        EverwriteNode.layer({ ...alone(folder()), http: 0, otlpUrl: collector.url, traceShare: 0 })
      ))
    )
    const [request] = collector.spans().filter(({ name }) => name === "get scratch")
    expect([request?.traceId, request?.parentSpanId]).toEqual([own.traceId, own.spanId])
    collector.close()
  })
})

describe("a request that is forwarded", () => {
  it("is followed at the node that carries it out, below the span of the first node", async () => {
    const begun: Array<Tracer.NativeSpan> = []
    const tracer = Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        begun.push(span)
        return span
      }
    })
    const metrics = { begin: () => ({ ended: () => {} }) }
    const runtime = { now: () => 1_700_000_000_000.25, random: () => 1 }
    const observer = new RequestTraces({
      runtime,
      tracer,
      share: 0,
      node: NodeId.make("n1"),
      metrics
    })
    const stepped = await SteppedCluster.start({ nodes: 5, buckets, observer })
    const trace = TraceParent.from(parent)
    const { name: bucket } = profiles.definition
    for (const backend of stepped.cluster.backends) {
      backend.request({ action: "read", bucket, body: { key: "k" }, trace }, () => {})
      stepped.runtime.runReady()
    }
    stepped.stop()
    const of = (origin: string) =>
      begun.filter((span) => span.attributes.get("everwrite.origin") === origin)
    expect(begun.map(({ status, traceId }) => [status._tag, traceId]))
      .toEqual(begun.map(() => ["Ended", traceId]))
    expect(of("client")).toHaveLength(5)
    // Two of five nodes are no primaries of a document that three hold.
    const parents = of("node").map((span) => Option.getOrThrow(span.parent).spanId)
    expect(parents).toHaveLength(2)
    expect(of("client").map((span) => span.spanId)).toEqual(expect.arrayContaining(parents))
  })
})

describe("a traceparent header", () => {
  it.each([
    "",
    "00-0-0-01",
    `00-${"0".repeat(32)}-${spanId}-01`,
    `00-${traceId}-${"0".repeat(16)}-01`,
    `01-${traceId}-${spanId}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `${parent}-more`
  ])("that is none of version 00 is passed over: %j", (header) => {
    expect(TraceParent.from(header)).toBeUndefined()
  })

  it("is none for a span without such names", () => {
    expect(TraceParent.write({ traceId: "native", spanId: "1", sampled: true })).toBeUndefined()
  })

  it("is read as it was written", () => {
    for (const sampled of [true, false]) {
      const written = TraceParent.write({ traceId, spanId, sampled })!
      expect(TraceParent.from(written)).toBe(written)
      expect(TraceParent.read(written)).toEqual({ traceId, spanId, sampled })
    }
  })
})
