/**
 * Serves the description of the interface: the OpenAPI document, the page for people, and the way
 * from the root to it. Both name the buckets that the node serves now.
 */
import * as Effect from "effect/Effect"
import * as HttpApiSwagger from "effect/http-api/HttpApiSwagger"
import * as OpenApi from "effect/http-api/OpenApi"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Scope from "effect/Scope"
import type { BucketBody } from "../../schemas/ClusterDescription.ts"
import type { BucketDirectory } from "./BucketDirectory.ts"
import type { BucketCode } from "../core/strategy/BucketCode.ts"
import { type Typed, usualKey } from "./BucketPaths.ts"
import { codeSchemas } from "./CodeSchemas.ts"
import { jsonResponse } from "./Answers.ts"
import { describedApi } from "./DescribedApi.ts"

/** The page may load nothing from another origin and send nothing to one. */
const fromHereOnly = "default-src 'self' 'unsafe-inline' data:"

/** The code of a bucket; undefined where the node knows the bucket by its definition only. */
export type CodeOf = (bucket: string) => BucketCode | undefined

const typedBy = Effect.fnUntraced(function*(
  codeOf: CodeOf,
  bucket: BucketBody
): Effect.fn.Return<Typed> {
  const { definition } = bucket
  const code = codeOf(definition.name)
  const schemas = code && (yield* codeSchemas(definition.name, code, usualKey(definition)))
  return { bucket, code: schemas }
})

/** The page is 2 MB of script: it is made when it is first asked for, and when buckets change. */
export const layerPages = (
  directory: BucketDirectory,
  options: {
    readonly asksForToken: boolean
    readonly describedBucketsMax: number
    readonly codeOf: CodeOf
  }
) =>
  HttpRouter.use(Effect.fnUntraced(function*(router) {
    const scope = yield* Effect.scope
    const make = Effect.fnUntraced(function*(buckets: ReadonlyArray<BucketBody>) {
      const typed = yield* Effect.forEach(buckets, (bucket) => typedBy(options.codeOf, bucket))
      const api = describedApi({ asksForToken: options.asksForToken, buckets: typed })
      const page = yield* HttpRouter.toHttpEffect(HttpApiSwagger.layer(api)).pipe(Effect.cached)
      return {
        fingerprints: buckets.map(({ fingerprint }) => fingerprint).join(),
        page: Effect.flatten(page),
        document: jsonResponse(JSON.stringify(OpenApi.fromApi(api)))
      }
    })
    let made: Effect.Success<ReturnType<typeof make>> | undefined
    const present = Effect.gen(function*() {
      // A description that cannot be had leaves the general paths, which take any bucket.
      const { buckets } = yield* Effect.catch(directory.description, () =>
        Effect.succeed({ buckets: [] }))
      const shown = buckets.slice(0, options.describedBucketsMax)
      const fingerprints = shown.map(({ fingerprint }) =>
        fingerprint
      ).join()
      if (made?.fingerprints !== fingerprints) made = yield* make(shown)
      return made
    })
    yield* router.add("GET", "/openapi.json", Effect.map(present, ({ document }) => document))
    yield* router.add(
      "GET",
      "/docs",
      Effect.flatMap(present, ({ page }) => page).pipe(
        Effect.map(HttpServerResponse.setHeader("content-security-policy", fromHereOnly)),
        Effect.provideService(Scope.Scope, scope)
      )
    )
    yield* router.add("GET", "/", HttpServerResponse.redirect("/docs"))
  }))
