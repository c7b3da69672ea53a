/**
 * Stands between a socket and Node's HTTP parser, so that one request of a connection is carried
 * out at a time: the next waits in the kernel, and in the client, until the answer is taken.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import { Duplex } from "node:stream"
import type { HttpLimits } from "../core/model/Limits.ts"
import type { Runtime } from "../core/Runtime.ts"
import { RequestSlices } from "./RequestSlices.ts"

/** The type that Node gives the sockets of its servers. */
export type Socket = IncomingMessage["socket"]

export interface ConnectionOptions {
  readonly socket: Socket
  readonly runtime: Runtime
  readonly limits: Pick<HttpLimits, "goodbyeMillis" | "piecesAtOnceMax">
  /** Whether only health is told here. */
  readonly isReserved: boolean
  /** Told of bytes of a body that came, or of all of one that are freed, as a negative number. */
  readonly onBody: (connection: PacedConnection, bytes: number) => void
  /** Told of the bytes of an answer that are freed. */
  readonly onAnswered: (bytes: number) => void
}

interface OpenRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

export class PacedConnection extends Duplex {
  readonly remoteAddress: string
  readonly isReserved: boolean
  readonly #options: ConnectionOptions
  readonly #slices = new RequestSlices()
  #open: OpenRequest | undefined
  /** What is to come of a body whose length is known. */
  #bodyRest = 0
  /** Bytes of the open request's body, and of its answer. */
  #bodyBytes = 0
  #answerBytes = 0
  #isAnswered = false
  /** Since when the client is to do something: to ask, to send on, or to take the answer. */
  #waitingSince: number
  #isFeeding = false
  #isFarewell = false

  constructor(options: ConnectionOptions) {
    const { runtime, socket } = options
    super({ allowHalfOpen: true, writableHighWaterMark: socket.writableHighWaterMark })
    this.#options = options
    this.isReserved = options.isReserved
    this.remoteAddress = socket.remoteAddress ?? ""
    this.#waitingSince = runtime.elapsed()
    socket.on("data", (chunk: Buffer) => {
      // The rest of a refused body is not read: it would cost more than the body refused.
      if (this.#isFarewell) return void socket.pause()
      this.#slices.push(chunk)
      this.#feed()
      if (!this.#slices.isEmpty) socket.pause()
    })
    socket.on("end", () => {
      if (this.#isFarewell) this.destroy()
      else this.push(null)
    })
    socket.on("error", (error) => this.destroy(error))
    socket.on("close", () => this.destroy())
    socket.on("timeout", () => this.emit("timeout"))
  }

  /** Notes the request that Node has begun to read; its answer comes before the next is read. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    this.#open = { request, response }
    const length = Number(request.headers["content-length"] ?? 0)
    this.#bodyRest = request.headers["transfer-encoding"] === undefined ? length : 0
    this.#waitingSince = this.#now()
    response.once("close", () => this.#end())
  }

  /** Notes that the answer is there, and has so many bytes for the client to take. */
  answer(bytes: number): void {
    this.#answerBytes = bytes
    this.#isAnswered = true
    this.#waitingSince = this.#now()
  }

  /**
   * Since when the client keeps the node waiting, in which state; undefined while the node works
   * on its request.
   */
  waiting(): { readonly on: "request" | "body" | "answer"; readonly since: number } | undefined {
    const since = this.#waitingSince
    if (this.#open === undefined) return { on: "request", since }
    if (this.#isAnswered) return { on: "answer", since }
    return this.#open.request.complete ? undefined : { on: "body", since }
  }

  /** Ends the connection, with an answer in HTTP where none has begun. */
  refuse(answer: string): void {
    const { socket } = this.#options
    const isSilent = this.#open?.response.headersSent === false && socket.writable
    if (isSilent) {
      this.#sayGoodbye()
      socket.end(answer)
    }
    this.destroy()
  }

  /** Node asks its sockets for it, to end those that idle. */
  setTimeout(millis: number): this {
    this.#options.socket.setTimeout(millis)
    return this
  }

  override _read(): void {
    this.#feed()
  }

  override _write(chunk: Buffer, _: unknown, done: (error?: Error | null) => void): void {
    this.#options.socket.write(chunk, done)
  }

  override _writev(
    chunks: ReadonlyArray<{ readonly chunk: Buffer }>,
    done: (error?: Error | null) => void
  ): void {
    const { socket } = this.#options
    socket.cork()
    chunks.forEach(({ chunk }, at) =>
      at === chunks.length - 1 ? socket.write(chunk, done) : socket.write(chunk)
    )
    socket.uncork()
  }

  /** A client that does not end its side either would keep the connection for ever. */
  override _final(done: () => void): void {
    this.#sayGoodbye()
    this.#options.socket.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { socket } = this.#options
    this.#slices.clear()
    if (!this.#isFarewell) socket.destroy()
    // The answer of a request that ends with its connection may never say that it closed.
    this.#free()
    done(error)
  }

  #now(): number {
    return this.#options.runtime.elapsed()
  }

  /** Keeps the socket for a moment: where bytes are unread, its end would take the answer along. */
  #sayGoodbye(): void {
    const { limits: { goodbyeMillis }, runtime, socket } = this.#options
    this.#isFarewell = true
    this.#slices.clear()
    socket.resume()
    const cancel = runtime.after(goodbyeMillis, () => socket.destroy())
    socket.once("end", () => socket.destroy())
    socket.once("close", cancel)
  }

  #free(): void {
    const { onAnswered, onBody } = this.#options
    const [answerBytes, bodyBytes] = [this.#answerBytes, this.#bodyBytes]
    this.#answerBytes = 0
    this.#bodyBytes = 0
    if (bodyBytes > 0) onBody(this, -bodyBytes)
    if (answerBytes > 0) onAnswered(answerBytes)
  }

  #end(): void {
    this.#free()
    this.#open = undefined
    this.#isAnswered = false
    this.#waitingSince = this.#now()
    this.#feed()
  }

  /** Whether Node is to be given more: not before it took the last piece and all is answered. */
  #mayFeed(): boolean {
    const isAnswered = this.#open === undefined || !this.#open.request.complete
    return isAnswered && this.readableLength === 0 && !this.destroyed && !this.readableEnded
  }

  #feed(): void {
    if (this.#isFeeding) return
    this.#isFeeding = true
    let pieces = this.#options.limits.piecesAtOnceMax
    while (this.#mayFeed()) {
      const piece = pieces > 0 ? this.#slices.take(this.#bodyRest) : undefined
      if (piece === undefined) break
      pieces--
      this.#give(piece)
    }
    this.#isFeeding = false
    if (this.#slices.isEmpty) this.#options.socket.resume()
    // Others have their turn between the many small pieces of one connection.
    else if (pieces === 0) setImmediate(() => this.#feed())
  }

  #give(piece: Buffer): void {
    this.#bodyRest = Math.max(0, this.#bodyRest - piece.length)
    if (this.#open !== undefined) {
      this.#waitingSince = this.#now()
      this.#bodyBytes += piece.length
      this.#options.onBody(this, piece.length)
    }
    // Refused for it, perhaps.
    if (!this.destroyed) this.push(piece)
  }
}
