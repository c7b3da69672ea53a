/**
 * Keeps what clients hold of a node within bounds: connections, bodies that are coming, and answers
 * that are not taken yet. Where a bound is reached, the client that has kept the node waiting for
 * longest gives way to the new one; clients that are at work are left alone, and the new one is
 * refused.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { HttpLimits } from "../core/model/Limits.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { Sample } from "./Metrics.ts"
import { PacedConnection, type Socket } from "./PacedConnection.ts"
import { overloaded, rawAnswer, tooSlow } from "./Unreadable.ts"

export interface ConnectionTableOptions {
  readonly runtime: Runtime
  readonly limits: HttpLimits
}

/** A request of Node, which says that its socket is one of its own kind. */
interface OfConnection {
  readonly socket: unknown
}

/** Why a connection was ended, or a request refused, for the sake of others. */
type Reason = "gaveWay" | "slowBody" | "slowAnswer" | "connections" | "bodies" | "answers"

export class ConnectionTable {
  readonly #options: ConnectionTableOptions
  readonly #connections = new Set<PacedConnection>()
  /** Sockets that take a last answer along. */
  readonly #leaving = new Set<Socket>()
  #answersBytes = 0
  #bodiesBytes = 0
  #ended: Record<Reason, number> = {
    gaveWay: 0,
    slowBody: 0,
    slowAnswer: 0,
    connections: 0,
    bodies: 0,
    answers: 0
  }
  #cancelCheck: () => void

  constructor(options: ConnectionTableOptions) {
    this.#options = options
    this.#cancelCheck = this.#check()
  }

  /** The connection that takes a socket's place for Node; undefined where there is no room. */
  accept(socket: Socket): PacedConnection | undefined {
    const isReserved = !this.#hasRoom(socket.remoteAddress ?? "")
    if (isReserved && !this.#hasReserve()) {
      this.#ended.connections++
      socket.destroy()
      return undefined
    }
    const connection = new PacedConnection({
      ...this.#options,
      socket,
      isReserved,
      onBody: (from, bytes) => this.#onBody(from, bytes),
      onAnswered: (bytes) => void (this.#answersBytes -= bytes)
    })
    this.#connections.add(connection)
    connection.once("close", () => {
      this.#connections.delete(connection)
      if (!socket.destroyed) this.#leave(socket)
    })
    return connection
  }

  /** Notes a request that Node has begun to read. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    this.of(request)?.begin(request, response)
  }

  /** The connection of a request. */
  of({ socket }: OfConnection): PacedConnection | undefined {
    return socket instanceof PacedConnection ? socket : undefined
  }

  /** Whether a request can be begun: its connection is no reserve, and answers have room. */
  mayBegin(request: OfConnection): boolean {
    if (this.of(request)?.isReserved === true) {
      this.#ended.connections++
      return false
    }
    const hasRoom = this.#answersBytes < this.#options.limits.answersBytesMax
      || this.#giveWay("answer")
    if (!hasRoom) this.#ended.answers++
    return hasRoom
  }

  /** Makes room for an answer; false where there is none. */
  mayAnswer(bytes: number): boolean {
    const { answersBytesMax } = this.#options.limits
    while (this.#answersBytes > 0 && this.#answersBytes + bytes > answersBytesMax) {
      if (this.#giveWay("answer")) continue
      this.#ended.answers++
      return false
    }
    return true
  }

  /** Notes that a request has its answer, which the client is to take. */
  answer(request: OfConnection, bytes: number): void {
    const connection = this.of(request)
    if (connection === undefined || connection.destroyed) return
    this.#answersBytes += bytes
    connection.answer(bytes)
  }

  close(): void {
    this.#cancelCheck()
    for (const connection of this.#connections) connection.destroy()
    for (const socket of this.#leaving) socket.destroy()
  }

  samples(): ReadonlyArray<Sample> {
    const all = [...this.#connections]
    const reserved = all.filter(({ isReserved }) => isReserved).length
    const values = { usual: all.length - reserved, reserved, leaving: this.#leaving.size }
    return [
      {
        name: "http_connections",
        type: "gauge",
        help: "Connections that are open.",
        alarm:
          "Alarming: near to the most that there may be; then the longest idle ones are ended.",
        value: { label: "share", values }
      },
      {
        name: "http_answer_bytes",
        type: "gauge",
        help: "Bytes of answers that clients have not taken yet.",
        alarm: "Alarming: near to the most that there may be.",
        value: this.#answersBytes
      },
      {
        name: "http_body_bytes",
        type: "gauge",
        help: "Bytes of the bodies of requests under way.",
        alarm: "Alarming: near to the most that there may be.",
        value: this.#bodiesBytes
      },
      {
        name: "http_ended_total",
        type: "counter",
        help: "Connections ended and requests refused for the sake of others.",
        alarm: "Alarming: a steady rate; a broken or hostile client causes it.",
        value: { label: "reason", values: this.#ended }
      }
    ]
  }

  /** As many may leave as may be there; for one more, the first ends without its answer. */
  #leave(socket: Socket): void {
    this.#leaving.add(socket)
    socket.once("close", () => this.#leaving.delete(socket))
    const [first] = this.#leaving
    if (this.#leaving.size > this.#options.limits.connectionsMax) first?.destroy()
  }

  /** Whether a connection of this address has a place among the usual ones, made or found. */
  #hasRoom(address: string): boolean {
    const { connectionsMax, connectionsPerAddressMax } = this.#options.limits
    const usual = [...this.#connections].filter(({ isReserved }) => !isReserved)
    const own = usual.filter(({ remoteAddress }) => remoteAddress === address)
    if (own.length >= connectionsPerAddressMax) return this.#giveWay(undefined, own)
    return usual.length < connectionsMax || this.#giveWay(undefined, usual)
  }

  #hasReserve(): boolean {
    const reserved = [...this.#connections].filter(({ isReserved }) => isReserved)
    return reserved.length < this.#options.limits.connectionsReservedMax
      || this.#giveWay(undefined, reserved)
  }

  /**
   * Ends the connection that has kept the node waiting for longest, on a request unless said
   * otherwise; false where none has for long enough. One that idles may go at once.
   */
  #giveWay(
    on: "body" | "answer" | undefined,
    among: Iterable<PacedConnection> = this.#connections
  ): boolean {
    const { limits: { patienceMillis }, runtime } = this.#options
    const patient = runtime.elapsed() - patienceMillis
    let found: PacedConnection | undefined
    let longest = Infinity
    for (const connection of among) {
      const waiting = connection.waiting()
      if (waiting === undefined || (on !== undefined && waiting.on !== on)) continue
      if (waiting.on !== "request" && waiting.since > patient) continue
      if (waiting.since >= longest) continue
      longest = waiting.since
      found = connection
    }
    if (found === undefined) return false
    this.#ended.gaveWay++
    this.#connections.delete(found)
    if (found.waiting()?.on === "body") found.refuse(rawAnswer(tooSlow))
    else found.destroy()
    return true
  }

  #onBody(from: PacedConnection, bytes: number): void {
    this.#bodiesBytes += bytes
    if (bytes < 0) return
    while (this.#bodiesBytes > this.#options.limits.bodiesBytesMax) {
      if (this.#giveWay("body")) continue
      this.#ended.bodies++
      return from.refuse(rawAnswer(overloaded))
    }
  }

  /** Ends, from time to time, what clients let wait beyond its deadline. */
  #check(): () => void {
    const { limits, runtime } = this.#options
    return runtime.after(limits.connectionsCheckMillis, () => {
      const now = runtime.elapsed()
      for (const connection of this.#connections) {
        const { on, since } = connection.waiting() ?? { on: "request", since: now }
        if (on === "body" && now - since > limits.bodyStallMillis) {
          this.#ended.slowBody++
          connection.refuse(rawAnswer(tooSlow))
        } else if (on === "answer" && now - since > limits.answerTimeoutMillis) {
          this.#ended.slowAnswer++
          connection.destroy()
        }
      }
      this.#cancelCheck = this.#check()
    })
  }
}
