/**
 * Lends tests an HTTP server on a free port, before a cluster in memory or any other backend.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { Problem } from "../../schemas/Problem.ts"
import type { Backend } from "../../src/client/Backend.ts"
import { NodeMetrics } from "../../src/http/Metrics.ts"
import { serve, type ServeOptions } from "../../src/http/Server.ts"

export interface TestServer {
  readonly url: string
  readonly port: number
  /** Lines of its log. */
  readonly logged: ReadonlyArray<string>
  readonly stop: () => Promise<void>
}

export const startServer = async (
  options: Partial<ServeOptions> & { readonly backend: Backend }
): Promise<TestServer> => {
  const scope = Effect.runSync(Scope.make())
  const logged: Array<string> = []
  const log = Logger.make(({ cause, message }) =>
    void logged.push(`${String(message)} ${Cause.pretty(cause)}`)
  )
  const serving = serve({
    health: { notReady: () => [] },
    metrics: new NodeMetrics(),
    port: 0,
    ...options
  })
  const served = await Effect.runPromise(serving.pipe(
    Effect.provideService(Scope.Scope, scope),
    Effect.provide(Logger.layer([log]))
  ))
  return { ...served, logged, stop: () => Effect.runPromise(Scope.close(scope, Exit.void)) }
}

export interface Call {
  readonly method?: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it is. */
  readonly body?: string
}

/** One request, as any program would send it. */
export const call = (
  { url }: Pick<TestServer, "url">,
  path: string,
  { body, headers = {}, json, method = "GET", query = {} }: Call = {}
): Promise<Response> => {
  const search = new URLSearchParams(query).toString()
  const sent = json === undefined ? body : JSON.stringify(json)
  return fetch(`${url}${path}${search === "" ? "" : `?${search}`}`, {
    method,
    headers: { ...(sent === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(sent === undefined ? {} : { body: sent })
  })
}

const decodeSiblings = Schema.decodeUnknownSync(
  Schema.Struct({ siblings: Schema.Array(Schema.Json) })
)

/** The siblings in a response, without an order. */
export const siblingsIn = async (response: Response): Promise<ReadonlySet<unknown>> => {
  const { siblings } = decodeSiblings(await response.json())
  return new Set(siblings)
}

const decodeProblem = Schema.decodeUnknownSync(Problem)

/** The problem in a response; its status must be the response's. */
export const problemIn = async (response: Response): Promise<Problem> => {
  if (response.headers.get("content-type") !== "application/problem+json") {
    throw new Error(`no problem but ${response.status} ${await response.text()}`)
  }
  const problem = decodeProblem(await response.json())
  if (problem.status !== response.status) throw new Error(`${problem.status} in ${response.status}`)
  return problem
}
