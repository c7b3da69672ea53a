/**
 * Carries messages between nodes and clients: subjects, queue groups, replies, nothing more.
 *
 * Delivery is at most once: a message may be lost, repeated or reordered, and nothing above relies
 * on it for durability. `publish` never fails and never waits. The wildcards are those of NATS: `*`
 * is one token, `>` at the end is one or more.
 */
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import { requestError } from "../core/model/RequestError.ts"

export interface Message {
  readonly subject: string
  /**
   * Valid during the callback only where the implementation reuses buffers: copy data that is kept.
   */
  readonly data: Uint8Array
  readonly reply: string | undefined
  /** The subject of the request has no subscriber (NATS status 503). */
  readonly noResponders: boolean
  /** The header of this name, by which its sender names a span; left out where there is none. */
  readonly traceparent?: string | undefined
  /** Of an answer that says that its request failed. */
  readonly fault?: ServiceFault | undefined
}

/** The error of a micro service, in the headers by which tools of NATS know one. */
export interface ServiceFault {
  /** As HTTP has it. */
  readonly code: number
  readonly description: string
}

export interface Subscription {
  readonly close: () => void
}

/** The broker does not let this user do something. */
export interface Denial {
  readonly right: "publish" | "subscribe" | "connect"
  /** The subject or its pattern; the broker's address where the right is to connect. */
  readonly subject: string
}

export interface TransportStats {
  readonly sentMessages: number
  readonly sentBytes: number
  readonly receivedMessages: number
  readonly receivedBytes: number
  /** Messages dropped before the network: no connection, or too much waiting. */
  readonly droppedMessages: number
  /** Answers dropped because too much waits on the way to their client, or to all clients. */
  readonly droppedAnswers: number
  /** Addresses whose answers take the connection of large ones; left out where there is none. */
  readonly apartAddresses?: number
  readonly reconnects: number
}

export interface TransportService {
  /**
   * `data` must not be changed before the end of the turn: before a task runs that is given to
   * `endOfTurn` after this call.
   */
  readonly publish: (
    subject: string,
    data: Uint8Array,
    reply?: string,
    traceparent?: string,
    fault?: ServiceFault
  ) => void
  /** Of subscriptions with the same `queue`, one gets each message. */
  readonly subscribe: (
    subject: string,
    handler: (message: Message) => void,
    options?: { readonly queue?: string }
  ) => Subscription
  /** Calls back once all subscriptions and messages so far have reached the broker. */
  readonly flush: (done: (reached: boolean) => void) => void
  /** A subject that no other client uses, for replies; subscribe to it and below it. */
  readonly newInbox: () => string
  /**
   * The bytes that an answer to this subject may have now, so that clients who read slowly do not
   * keep others waiting. Left out where nothing ever waits.
   */
  readonly answerRoom?: (reply: string) => number
  /** Largest message in bytes; known after connecting. */
  readonly maxPayload: () => number
  readonly connected: () => boolean
  /** Called at every change of `connected`. */
  readonly onStatus: (listener: (connected: boolean) => void) => Subscription
  /**
   * Called for each message and subscription that the broker refuses, and for each refused attempt
   * to connect again. Left out where nothing is ever refused.
   */
  readonly onDenied?: (listener: (denial: Denial) => void) => Subscription
  /** Where it is connected to, for people. */
  readonly address: () => string
  readonly stats: () => TransportStats
}

export class Transport
  extends Context.Service<Transport, TransportService>()("everwrite/transport/Transport")
{}

/** The broker could not be reached, or refused: its URL, and the reason. */
export class TransportUnavailable extends requestError<TransportUnavailable>()(
  "TransportUnavailable",
  {
    address: Schema.String,
    reason: Schema.String,
    /** The broker is there, and does not let this user in. */
    isDenied: Schema.optionalKey(Schema.Literal(true)),
    /** Something is there, or may be, and did not answer in time: it may do so later. */
    isLate: Schema.optionalKey(Schema.Literal(true)),
    /** The settings are at fault, whether a broker is there or not. */
    isMisconfigured: Schema.optionalKey(Schema.Literal(true))
  }
) {
  override get message(): string {
    if (this.isDenied) return `the NATS broker at ${this.address} refuses this user: ${this.reason}`
    return `no NATS broker at ${this.address}: ${this.reason}`
  }
}
