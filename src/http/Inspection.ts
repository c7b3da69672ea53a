/**
 * Answers the operators of a cluster: its buckets and their keys, its members, the state of each
 * replica of a document, and the health of this node.
 */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Layer from "effect/Layer"
import { Api } from "../../schemas/HttpApi.ts"
import { answered, type Failure, jsonResponse, problem, problemResponse } from "./Answers.ts"
import { type BucketDirectory, timed } from "./BucketDirectory.ts"
import { keyOf } from "./Documents.ts"
import type { NodeMetrics } from "./Metrics.ts"

/** The node's knowledge about itself. */
export interface Health {
  /** The reasons why no requests should come here now; none where they should. */
  readonly notReady: () => ReadonlyArray<string>
  /** What an operator is to mend, though requests may come. */
  readonly alarms?: () => ReadonlyArray<string>
}

export interface InspectionOptions {
  readonly directory: BucketDirectory
  readonly health: Health
  readonly metrics: NodeMetrics
}

/** The JSON of an answer, or a problem. */
const shown = <R>(asked: Effect.Effect<object, Failure, R>) =>
  answered(Effect.map(asked, (body) => jsonResponse(JSON.stringify(body))))

const layerBuckets = (directory: BucketDirectory) =>
  HttpApiBuilder.group(Api, "buckets", (handlers) =>
    handlers
      .handle(
        "list",
        () => shown(Effect.map(directory.description, ({ buckets }) => ({ buckets })))
      )
      .handle("describe", ({ params }) => shown(directory.bucket(params.bucket)))
      .handle(
        "keys",
        ({ params, query: { timeout, ...query } }) =>
          shown(Effect.flatMap(directory.bucket(params.bucket), ({ definition }) =>
            directory.list({ ...query, ...timed(timeout), bucket: definition.name })))
      ))

const layerCluster = (directory: BucketDirectory) =>
  HttpApiBuilder.group(Api, "cluster", (handlers) =>
    handlers
      .handle("describe", () => shown(directory.description))
      .handle("explain", ({ query }) =>
        shown(Effect.gen(function*() {
          const bucket = yield* directory.bucket(query.bucket)
          const key = yield* keyOf(bucket, query.key)
          const { name } = bucket.definition
          return yield* directory.explain({ ...timed(query.timeout), bucket: name, key })
        })))
      .handle("sync", ({ query }) =>
        shown(Effect.gen(function*() {
          const name = query.bucket
          const bucket = name === undefined ? {} : {
            bucket: (yield* directory.bucket(name)).definition.name
          }
          return yield* directory.sync({ ...timed(query.timeout), ...bucket })
        })))
      .handle("hints", () => shown(directory.hints()))
      .handle("status", ({ query }) => shown(directory.status(timed(query.timeout)))))

const notReady = (reasons: ReadonlyArray<string>) =>
  problemResponse({
    ...problem("NotReady", { status: 503, title: "Not ready", detail: reasons.join("; ") }),
    reasons
  })

const layerNode = ({ health, metrics }: Omit<InspectionOptions, "directory">) =>
  HttpApiBuilder.group(Api, "node", (handlers) =>
    handlers
      .handle("live", () => Effect.succeed("live\n"))
      .handle("ready", () =>
        Effect.sync(() => {
          const reasons = health.notReady()
          const alarms = health.alarms?.() ?? []
          const ready = ["ready\n", ...alarms.map((alarm) => `alarm: ${alarm}\n`)].join("")
          return reasons.length === 0 ? ready : notReady(reasons)
        }))
      .handle("metrics", () => Effect.sync(() => metrics.text())))

export const layerInspection = (options: InspectionOptions) => {
  const { directory } = options
  return Layer.mergeAll(layerBuckets(directory), layerCluster(directory), layerNode(options))
}
