/**
 * Describes the interface as one server gives it: where it asks for a token, the OpenAPI document
 * and its page say so, and have a place for one.
 */
import * as OpenApi from "effect/http-api/OpenApi"
import { Api } from "../../schemas/HttpApi.ts"
import { openPaths } from "./Access.ts"

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

export type DescribedApi = ReturnType<typeof describedApi>

export const describedApi = ({ asksForToken }: { readonly asksForToken: boolean }) =>
  Api.annotate(OpenApi.Transform, asksForToken ? guarded : open)
