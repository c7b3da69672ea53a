/**
 * Carries messages over NATS, through the official client as it is.
 *
 * Four things are added to it. The bytes that the broker has not confirmed are bounded: beyond
 * that messages are dropped and counted. A connection found dead is torn down at once: the client
 * alone first waits for its last bytes to be written, which a frozen broker never lets happen. And
 * a handler that throws does not end the client's reading without a report. Large answers have a
 * connection of their own (`NatsLargeAnswers`).
 */
import type { Msg, PublishOptions, Status } from "@nats-io/transport-node"
import {
  AuthorizationError,
  connect,
  createInbox,
  NatsConnectionImpl,
  TimeoutError
} from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Socket } from "node:net"
import { invariant } from "../core/Invariant.ts"
import { lan } from "../core/model/Limits.ts"
import { checkOptions, clientOptions, type NatsOptions, serverAddresses } from "./NatsOptions.ts"
import { withLargeAnswers } from "./NatsLargeAnswers.ts"
import { faultIn, publishOptions, traceBytes, traceHeader } from "./NatsHeaders.ts"
import { NatsWindow } from "./NatsWindow.ts"
import { denialOf } from "./NatsDenial.ts"
import { isSystemSubject, replyAddress } from "./Subjects.ts"
import { kindOf } from "./SubjectTree.ts"
import type { Denial, Message, Subscription, TransportService } from "./Transport.ts"
import { ToldOnce } from "./ToldOnce.ts"
import { Transport, TransportUnavailable } from "./Transport.ts"

export interface NatsTransport extends TransportService {
  /** Sends the messages published so far, within a limit of time, and disconnects. */
  readonly close: () => Promise<void>
}

/** Tells the operator of refused subjects and lost permissions. */
export type Warn = (text: string) => void

/** Bytes of the protocol around a message, roughly. */
const envelopeBytes = 32

/** Connects; rejects with `TransportUnavailable` where no server can be reached, or none agrees. */
export const connectNats = async (options: NatsOptions, warn: Warn): Promise<NatsTransport> => {
  await checkOptions(options)
  try {
    const open = async (): Promise<NatsTransport> => {
      const client = await connect(await clientOptions(options))
      invariant(client instanceof NatsConnectionImpl, "the client is the one that is pinned")
      return new NatsLink(client, options, warn).service()
    }
    const limits = {
      largeAnswerBytes: options.largeAnswerBytes ?? lan.nats.largeAnswerBytes,
      apartMillis: options.apartMillis ?? lan.nats.apartMillis,
      apartAddressesMax: options.apartAddressesMax ?? lan.nats.apartAddressesMax,
      goneMillis: options.goneMillis ?? lan.nats.goneMillis,
      connectTimeoutMillis: options.connectTimeoutMillis ?? lan.nats.connectTimeoutMillis
    }
    const common = await open()
    return options.answersApart === true
      ? await withLargeAnswers({ common, open, limits })
      : common
  } catch (cause) {
    const reason = cause instanceof TimeoutError
      ? "no answer in time"
      : cause instanceof Error
      ? cause.message
      : String(cause)
    throw new TransportUnavailable({
      address: serverAddresses(options),
      reason,
      ...cause instanceof AuthorizationError ? { isDenied: true } : {},
      ...cause instanceof TimeoutError ? { isLate: true } : {}
    })
  }
}

/** The transport over a connection that stays its owner's: closing leaves it open. */
export const overConnection = (
  client: NatsConnectionImpl,
  options: NatsOptions,
  warn: Warn
): NatsTransport => {
  const link = new NatsLink(client, options, warn)
  return { ...link.service(), close: () => link.leave() }
}

/** The transport over NATS: connected when the layer is built, drained when its scope closes. */
export const layerNats = (options: NatsOptions): Layer.Layer<Transport, TransportUnavailable> =>
  Layer.effect(
    Transport,
    Effect.gen(function*() {
      const run = Effect.runForkWith(yield* Effect.context())
      const told = new ToldOnce((text) => void run(Effect.logWarning(text)), {
        toldMax: options.toldMax ?? lan.nats.toldMax
      })
      const warn: Warn = (text) => told.tell(text)
      return yield* Effect.acquireRelease(
        Effect.tryPromise({
          try: () => connectNats(options, warn),
          catch: (error) => {
            invariant(error instanceof TransportUnavailable, "connecting fails in one way")
            return error
          }
        }),
        (transport) => Effect.promise(() => transport.close())
      ).pipe(Effect.tap((transport) => Effect.sync(() => transport.onStatus(() => told.forget()))))
    }).pipe(Effect.withSpan("everwrite.nats.connect"))
  )

class NatsLink {
  readonly #client: NatsConnectionImpl
  readonly #window: NatsWindow
  readonly #statuses: AsyncIterable<Status> & { readonly stop?: () => void }
  readonly #warn: Warn
  readonly #inboxPrefix: string | undefined
  readonly #flushMillis: number
  readonly #drainMillis: number
  readonly #statusListeners = new Set<(connected: boolean) => void>()
  readonly #denialListeners = new Set<(denial: Denial) => void>()
  #connected = true
  #closing = false
  #address: string
  #maxPayload = 0
  #sentMessages = 0
  #sentBytes = 0
  #receivedMessages = 0
  #receivedBytes = 0
  #droppedMessages = 0
  #droppedAnswers = 0
  #reconnects = 0

  constructor(client: NatsConnectionImpl, options: NatsOptions, warn: Warn) {
    this.#client = client
    this.#window = new NatsWindow(
      {
        waitingBytesMax: options.waitingBytesMax ?? lan.nats.waitingBytesMax,
        waitingAnswerBytesMax: options.waitingAnswerBytesMax ?? lan.nats.waitingAnswerBytesMax,
        probeBytes: options.probeBytes ?? lan.nats.probeBytes
      },
      () => client.flush()
    )
    this.#warn = warn
    this.#inboxPrefix = options.inboxPrefix
    this.#flushMillis = options.flushTimeoutMillis ?? lan.nats.flushTimeoutMillis
    this.#drainMillis = options.drainTimeoutMillis ?? lan.nats.drainTimeoutMillis
    this.#address = `nats://${client.getServer()}`
    this.#statuses = client.status()
    void this.#watch()
  }

  service(): NatsTransport {
    return {
      publish: (subject, data, reply, traceparent, fault) => {
        // A span's name is left out where it would take the message beyond the broker's limit.
        const named = data.length + traceBytes <= this.#currentMaxPayload()
          ? traceparent
          : undefined
        this.#publish(subject, data, publishOptions(reply, named, fault))
      },
      subscribe: (subject, handler, options) => this.#subscribe(subject, handler, options?.queue),
      flush: (done) => this.#flush(done),
      newInbox: () => createInbox(this.#inboxPrefix),
      answerRoom: (reply) =>
        this.#window.isRoomy ? Infinity : this.#window.answerRoom(replyAddress(reply)),
      maxPayload: () => this.#currentMaxPayload(),
      connected: () => this.#connected,
      onStatus: (listener) => {
        this.#statusListeners.add(listener)
        return { close: () => void this.#statusListeners.delete(listener) }
      },
      onDenied: (listener) => {
        this.#denialListeners.add(listener)
        return { close: () => void this.#denialListeners.delete(listener) }
      },
      address: () => this.#address,
      stats: () => ({
        sentMessages: this.#sentMessages,
        sentBytes: this.#sentBytes,
        receivedMessages: this.#receivedMessages,
        receivedBytes: this.#receivedBytes,
        droppedMessages: this.#droppedMessages,
        droppedAnswers: this.#droppedAnswers,
        reconnects: this.#reconnects
      }),
      close: () => this.#close()
    }
  }

  /** The broker's word; while there is none, its last. */
  #currentMaxPayload(): number {
    this.#maxPayload = this.#client.info?.max_payload ?? this.#maxPayload
    return this.#maxPayload
  }

  #publish(
    subject: string,
    data: Uint8Array,
    options: PublishOptions | undefined
  ): void {
    const reply = options?.reply
    const fits = data.length <= this.#currentMaxPayload() && kindOf(subject) === "subject"
      && (reply === undefined || kindOf(reply) === "subject")
    const { protocol } = this.#client
    // Without a connection the client would keep `data` beyond the turn, until it connects again.
    const takes = this.#connected && protocol.connected && !protocol.noMorePublishing
      && !protocol.isClosed()
    if (!fits || !takes || this.#window.isFull) {
      this.#droppedMessages++
      return
    }
    const bytes = data.length + subject.length + envelopeBytes
    const address = isSystemSubject(subject) ? undefined : replyAddress(subject)
    const isRoomy = address === undefined || this.#window.isRoomy
    if (!isRoomy && bytes > this.#window.answerRoom(address)) {
      this.#droppedAnswers++
      return
    }
    this.#sentMessages++
    this.#sentBytes += data.length
    this.#client.publish(subject, data, options)
    this.#window.add(bytes, address)
  }

  #subscribe(
    pattern: string,
    handler: (message: Message) => void,
    queue: string | undefined
  ): Subscription {
    invariant(kindOf(pattern) !== "malformed", `"${pattern}" is a pattern of subjects`)
    const subscription = this.#client.subscribe(pattern, {
      ...queue === undefined ? {} : { queue },
      callback: (error, message) => {
        if (error === null) this.#receive(handler, message)
        else this.#warn(`no longer subscribed to ${pattern}: ${error.message}`)
      }
    })
    return { close: () => subscription.unsubscribe() }
  }

  #receive(handler: (message: Message) => void, message: Msg): void {
    const { data } = message
    this.#receivedMessages++
    this.#receivedBytes += data.length
    try {
      handler({
        subject: message.subject,
        data,
        reply: message.reply === "" ? undefined : message.reply,
        noResponders: data.length === 0 && message.headers?.code === 503,
        traceparent: message.headers?.last(traceHeader),
        fault: message.headers === undefined ? undefined : faultIn(message.headers)
      })
    } catch (fault) {
      // Inside the client's parser this would end its reading, and no error would be reported.
      queueMicrotask(() => {
        throw fault
      })
    }
  }

  #flush(done: (reached: boolean) => void): void {
    if (!this.#connected) {
      queueMicrotask(() => done(false))
      return
    }
    let settled = false
    const settle = (reached: boolean): void => {
      if (settled) return
      settled = true
      clearTimeout(deadline)
      done(reached)
    }
    const deadline = setTimeout(() => settle(false), this.#flushMillis)
    this.#client.flush().then(() => settle(true), () => settle(false))
  }

  async #watch(): Promise<void> {
    for await (const status of this.#statuses) this.#onStatus(status)
  }

  #onStatus(status: Status): void {
    switch (status.type) {
      case "staleConnection":
        this.#setConnected(false)
        this.#tearDown()
        return
      case "disconnect":
      case "close":
        this.#setConnected(false)
        return
      case "reconnect":
        this.#reconnects++
        this.#address = `nats://${status.server}`
        this.#setConnected(true)
        return
      case "error": {
        this.#warn(`the broker at ${this.#address} says: ${status.error.message}`)
        const denial = denialOf(status.error, this.#address)
        if (denial === undefined) return
        for (const tell of this.#denialListeners) tell(denial)
      }
    }
  }

  #setConnected(connected: boolean): void {
    if (connected === this.#connected || (connected && this.#closing)) return
    this.#connected = connected
    this.#window.reset()
    for (const tell of this.#statusListeners) tell(connected)
  }

  /** The socket under the client, which has no public way to end one without waiting for it. */
  #tearDown(): void {
    const { transport } = this.#client.protocol
    if ("socket" in transport && transport.socket instanceof Socket) transport.socket.destroy()
  }

  async #close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    if (this.#connected) await this.#drain()
    this.#setConnected(false)
    await this.#client.close()
    // An attempt to connect that is under way outlives the client's own `close`.
    this.#client.protocol.transport.discard()
  }

  /** Sends what was published, and hears no more of the connection. */
  async leave(): Promise<void> {
    await new Promise<void>((resolve) => this.#flush(() => resolve()))
    this.#statuses.stop?.()
    this.#setConnected(false)
  }

  /** Ends when all is sent, when the connection breaks, or when the time is up. */
  #drain(): Promise<void> {
    return new Promise((resolve) => {
      const deadline = setTimeout(resolve, this.#drainMillis)
      const settle = (): void => {
        clearTimeout(deadline)
        resolve()
      }
      this.#client.drain().then(settle, settle)
    })
  }
}
