/**
 * Serves the HTTP interface from its definition: routes, checks, OpenAPI document and pages for
 * people. A hostile request gets an answer, and the node goes on.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { HttpApiSchemaError } from "effect/http-api/HttpApiError"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import { HttpServerError } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type * as Scope from "effect/Scope"
import { Api } from "../../schemas/HttpApi.ts"
import type { Backend } from "../client/Backend.ts"
import { type HttpLimits, lan } from "../core/model/Limits.ts"
import { operationLengthMax } from "../core/model/OperationName.ts"
import { publicAddress } from "../core/model/PublicAddress.ts"
import { InvalidRequest } from "../core/model/StoreError.ts"
import { urlHost } from "../core/model/UrlHost.ts"
import { type Access, makeAccess, refusalOf } from "./Access.ts"
import type { AccessTokens } from "./AccessTokens.ts"
import { type Failure, problem, problemResponse } from "./Answers.ts"
import { type CodeOf, layerPages } from "./ApiPages.ts"
import { BucketDirectory } from "./BucketDirectory.ts"
import { ConnectionTable } from "./ConnectionTable.ts"
import { listen } from "./NodeListener.ts"
import { crowdedOut, fitting, pace } from "./Pacing.ts"
import { layerDocuments } from "./Documents.ts"
import { layerRequests } from "./Requests.ts"
import { refuseTunnel, refuseUnreadable } from "./Unreadable.ts"
import type { NodeMetrics } from "./Metrics.ts"
import { RouteTable } from "./RouteTable.ts"
import { type Health, layerInspection } from "./Inspection.ts"
import { faultIn } from "./StrictRequest.ts"
import { upgradeFault } from "./Upgrade.ts"

// An import of node:http loads fetch and WebSocket too, which slow each start and nobody uses here.
const { createServer } = process.getBuiltinModule("node:http")

export interface ServeOptions {
  readonly backend: Backend
  readonly health: Health
  /** The server adds its own. */
  readonly metrics: NodeMetrics
  /** Loopback unless said otherwise. */
  readonly host?: string
  /** Names under which requests may come; those of loopback are known. */
  readonly hosts?: ReadonlyArray<string> | undefined
  /** One of them is asked for; without them all who reach the server may read and write. */
  readonly tokens?: AccessTokens | undefined
  /** 0 takes a free one. */
  readonly port: number
  /** The code of a bucket, which types its paths in the OpenAPI document; none unless given. */
  readonly codeOf?: CodeOf
  /** The usual ones unless others are given. */
  readonly limits?: HttpLimits
}

export interface Served {
  readonly port: number
  readonly url: string
}

/** HTTP could not be served: where, and why. */
export class HttpUnavailable extends Schema.TaggedError<HttpUnavailable>()("HttpUnavailable", {
  host: Schema.String,
  port: Schema.Int,
  reason: Schema.String
}) {
  override get message(): string {
    return `no HTTP on ${publicAddress(this.host)}:${this.port}: ${this.reason}`
  }
}

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** The error that names the field of the request which does not fit the definition. */
const invalid = ({ cause }: HttpApiSchemaError): InvalidRequest => {
  const issue = format(cause.issue).issues[0]
  const setting = (issue?.path ?? []).map((segment) =>
    String(typeof segment === "object" ? segment.key : segment)
  ).join(".")
  const expected = (issue?.message ?? cause.message).replace(/^Expected /u, "")
  return new InvalidRequest({ setting: setting || "request", value: "not valid", expected })
}

const noRoute = problem("NoRoute", {
  status: 404,
  title: "No such route",
  detail: "no such path; /docs and /openapi.json list all"
})

const failed = problem("Failed", {
  status: 500,
  title: "Failed",
  detail: "the node is at fault; its log says more"
})

/** The answers that no handler gave: an unknown route, a field that does not fit, a fault. */
const failureOf = (cause: Cause.Cause<unknown>): Failure => {
  const error = Cause.squash(cause)
  if (HttpApiSchemaError.is(error) && error.kind !== "Body") return invalid(error)
  const isRoute = error instanceof HttpServerError && error.reason._tag === "RouteNotFound"
  return isRoute ? noRoute : failed
}

/** The app, for requests that may be carried out and are what they say. */
const strictly = <E, R>(
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
  access: Access,
  connections: ConnectionTable,
  routes: RouteTable
) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const refusal = refusalOf(request, access) ?? crowdedOut(request, connections)
    if (refusal !== undefined) return Effect.succeed(refusal)
    const fault = faultIn(request) ?? upgradeFault(request)
    const beyond = fault === undefined ? routes.refusalOf(request) : problemResponse(fault)
    return beyond === undefined ? app : Effect.succeed(beyond)
  })

/** A browser takes each answer for what it says it is, and never for a page. */
const typed = Effect.map(HttpServerResponse.setHeader("x-content-type-options", "nosniff"))

const withProblems = <E, R>(
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
): Effect.Effect<HttpServerResponse.HttpServerResponse, E, R> =>
  Effect.catchCause(app, (cause) => {
    if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
    const failure = failureOf(cause)
    const response = Effect.succeed(problemResponse(failure))
    return failure === failed ? Effect.andThen(Effect.logError(cause), response) : response
  })

const reasonOf = (cause: unknown): string => {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined
  if (code === "EADDRINUSE") return "the port is taken"
  if (code === "EACCES") return "the port needs more rights"
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") return "no such address on this machine"
  return String(cause)
}

/** Serves until the scope ends. */
export const serve = Effect.fnUntraced(function*(
  options: ServeOptions
): Effect.fn.Return<Served, HttpUnavailable, Scope.Scope> {
  const { backend, health, host = "127.0.0.1", limits = lan.http, metrics, port } = options
  const directory = new BucketDirectory(backend, limits)
  const connections = new ConnectionTable({ runtime: backend.runtime, limits })
  metrics.add(() => connections.samples())
  const routes = Layer.mergeAll(
    HttpApiBuilder.layer(Api).pipe(
      Layer.provide(layerDocuments(directory)),
      Layer.provide(layerRequests(directory)),
      Layer.provide(layerInspection({ directory, health, metrics }))
    ),
    layerPages(directory, {
      asksForToken: options.tokens !== undefined,
      describedBucketsMax: limits.describedBucketsMax,
      codeOf: options.codeOf ?? (() => undefined)
    })
  ).pipe(Layer.provide(HttpServer.layerServices))
  const app = yield* HttpRouter.toHttpEffect(routes).pipe(
    Effect.provideService(HttpRouter.RouterConfig, { maxParamLength: operationLengthMax })
  )
  const nodeServer = createServer({
    maxHeaderSize: limits.headersBytesMax,
    headersTimeout: limits.headersTimeoutMillis,
    requestTimeout: limits.requestTimeoutMillis,
    connectionsCheckingInterval: limits.connectionsCheckMillis,
    keepAliveTimeout: limits.keepAliveMillis
  })
  nodeServer.on("clientError", refuseUnreadable)
  nodeServer.on("connect", refuseTunnel)
  pace(nodeServer, connections)
  const listener = yield* listen(nodeServer, { host, port, limits }).pipe(
    // Its sweep would keep the process from ending.
    Effect.onError(() => Effect.sync(() => connections.close())),
    Effect.mapError(({ cause }) => new HttpUnavailable({ host, port, reason: reasonOf(cause) }))
  )
  const run = Effect.runForkWith(yield* Effect.context())
  nodeServer.on("error", (error) => run(Effect.logWarning("no connection accepted", error)))
  // A client that stays connected after the goodbye would delay the end without limit.
  yield* Effect.addFinalizer(() => Effect.sync(() => connections.close()))
  const access = makeAccess({ ...options, host })
  const strict = strictly(app, access, connections, new RouteTable())
  yield* listener.serve(typed(fitting(withProblems(strict), connections)))
  const address = nodeServer.address()
  const bound = typeof address === "object" && address !== null ? address.port : port
  return { port: bound, url: `http://${urlHost(host)}:${bound}` }
})
