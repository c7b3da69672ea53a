/**
 * Shows a request of Node's server as Effect's HTTP modules see one. Bodies are read whole and up
 * to a bound; uploads of forms and upgrades to other protocols are not offered.
 */
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as Headers from "effect/http/Headers"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import { HttpServerError, InternalError, RequestParseError } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as UrlParams from "effect/http/UrlParams"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { IncomingMessage, ServerResponse } from "node:http"
import * as Json from "../core/codec/Json.ts"

type Request = HttpServerRequest.HttpServerRequest
type Changes = Parameters<Request["modify"]>[0]

/** A request and the way to its answer, as Node has them. */
export interface Exchange {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  /** Whether the client waits with its body until it is told to go on. */
  awaitsContinue: boolean
}

const decoder = new TextDecoder()

/** The URL of a request that names the whole of it, as a proxy's does. */
const wholeTarget = (url: string): URL | undefined =>
  /^https?:\/\//iu.test(url) && URL.canParse(url) ? new URL(url) : undefined

/** The body, or why it is not whole; what is beyond the bound is not read. */
const readBody = (
  incoming: IncomingMessage,
  bytesMax: number,
  fail: (reason: "Parse" | "BodyTooLarge", cause?: unknown) => HttpServerError
): Effect.Effect<Uint8Array<ArrayBuffer>, HttpServerError> =>
  Effect.callback((resume) => {
    const pieces: Array<Buffer> = []
    let bytes = 0
    const forget = () =>
      void incoming.off("data", take).off("end", end).off("error", lose).off("close", lose)
    const take = (piece: Buffer) => {
      bytes += piece.length
      if (bytes <= bytesMax) return void pieces.push(piece)
      forget()
      incoming.pause()
      resume(Effect.fail(fail("BodyTooLarge")))
    }
    const end = () => {
      forget()
      resume(Effect.succeed(new Uint8Array(Buffer.concat(pieces))))
    }
    const lose = (cause?: unknown) => {
      forget()
      resume(Effect.fail(fail("Parse", cause)))
    }
    if (incoming.destroyed) return lose()
    incoming.on("data", take).on("end", end).on("error", lose).on("close", lose)
    return Effect.sync(forget)
  })

export class NodeRequest extends Inspectable.Class implements Request {
  readonly [HttpServerRequest.TypeId]: typeof HttpServerRequest.TypeId = HttpServerRequest.TypeId
  readonly [HttpIncomingMessage.TypeId]: typeof HttpIncomingMessage.TypeId =
    HttpIncomingMessage.TypeId
  readonly exchange: Exchange
  readonly url: string
  readonly headers: Headers.Headers
  readonly method: string
  readonly protocol: "http" | "https" | undefined
  readonly remoteAddress: Option.Option<string>
  readonly peerAddress: Option.Option<string>
  readonly arrayBuffer: Effect.Effect<ArrayBuffer, HttpServerError>

  constructor(exchange: Exchange, changes: Changes = {}) {
    super()
    const { incoming } = exchange
    const { method = "GET", url = "/" } = incoming
    const target = wholeTarget(url)
    // The host in the target counts, not the header beside it (RFC 9112, section 3.2.2).
    const host = target === undefined ? {} : { host: target.host }
    this.exchange = exchange
    this.method = method.toUpperCase()
    this.url = changes.url ?? (target === undefined ? url : target.pathname + target.search)
    this.headers = changes.headers ?? Headers.fromInput({ ...incoming.headers, ...host })
    this.protocol = changes.protocol
    this.remoteAddress = changes.remoteAddress
      ?? Option.fromNullishOr(incoming.socket.remoteAddress)
    this.peerAddress = changes.peerAddress ?? this.remoteAddress
    this.arrayBuffer = Effect.runSync(Effect.cached(Effect.withFiber((fiber) => {
      const bytesMax = fiber.getRef(HttpIncomingMessage.MaxBodySize)
      this.#goOn()
      const body = readBody(
        incoming,
        Number(bytesMax ?? Infinity),
        (reason, cause) =>
          new HttpServerError({ reason: new RequestParseError({ request: this, reason, cause }) })
      )
      return Effect.map(body, ({ buffer }) => buffer)
    })))
  }

  get source(): IncomingMessage {
    return this.exchange.incoming
  }

  get originalUrl(): string {
    const { url = "/" } = this.source
    const { host } = this.source.headers
    return url.startsWith("/") && host !== undefined ? `http://${host}${url}` : url
  }

  get cookies(): Readonly<Record<string, string>> {
    return Cookies.parseHeader(this.headers["cookie"] ?? "")
  }

  get stream(): Stream.Stream<Uint8Array, HttpServerError> {
    return Stream.fromEffect(Effect.map(this.arrayBuffer, (buffer) => new Uint8Array(buffer)))
  }

  get text(): Effect.Effect<string, HttpServerError> {
    return Effect.map(this.arrayBuffer, (buffer) => decoder.decode(buffer))
  }

  get json(): Effect.Effect<Schema.Json, HttpServerError> {
    return Effect.flatMap(this.text, (text) =>
      Effect.try({
        try: () => Json.parse(text),
        catch: (cause) =>
          new HttpServerError({
            reason: new RequestParseError({ request: this, reason: "Parse", cause })
          })
      }))
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpServerError> {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get multipart(): Request["multipart"] {
    return Effect.die("forms with files are not offered")
  }

  get multipartStream(): Request["multipartStream"] {
    return Stream.die("forms with files are not offered")
  }

  get upgrade(): Request["upgrade"] {
    return this.upgradeWith()
  }

  upgradeWith(): Request["upgrade"] {
    const description = "another protocol is not offered"
    return Effect.fail(
      new HttpServerError({ reason: new InternalError({ request: this, description }) })
    )
  }

  modify(changes: Changes): NodeRequest {
    const { headers, peerAddress, protocol, remoteAddress, url } = this
    const own = { headers, peerAddress, remoteAddress, url }
    return new NodeRequest(this.exchange, {
      ...protocol === undefined ? own : { ...own, protocol },
      ...changes
    })
  }

  override toJSON(): unknown {
    return { _id: "everwrite/NodeRequest", method: this.method, url: this.originalUrl }
  }

  #goOn(): void {
    const { exchange } = this
    if (exchange.awaitsContinue && !exchange.response.headersSent) exchange.response.writeContinue()
    exchange.awaitsContinue = false
  }
}

/** Node's own request behind one of Effect's, for its connection and its headers as they came. */
export const incomingOf = ({ source }: Pick<Request, "source">): IncomingMessage => {
  // Each request of this room's server is made here.
  if (!isIncoming(source)) throw new Error("the request is not one of this server")
  return source
}

const isIncoming = (source: object): source is IncomingMessage => "rawHeaders" in source
