/**
 * Carries the frames of a simulated cluster, as badly as the seed wants: late, twice, again much
 * later, in another order, or never. Connectivity is not transitive, as with NATS servers of
 * which two lost their link; a stopped broker is noticed late, and until then everything vanishes.
 */
import type { Message, Subscription, TransportService } from "../../transport/Transport.ts"
import { recipients, SubjectTree } from "../../transport/SubjectTree.ts"
import { Conditions } from "./Conditions.ts"
import type { Kernel, Owner } from "./Kernel.ts"
import type { SeededRandom } from "./SeededRandom.ts"

/** The present treatment of messages. */
export interface NetworkFaults {
  readonly delayMeanMillis: number
  /** Share of messages that take up to ten seconds. */
  readonly tailShare: number
  readonly loss: number
  readonly duplication: number
  /** Share of messages that come once more, up to a minute later. */
  readonly replay: number
  /** Share of messages of which one bit is turned on the way. */
  readonly turned: number
}

export const fairWeather: NetworkFaults = {
  delayMeanMillis: 1,
  tailShare: 0,
  loss: 0,
  duplication: 0,
  replay: 0,
  turned: 0
}

interface Listener {
  readonly endpoint: Endpoint
  readonly queue: string | undefined
  readonly handler: (message: Message) => void
}

interface Endpoint {
  readonly node: string
  readonly owner: Owner
  connected: boolean
  readonly onStatus: Set<(connected: boolean) => void>
}

const tailMillis = 10_000
const replayMillis = 60_000
const detectionMillis = 3_000
const reconnectMillis = 2_000

export interface SimNetworkOptions {
  readonly kernel: Kernel
  readonly outside: Owner
  readonly random: SeededRandom
  /** Draws which bits are turned, and nothing else: so all other draws stay the same. */
  readonly turning: SeededRandom
  readonly maxPayloadBytes: number
  /** Told the name of a fault each time that it meets a message. */
  readonly did: (fault: string) => void
}

export class SimNetwork {
  readonly weather = new Conditions<NetworkFaults>(fairWeather)
  readonly counts = { sent: 0, delivered: 0 }
  readonly #options: SimNetworkOptions
  readonly #listeners = new SubjectTree<Listener>()
  readonly #endpoints = new Set<Endpoint>()
  /** Directed pairs that nothing crosses, with the faults that cut them. */
  readonly #cuts = new Map<string, ReadonlyArray<string>>()
  #brokerStops = 0
  #inboxes = 0

  constructor(options: SimNetworkOptions) {
    this.#options = options
  }

  /** The transport of one incarnation of a node. */
  connect(node: string, owner: Owner): TransportService {
    const endpoint: Endpoint = {
      node,
      owner,
      connected: this.#brokerStops === 0,
      onStatus: new Set()
    }
    this.#endpoints.add(endpoint)
    return {
      publish: (subject, data, reply) => this.#publish(endpoint, { subject, data, reply }),
      subscribe: (subject, handler, options) =>
        this.#subscribe(subject, { endpoint, handler, queue: options?.queue }),
      flush: (done) => this.#later(endpoint, () => done(endpoint.connected)),
      newInbox: () => `_INBOX.${++this.#inboxes}`,
      maxPayload: () => this.#options.maxPayloadBytes,
      connected: () => endpoint.connected,
      onStatus: (listener) => {
        endpoint.onStatus.add(listener)
        return { close: () => void endpoint.onStatus.delete(listener) }
      },
      address: () => "simulated",
      stats: () => ({
        sentMessages: 0,
        sentBytes: 0,
        receivedMessages: 0,
        receivedBytes: 0,
        droppedMessages: 0,
        droppedAnswers: 0,
        reconnects: 0
      })
    }
  }

  /** Nothing crosses from one to the other any more; the way back is another pair. */
  cut(fault: string, from: string, to: string): void {
    const pair = `${from} ${to}`
    this.#cuts.set(pair, [...this.#cuts.get(pair) ?? [], fault])
  }

  /** Takes back one cut by this fault. */
  mend(fault: string, from: string, to: string): void {
    const pair = `${from} ${to}`
    const faults = this.#cuts.get(pair) ?? []
    const index = faults.indexOf(fault)
    this.#cuts.set(pair, faults.filter((_, i) => i !== index))
  }

  /** The broker stops: unnoticed at first, then every endpoint is told. */
  stopBroker(): void {
    const { kernel, outside } = this.#options
    this.#brokerStops++
    kernel.at(outside, kernel.now + detectionMillis, () => {
      if (this.#brokerStops === 0) return
      for (const endpoint of this.#endpoints) this.#setConnected(endpoint, false)
    })
  }

  /** A new broker knows no client: every connection ends now, and comes back a while later. */
  startBroker(): void {
    if (this.#brokerStops === 0 || --this.#brokerStops > 0) return
    const { kernel, random } = this.#options
    for (const endpoint of this.#endpoints) {
      if (!endpoint.owner.alive) this.#endpoints.delete(endpoint)
      this.#setConnected(endpoint, false)
      const time = kernel.now + random.next() * reconnectMillis
      kernel.at(endpoint.owner, time, () => this.#setConnected(endpoint, this.#brokerStops === 0))
    }
  }

  heal(): void {
    this.#cuts.clear()
    this.weather.clear()
    this.#brokerStops = Math.min(this.#brokerStops, 1)
    this.startBroker()
  }

  #setConnected(endpoint: Endpoint, connected: boolean): void {
    if (endpoint.connected === connected) return
    endpoint.connected = connected
    for (const listener of endpoint.onStatus) {
      this.#options.kernel.soon(endpoint.owner, () => listener(connected))
    }
  }

  #subscribe(subject: string, listener: Listener): Subscription {
    this.#listeners.add(subject, listener)
    return { close: () => this.#listeners.remove(subject, listener) }
  }

  #publish(
    from: Endpoint,
    sent: {
      readonly subject: string
      readonly data: Uint8Array
      readonly reply: string | undefined
    }
  ): void {
    this.counts.sent++
    if (!from.owner.alive) return
    if (this.#brokerStops > 0 || !from.connected) return this.#options.did("broker")
    const { subject, reply } = sent
    // The sender may reuse its bytes, and receivers must not share them.
    const message: Message = { subject, data: sent.data.slice(), reply, noResponders: false }
    const listeners = this.#receivers(subject)
    for (const listener of listeners) this.#send(from, listener, message)
    if (listeners.length > 0 || reply === undefined) return
    const noResponders: Message = {
      subject: reply,
      data: new Uint8Array(0),
      reply: undefined,
      noResponders: true
    }
    for (const listener of this.#receivers(reply)) this.#send(from, listener, noResponders)
  }

  /** All plain listeners of living endpoints, and one of each queue group. */
  #receivers(subject: string): ReadonlyArray<Listener> {
    const { random } = this.#options
    const living = this.#listeners.match(subject).filter(({ endpoint }) =>
      endpoint.owner.alive && endpoint.connected
    )
    return recipients(living, (count) => random.integer(0, count - 1))
  }

  #send(from: Endpoint, listener: Listener, message: Message): void {
    const { did, random } = this.#options
    const { duplication, loss, replay } = this.weather.now
    const cuts = this.#cuts.get(`${from.node} ${listener.endpoint.node}`) ?? []
    for (const fault of cuts) did(fault)
    if (cuts.length > 0) return
    if (random.chance(loss)) return did("loss")
    this.#deliver(listener, this.#turned(message), this.#delay())
    if (random.chance(duplication)) {
      did("duplication")
      this.#deliver(listener, message, this.#delay())
    }
    if (random.chance(replay)) {
      did("replay")
      this.#deliver(listener, message, random.next() * replayMillis)
    }
  }

  /** The message as it comes out of a memory or a wire that turns bits. */
  #turned(message: Message): Message {
    const { did, turning } = this.#options
    const { turned } = this.weather.now
    if (turned === 0 || message.data.length === 0 || !turning.chance(turned)) return message
    did("turned")
    const data = message.data.slice()
    data[turning.integer(0, data.length - 1)]! ^= 1 << turning.integer(0, 7)
    return { ...message, data }
  }

  #delay(): number {
    const { did, random } = this.#options
    const { delayMeanMillis, tailShare } = this.weather.now
    if (delayMeanMillis > fairWeather.delayMeanMillis) did("delay")
    const isTail = random.chance(tailShare)
    return isTail ? random.next() * tailMillis : random.exponential(delayMeanMillis)
  }

  #deliver(listener: Listener, message: Message, delayMillis: number): void {
    const { kernel, outside } = this.#options
    kernel.at(outside, kernel.now + delayMillis, () => {
      const { endpoint, handler } = this.#heir(listener, message)
      if (!endpoint.owner.alive || !endpoint.connected || this.#brokerStops > 0) return
      this.counts.delivered++
      kernel.noteBytes(message.data)
      kernel.soon(endpoint.owner, () => handler(message))
    })
  }

  /**
   * The receiver of a message now: a later incarnation of the node, where the addressed one is
   * dead.
   */
  #heir(listener: Listener, { subject }: Message): Listener {
    const { endpoint, queue } = listener
    if (endpoint.owner.alive) return listener
    const heirs = this.#listeners.match(subject).filter((other) => other.queue === queue)
    return heirs.find(({ endpoint: { node, owner } }) => node === endpoint.node && owner.alive)
      ?? listener
  }

  #later(endpoint: Endpoint, task: () => void): void {
    const { kernel } = this.#options
    kernel.at(endpoint.owner, kernel.now + this.#delay(), task)
  }
}
