/**
 * Answers those who run a cluster: which buckets there are and what is in them, who belongs to it,
 * what replicas hold, and how this node is.
 */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { Api } from "../../schemas/HttpApi.ts"
import { answered, problem, problemResponse } from "./Answers.ts"
import { ask, type Catalogue } from "./Catalogue.ts"
import { keyOf } from "./Documents.ts"
import { metricsText, type Sample } from "./Metrics.ts"

/** What the node knows about itself. */
export interface Health {
  /** Why no requests should come here now; none where they should. */
  readonly notReady: () => ReadonlyArray<string>
}

export interface InspectionOptions {
  readonly catalogue: Catalogue
  readonly health: Health
  readonly metrics: () => ReadonlyArray<Sample>
}

const json = HttpServerResponse.jsonUnsafe

const layerBuckets = (catalogue: Catalogue) =>
  HttpApiBuilder.group(Api, "buckets", (handlers) =>
    handlers
      .handle("list", () =>
        answered(Effect.map(catalogue.description, ({ buckets }) => json({ buckets }))))
      .handle("describe", ({ params }) =>
        answered(Effect.map(catalogue.bucket(params.bucket), (bucket) =>
          json(bucket))))
      .handle("keys", ({ params, query: { timeout, ...query } }) =>
        answered(
          Effect.gen(function*() {
            const { definition } = yield* catalogue.bucket(params.bucket)
            const timing = timeout === undefined ? {} : { timeoutMillis: timeout }
            return yield* ask(
              (respond: Parameters<Catalogue["backend"]["list"]>[1]) =>
                catalogue.backend.list({ ...query, ...timing, bucket: definition.name }, respond)
            )
          }).pipe(Effect.map((page) =>
            json(page)
          ))
        )))

const layerCluster = (catalogue: Catalogue) =>
  HttpApiBuilder.group(Api, "cluster", (handlers) =>
    handlers
      .handle("describe", () =>
        answered(Effect.map(catalogue.description, (description) => json(description))))
      .handle("explain", ({ query: { bucket: name, key: text, timeout } }) =>
        answered(
          Effect.gen(function*() {
            const bucket = yield* catalogue.bucket(name)
            const key = yield* keyOf(bucket, text)
            const timing = timeout === undefined ? {} : { timeoutMillis: timeout }
            return yield* ask(
              (respond: Parameters<Catalogue["backend"]["explain"]>[1]) =>
                catalogue.backend.explain(
                  { bucket: bucket.definition.name, key, ...timing },
                  respond
                )
            )
          }).pipe(Effect.map((explanation) =>
            json(explanation)
          ))
        )))

const notReady = (reasons: ReadonlyArray<string>) =>
  problemResponse({
    ...problem("NotReady", { status: 503, title: "Not ready", detail: reasons.join("; ") }),
    reasons
  })

const layerNode = ({ health, metrics }: Omit<InspectionOptions, "catalogue">) =>
  HttpApiBuilder.group(Api, "node", (handlers) =>
    handlers
      .handle("live", () => Effect.succeed("live\n"))
      .handle("ready", () =>
        Effect.sync(() => {
          const reasons = health.notReady()
          return reasons.length === 0 ? "ready\n" : notReady(reasons)
        }))
      .handle("metrics", () => Effect.sync(() => metricsText(metrics()))))

export const layerInspection = (options: InspectionOptions) => {
  const { catalogue } = options
  return Layer.mergeAll(layerBuckets(catalogue), layerCluster(catalogue), layerNode(options))
}
