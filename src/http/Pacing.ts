/**
 * Puts the table of connections between Node's server and the app: sockets pass through it, and
 * requests are carried out and answered only where it has room for them.
 */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { Server } from "node:http"
import { invariant } from "../core/Invariant.ts"
import { NoAnswer } from "../core/model/StoreError.ts"
import { problemResponse } from "./Answers.ts"
import type { ConnectionTable } from "./ConnectionTable.ts"
import { incomingOf } from "./NodeRequest.ts"
import type { Socket } from "./PacedConnection.ts"
import { overloaded } from "./Unreadable.ts"
import { asksToUpgrade } from "./Upgrade.ts"

/** Has a server read its connections through the table: any stream can stand for a socket there. */
export const pace = (server: Server, connections: ConnectionTable): void => {
  const [read, ...others] = server.listeners("connection")
  invariant(read !== undefined && others.length === 0, "Node reads connections in one place")
  server.removeAllListeners("connection")
  server.on("connection", (socket: Socket) => {
    const connection = connections.accept(socket)
    if (connection !== undefined) Reflect.apply(read, server, [connection])
  })
  for (const event of ["request", "checkContinue"] as const) {
    server.prependListener(event, (request, response) => connections.begin(request, response))
  }
}

/** Asked by those who watch a node, above all while it is under attack. */
const watching: ReadonlySet<string> = new Set(["/livez", "/readyz", "/metrics"])

/** The answer to a request for which there is no room; undefined where there is. */
export const crowdedOut = (
  request: HttpServerRequest.HttpServerRequest,
  connections: ConnectionTable
): HttpServerResponse.HttpServerResponse | undefined => {
  if (watching.has(request.url)) return undefined
  const incoming = incomingOf(request)
  return connections.mayBegin(incoming) ? undefined : problemResponse(overloaded)
}

/** Of a write that was carried out, too: its answer alone finds no room. */
const unanswered = (request: HttpServerRequest.HttpServerRequest) => {
  const isRead = request.method === "GET"
    || request.url.split("?", 1)[0]?.endsWith("/read") === true
  const reason = "clients hold as many bytes of answers as they may"
  return problemResponse(new NoAnswer({ reason, mayHaveApplied: !isRead }))
}

/**
 * Answers what fits, and ends connections of the reserve after one answer, and those of which Node
 * would read nothing more.
 */
export const fitting = <E, R>(
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
  connections: ConnectionTable
) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    Effect.map(app, (response) => {
      const incoming = incomingOf(request)
      const { body } = response
      const bytes = "contentLength" in body ? body.contentLength ?? 0 : 0
      const fits = watching.has(request.url) || connections.mayAnswer(bytes)
      const answer = fits ? response : unanswered(request)
      connections.answer(incoming, fits ? bytes : 0)
      return connections.of(incoming)?.isReserved === true || asksToUpgrade(request)
        ? HttpServerResponse.setHeader(answer, "connection", "close")
        : answer
    }))
