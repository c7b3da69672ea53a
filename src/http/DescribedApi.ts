/**
 * Describes the interface as one server gives it: where it asks for a token, the OpenAPI document
 * and its page say so, and have a place for one. Its buckets have paths of their own.
 */
import * as OpenApi from "effect/http-api/OpenApi"
import { Api } from "../../schemas/HttpApi.ts"
import { openPaths } from "./Access.ts"
import { withTexts } from "./ApiTexts.ts"
import { type Typed, withBuckets } from "./BucketPaths.ts"

type Spec = Record<string, any>

const scheme = "token"

/** Without an empty list of schemes, for which the page would show a place for a token. */
const open = (spec: Spec): Spec => {
  const { securitySchemes: _, ...components } = spec["components"]
  const { security: __, ...rest } = spec
  return { ...rest, components }
}

const guarded = (spec: Spec): Spec => {
  const paths: Spec = {}
  for (const [path, operations] of Object.entries<Spec>(spec["paths"])) {
    const security = openPaths.has(path) ? [] : [{ [scheme]: [] }]
    paths[path] = Object.fromEntries(
      Object.entries<Spec>(operations).map(([method, operation]) => [
        method,
        { ...operation, security }
      ])
    )
  }
  const securitySchemes = { [scheme]: { type: "http", scheme: "bearer" } }
  return { ...spec, paths, components: { ...spec["components"], securitySchemes } }
}

export interface Described {
  readonly asksForToken: boolean
  readonly buckets: ReadonlyArray<Typed>
}

export const describedApi = ({ asksForToken, buckets }: Described) =>
  Api.annotate(OpenApi.Transform, (spec) => {
    const full = withBuckets(withTexts(spec), buckets)
    return asksForToken ? guarded(full) : open(full)
  })
