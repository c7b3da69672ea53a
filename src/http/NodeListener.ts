/**
 * Has a server of Node answer requests by an app of Effect's HTTP modules, whose answers are bytes
 * or nothing. `@effect/platform-node` does the same for answers of every kind, and has npm install
 * a Redis client beside it, which no store over NATS needs.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpEffect from "effect/http/HttpEffect"
import { ClientAbort } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Scope from "effect/Scope"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import { invariant } from "../core/Invariant.ts"
import type { HttpLimits } from "../core/model/Limits.ts"
import { type Exchange, NodeRequest } from "./NodeRequest.ts"

export interface ListenOptions {
  readonly host: string
  readonly port: number
  readonly limits: Pick<HttpLimits, "droppedBytesMax" | "goodbyeMillis">
}

/** The server could not listen. */
export interface NotListening {
  readonly _tag: "NotListening"
  readonly cause: Error
}

type Asked = HttpServerRequest.HttpServerRequest

export interface Listener {
  /** Answers requests until the scope ends; then it waits a moment for those under way. */
  readonly serve: <E>(
    app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, Asked | Scope.Scope>
  ) => Effect.Effect<void, never, Scope.Scope>
}

/** Listens until the scope ends. */
export const listen = Effect.fnUntraced(function*(
  server: Server,
  { host, limits, port }: ListenOptions
): Effect.fn.Return<Listener, NotListening, Scope.Scope> {
  const closed = yield* Effect.cached(Effect.callback<void>((resume) => {
    if (!server.listening) return resume(Effect.void)
    server.close(() => resume(Effect.void))
  }))
  yield* Effect.addFinalizer(() => closed)
  yield* Effect.callback<void, NotListening>((resume) => {
    const refuse = (cause: Error) => resume(Effect.fail({ _tag: "NotListening", cause }))
    server.once("error", refuse)
    server.listen({ host, port }, () => {
      server.off("error", refuse)
      resume(Effect.void)
    })
  })
  const goodbye = Effect.timeoutOrElse(closed, {
    duration: limits.goodbyeMillis,
    orElse: () => Effect.void
  })
  return {
    serve: Effect.fnUntraced(function*(app) {
      const scope = yield* Scope.fork(yield* Effect.scope, "parallel")
      const answer = yield* handlerOf(HttpEffect.toHandled(app, respondWith(limits)), scope)
      const begin = (exchange: Exchange): void => {
        // Node ends the process over an error that nobody hears; those who read the body may have
        // left between its looking for them and its telling.
        exchange.incoming.on("error", () => {})
        answer(new NodeRequest(exchange))
      }
      const take = (incoming: IncomingMessage, response: ServerResponse) =>
        begin({ incoming, response, awaitsContinue: false })
      const takeWaiting = (incoming: IncomingMessage, response: ServerResponse) =>
        begin({ incoming, response, awaitsContinue: true })
      server.on("request", take).on("checkContinue", takeWaiting)
      const ignore = Effect.sync(() =>
        void server.off("request", take).off("checkContinue", takeWaiting)
      )
      yield* Effect.addFinalizer(() => Effect.ensuring(goodbye, ignore))
    })
  }
})

/** Carries each request out in a fiber of its own, which ends with the client's connection. */
const handlerOf = (handled: Effect.Effect<void, never, Asked>, scope: Scope.Scope) =>
  Effect.withFiber((parent) => {
    // As it is now: a fiber that has ended has another one.
    const { context: own } = parent
    return Effect.succeed((request: NodeRequest): void => {
      const { response } = request.exchange
      const context = Context.add(own, HttpServerRequest.HttpServerRequest, request)
      const fiber = Fiber.runIn(Effect.runForkWith(context)(handled), scope)
      if (fiber.pollUnsafe() !== undefined) return
      response.once("close", () => {
        if (!response.writableEnded) fiber.interruptUnsafe(parent.id, ClientAbort.annotation)
      })
    })
  })

/** Whether the connection ends with the answer, since the rest of the body is not worth reading. */
const isLastAnswer = (
  { exchange: { awaitsContinue, incoming } }: NodeRequest,
  { droppedBytesMax }: Pick<HttpLimits, "droppedBytesMax">
): boolean => {
  if (incoming.complete) return false
  const { "content-length": length, "transfer-encoding": encoding } = incoming.headers
  // A request that is answered at once is not complete yet, though it has no body.
  if (encoding === undefined && (length ?? "0") === "0") return false
  const isBegun = incoming.readableDidRead
  return awaitsContinue || isBegun || encoding !== undefined || Number(length) > droppedBytesMax
}

const respondWith = (limits: Pick<HttpLimits, "droppedBytesMax">) =>
(
  request: Asked,
  answer: HttpServerResponse.HttpServerResponse
): Effect.Effect<void> =>
  Effect.sync(() => {
    invariant(request instanceof NodeRequest, "each request comes from this listener")
    const { response } = request.exchange
    if (response.writableEnded || response.destroyed) return
    const { body, headers, status } = answer
    const isBytes = body._tag === "Uint8Array"
    invariant(isBytes || body._tag === "Empty", "answers are bytes or nothing")
    const { "content-length": length, ...others } = headers
    const shown = status === 204 || length === undefined ? others : headers
    response.writeHead(status, {
      ...shown,
      ...isLastAnswer(request, limits) ? { connection: "close" } : {}
    })
    const omits = request.method === "HEAD" || HttpServerResponse.omitsBody(answer)
    response.end(omits || !isBytes ? undefined : body.text ?? body.body)
  })
