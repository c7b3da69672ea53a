/**
 * Speaks the NATS protocol with one client of the embedded broker.
 *
 * It holds what the client asked for (its subscriptions and the options of its CONNECT); who gets
 * which message is the broker's decision. Whatever the client does wrong ends this connection at
 * most, with an `-ERR` that says why.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Socket } from "node:net"
import type { BrokerLimits } from "../../core/model/Limits.ts"
import { kindOf } from "../SubjectTree.ts"
import { Outbox } from "./Outbox.ts"
import type { Command, ParserLimits, Publication } from "./ProtocolParser.ts"
import { ProtocolParser, ProtocolViolation } from "./ProtocolParser.ts"

export type ConnectionLimits =
  & ParserLimits
  & Pick<
    BrokerLimits,
    "waitingBytesMax" | "pingsUnanswered" | "gatheredBytesMax" | "blockBytes" | "copiedBytesMax"
  >

export interface BrokerSubscription {
  readonly connection: BrokerConnection
  readonly sid: string
  readonly pattern: string
  readonly queue: string | undefined
  delivered: number
  /** Ends the subscription after so many messages; 0 is never. */
  max: number
}

/** The events of a connection, for the broker. */
export interface ConnectionEvents {
  readonly named: (connection: BrokerConnection) => void
  readonly subscribed: (subscription: BrokerSubscription) => void
  readonly unsubscribed: (subscription: BrokerSubscription) => void
  readonly published: (from: BrokerConnection, publication: Publication) => void
  /** Something waits to be written at the end of the turn. */
  readonly gathered: (connection: BrokerConnection) => void
  /** It did not take what was sent to it, and is cut off. */
  readonly slow: (connection: BrokerConnection) => void
  readonly closed: (connection: BrokerConnection) => void
}

const Options = Schema.Struct({
  name: Schema.optionalKey(Schema.String),
  verbose: Schema.optionalKey(Schema.Boolean),
  echo: Schema.optionalKey(Schema.Boolean),
  headers: Schema.optionalKey(Schema.Boolean),
  no_responders: Schema.optionalKey(Schema.Boolean)
})

const decodeOptions = Schema.decodeUnknownResult(Schema.fromJsonString(Options))

export class BrokerConnection {
  readonly #socket: Socket
  readonly #limits: ConnectionLimits
  readonly #events: ConnectionEvents
  readonly #outbox: Outbox
  readonly #subscriptions = new Map<string, BrokerSubscription>()
  #options: typeof Options.Type = {}
  #pings = 0
  #ended = false
  /** Nothing that it publishes is delivered, and nothing is delivered to it. */
  isolated = false

  constructor(socket: Socket, limits: ConnectionLimits, events: ConnectionEvents) {
    this.#socket = socket
    this.#limits = limits
    this.#events = events
    this.#outbox = new Outbox(socket, limits)
    const parser = new ProtocolParser(limits, (command) => this.#carryOut(command))
    socket.setNoDelay(true)
    socket.on("data", (chunk) => this.#read(parser, chunk))
    socket.on("error", () => socket.destroy())
    socket.on("close", () => {
      this.#forget()
      events.closed(this)
    })
  }

  get name(): string {
    return this.#options.name ?? ""
  }

  /** Whether it gets the messages that it publishes itself. */
  get echo(): boolean {
    return this.#options.echo ?? true
  }

  /** Whether it is told that a request has no subscriber. */
  get noResponders(): boolean {
    return this.#options.headers === true && this.#options.no_responders === true
  }

  say(line: string): void {
    if (this.#ended) return
    this.#outbox.line(`${line}\r\n`)
    this.#events.gathered(this)
  }

  deliver(subscription: BrokerSubscription, publication: Publication): void {
    if (this.#ended) return
    const { body, headerBytes, subject } = publication
    const target = publication.reply === undefined
      ? `${subject} ${subscription.sid}`
      : `${subject} ${subscription.sid} ${publication.reply}`
    if (headerBytes > 0 && this.#options.headers === true) {
      this.#outbox.message(`HMSG ${target} ${headerBytes} ${body.length}\r\n`, body)
    } else {
      const bare = headerBytes === 0 ? body : body.subarray(headerBytes)
      this.#outbox.message(`MSG ${target} ${bare.length}\r\n`, bare)
    }
    subscription.delivered++
    if (subscription.delivered === subscription.max) this.#remove(subscription)
    this.#events.gathered(this)
    if (this.#outbox.gathered > this.#limits.gatheredBytesMax) this.#outbox.flush()
    if (this.#outbox.waiting > this.#limits.waitingBytesMax) {
      this.#events.slow(this)
      this.destroy()
    }
  }

  /** Writes what the turn gathered. */
  flush(): void {
    if (!this.#socket.destroyed) this.#outbox.flush()
  }

  /** Sends a PING, and ends a connection that has answered none for too long. */
  ping(): void {
    if (this.#ended) {
      this.destroy()
    } else if (this.#pings >= this.#limits.pingsUnanswered) {
      this.#fail("Stale Connection")
    } else {
      this.#pings++
      this.say("PING")
    }
  }

  destroy(): void {
    this.#forget()
    this.#socket.destroy()
  }

  #read(parser: ProtocolParser, chunk: Buffer): void {
    if (this.#ended) return
    try {
      parser.push(chunk)
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error
      this.#fail(error.message)
    }
  }

  #carryOut(command: Command): void {
    if (this.#ended) return
    switch (command._tag) {
      case "Ping":
        return this.say("PONG")
      case "Pong":
        this.#pings = 0
        return
      case "Connect":
        return this.#connect(command.json)
      case "Subscribe":
        return this.#subscribe(command)
      case "Unsubscribe":
        return this.#unsubscribe(command)
      case "Publish":
        return this.#publish(command.publication)
    }
  }

  #connect(json: string): void {
    const decoded = decodeOptions(json)
    if (Result.isFailure(decoded)) throw new ProtocolViolation("Invalid CONNECT")
    this.#options = decoded.success
    this.#events.named(this)
    this.#agree()
  }

  #subscribe({ queue, sid, subject }: Command & { _tag: "Subscribe" }): void {
    if (kindOf(subject) === "malformed") return this.say("-ERR 'Invalid Subject'")
    // A client that reconnects may send a subscription twice; the first stands.
    if (!this.#subscriptions.has(sid)) {
      const subscription = { connection: this, sid, pattern: subject, queue, delivered: 0, max: 0 }
      this.#subscriptions.set(sid, subscription)
      this.#events.subscribed(subscription)
    }
    this.#agree()
  }

  #unsubscribe({ max, sid }: Command & { _tag: "Unsubscribe" }): void {
    const subscription = this.#subscriptions.get(sid)
    if (subscription !== undefined) {
      if (max > subscription.delivered) subscription.max = max
      else this.#remove(subscription)
    }
    this.#agree()
  }

  #publish(publication: Publication): void {
    const { reply, subject } = publication
    if (kindOf(subject) !== "subject" || (reply !== undefined && kindOf(reply) !== "subject")) {
      return this.say("-ERR 'Invalid Publish Subject'")
    }
    this.#events.published(this, publication)
    this.#agree()
  }

  #agree(): void {
    if (this.#options.verbose === true) this.say("+OK")
  }

  #remove(subscription: BrokerSubscription): void {
    this.#subscriptions.delete(subscription.sid)
    this.#events.unsubscribed(subscription)
  }

  /** Says why, and ends the connection. */
  #fail(reason: string): void {
    this.say(`-ERR '${reason}'`)
    this.flush()
    this.#forget()
    this.#socket.destroySoon()
  }

  #forget(): void {
    this.#ended = true
    for (const subscription of this.#subscriptions.values()) this.#remove(subscription)
  }
}
