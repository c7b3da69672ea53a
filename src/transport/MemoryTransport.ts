/**
 * Carries messages inside one process, for tests, the simulator and a cluster in one process.
 *
 * The broker is one queue of its connections' actions, carried out in order at the end of the turn:
 * so nothing is delivered inside `publish`, a flush answers after all before it, and under a
 * simulated cluster the same seed gives the same deliveries. Actions of handlers wait for the next
 * turn. Messages are copied once, so that no node can change the bytes of another one.
 */
import { invariant } from "../core/Invariant.ts"
import { lan } from "../core/model/Limits.ts"
import type { Runtime } from "../core/Runtime.ts"
import { kindOf, recipients, SubjectTree } from "./SubjectTree.ts"
import type { Message, Subscription, TransportService } from "./Transport.ts"

export interface MemoryBroker {
  readonly connect: () => TransportService
  /**
   * Cuts a transport off: it keeps its subscriptions for its return, and loses waiting messages.
   */
  readonly disconnect: (transport: TransportService) => void
  readonly reconnect: (transport: TransportService) => void
}

interface Listener {
  readonly connection: MemoryConnection
  readonly pattern: string
  readonly queue: string | undefined
  readonly handler: (message: Message) => void
}

export const makeMemoryBroker = (
  runtime: Runtime,
  options: { readonly maxPayload?: number } = {}
): MemoryBroker => {
  const router = new MessageRouter(runtime, options.maxPayload ?? lan.broker.maxPayload)
  const connections = new Map<TransportService, MemoryConnection>()
  const setConnected = (transport: TransportService, connected: boolean): void => {
    const connection = connections.get(transport)
    invariant(connection !== undefined, "the transport was connected by this broker")
    connection.setConnected(connected)
  }
  return {
    connect: () => {
      const connection = new MemoryConnection(router)
      const transport = connection.service()
      connections.set(transport, connection)
      return transport
    },
    disconnect: (transport) => setConnected(transport, false),
    reconnect: (transport) => setConnected(transport, true)
  }
}

/** The subscriptions and the queue of actions, which all connections share. */
class MessageRouter {
  readonly runtime: Runtime
  readonly maxPayload: number
  readonly listeners = new SubjectTree<Listener>()
  #tasks: Array<() => void> = []

  constructor(runtime: Runtime, maxPayload: number) {
    this.runtime = runtime
    this.maxPayload = maxPayload
  }

  enqueue(task: () => void): void {
    this.#tasks.push(task)
    if (this.#tasks.length === 1) this.runtime.endOfTurn(() => this.#carryOut())
  }

  #carryOut(): void {
    const tasks = this.#tasks
    this.#tasks = []
    for (const task of tasks) task()
  }

  deliver(from: MemoryConnection, message: Message): void {
    const chosen = recipients(
      this.listeners.match(message.subject),
      (count) => Math.floor(this.runtime.random() * count)
    )
    for (const listener of chosen) listener.connection.receive(listener, message)
    if (chosen.length === 0 && message.reply !== undefined) this.#refuse(from, message.reply)
  }

  #refuse(from: MemoryConnection, subject: string): void {
    const message = { subject, data: new Uint8Array(0), reply: undefined, noResponders: true }
    for (const listener of this.listeners.match(subject)) {
      if (listener.connection === from) from.receive(listener, message)
    }
  }
}

class MemoryConnection {
  readonly #router: MessageRouter
  readonly #subscribed = new Set<Listener>()
  readonly #statusListeners = new Set<(connected: boolean) => void>()
  #connected = true
  /**
   * Counts connections made, so that actions that waited at a cut are not carried out after the
   * return.
   */
  #incarnation = 1
  #sentMessages = 0
  #sentBytes = 0
  #receivedMessages = 0
  #receivedBytes = 0
  #droppedMessages = 0

  constructor(router: MessageRouter) {
    this.#router = router
  }

  service(): TransportService {
    return {
      publish: (subject, data, reply, traceparent, fault) =>
        this.#publish({ subject, data, reply, noResponders: false, traceparent, fault }),
      subscribe: (subject, handler, options) => this.#subscribe(subject, handler, options?.queue),
      flush: (done) => this.#flush(done),
      newInbox: () => `_INBOX.${this.#router.runtime.id()}`,
      maxPayload: () => this.#router.maxPayload,
      connected: () => this.#connected,
      onStatus: (listener) => {
        this.#statusListeners.add(listener)
        return { close: () => void this.#statusListeners.delete(listener) }
      },
      address: () => "memory",
      stats: () => ({
        sentMessages: this.#sentMessages,
        sentBytes: this.#sentBytes,
        receivedMessages: this.#receivedMessages,
        receivedBytes: this.#receivedBytes,
        droppedMessages: this.#droppedMessages,
        droppedAnswers: 0,
        reconnects: this.#incarnation - 1
      })
    }
  }

  setConnected(connected: boolean): void {
    if (connected === this.#connected) return
    this.#connected = connected
    if (connected) this.#incarnation++
    const { listeners } = this.#router
    for (const listener of this.#subscribed) {
      if (connected) listeners.add(listener.pattern, listener)
      else listeners.remove(listener.pattern, listener)
    }
    for (const tell of this.#statusListeners) tell(connected)
  }

  receive(listener: Listener, message: Message): void {
    if (!this.#connected || !this.#subscribed.has(listener)) return
    this.#receivedMessages++
    this.#receivedBytes += message.data.length
    listener.handler(message)
  }

  #publish(given: Message): void {
    const { data, reply, subject } = given
    const { maxPayload } = this.#router
    const fits = kindOf(subject) === "subject" && data.length <= maxPayload
      && (reply === undefined || kindOf(reply) === "subject")
    if (!this.#connected || !fits) {
      this.#droppedMessages++
      return
    }
    this.#sentMessages++
    this.#sentBytes += data.length
    const message = { ...given, data: new Uint8Array(data) }
    this.#whileConnected(() => this.#router.deliver(this, message))
  }

  #subscribe(
    pattern: string,
    handler: (message: Message) => void,
    queue: string | undefined
  ): Subscription {
    invariant(kindOf(pattern) !== "malformed", `"${pattern}" is a pattern of subjects`)
    const listener: Listener = { connection: this, pattern, queue, handler }
    const { listeners } = this.#router
    // A connection that is cut off now subscribes at its return, with all its others.
    this.#whileConnected(() => {
      if (this.#subscribed.has(listener)) listeners.add(pattern, listener)
    })
    this.#subscribed.add(listener)
    return {
      close: () => {
        if (this.#subscribed.delete(listener)) listeners.remove(pattern, listener)
      }
    }
  }

  #flush(done: (reached: boolean) => void): void {
    const incarnation = this.#incarnation
    const connected = this.#connected
    this.#router.enqueue(() =>
      done(connected && this.#connected && incarnation === this.#incarnation)
    )
  }

  #whileConnected(task: () => void): void {
    if (!this.#connected) return
    const incarnation = this.#incarnation
    this.#router.enqueue(() => {
      if (this.#connected && incarnation === this.#incarnation) task()
    })
  }
}
