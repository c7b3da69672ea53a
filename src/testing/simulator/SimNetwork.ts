/**
 * Carries the frames of a simulated cluster, as badly as the seed wants: late, twice, again much
 * later, in another order, or never. Connectivity is not transitive, as with NATS servers of
 * which two lost their link; a stopped broker is noticed late, and until then everything vanishes.
 */
import type { Message, Subscription, TransportService } from "../../transport/Transport.ts"
import { recipients, SubjectTree } from "../../transport/SubjectTree.ts"
import type { Kernel, Owner } from "./Kernel.ts"
import type { SeededRandom } from "./SeededRandom.ts"

/** What happens to messages at present. */
export interface Weather {
  delayMeanMillis: number
  /** Share of messages that take up to ten seconds. */
  tailShare: number
  loss: number
  duplication: number
  /** Share of messages that come once more, up to a minute later. */
  replay: number
}

export const fairWeather: Weather = {
  delayMeanMillis: 1,
  tailShare: 0,
  loss: 0,
  duplication: 0,
  replay: 0
}

/** How often each thing happened, to show that the faults of a run did occur. */
export interface NetworkCounts {
  sent: number
  delivered: number
  lost: number
  duplicated: number
  replayed: number
  cut: number
  unconnected: number
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
  bufferFull: boolean
  readonly onStatus: Set<(connected: boolean) => void>
}

const tailMillis = 10_000
const replayMillis = 60_000
const detectionMillis = 3_000
const maxPayloadBytes = 64 * 1024

export interface SimNetworkOptions {
  readonly kernel: Kernel
  readonly outside: Owner
  readonly random: SeededRandom
}

export class SimNetwork {
  weather: Weather = { ...fairWeather }
  readonly counts: NetworkCounts = {
    sent: 0,
    delivered: 0,
    lost: 0,
    duplicated: 0,
    replayed: 0,
    cut: 0,
    unconnected: 0
  }
  readonly #options: SimNetworkOptions
  readonly #listeners = new SubjectTree<Listener>()
  readonly #endpoints = new Set<Endpoint>()
  /** Directed pairs that nothing crosses, with how many faults cut them. */
  readonly #cuts = new Map<string, number>()
  #brokerUp = true
  #inboxes = 0

  constructor(options: SimNetworkOptions) {
    this.#options = options
  }

  /** The transport of one life of a node. */
  connect(node: string, owner: Owner): TransportService {
    const endpoint: Endpoint = {
      node,
      owner,
      connected: this.#brokerUp,
      bufferFull: false,
      onStatus: new Set()
    }
    this.#endpoints.add(endpoint)
    return {
      publish: (subject, data, reply) => this.#publish(endpoint, { subject, data, reply }),
      subscribe: (subject, handler, options) =>
        this.#subscribe(subject, { endpoint, handler, queue: options?.queue }),
      flush: (done) => this.#later(endpoint, () => done(endpoint.connected)),
      newInbox: () => `_INBOX.${++this.#inboxes}`,
      maxPayload: () => maxPayloadBytes,
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
        reconnects: 0
      })
    }
  }

  /** Nothing crosses from one to the other any more; the way back is another pair. */
  cut(from: string, to: string): void {
    const pair = `${from} ${to}`
    this.#cuts.set(pair, (this.#cuts.get(pair) ?? 0) + 1)
  }

  /** Takes one cut back. */
  mend(from: string, to: string): void {
    const pair = `${from} ${to}`
    const left = (this.#cuts.get(pair) ?? 1) - 1
    if (left > 0) this.#cuts.set(pair, left)
    else this.#cuts.delete(pair)
  }

  healCuts(): void {
    this.#cuts.clear()
  }

  /** The broker stops: silently at first, then every endpoint notices. */
  stopBroker(): void {
    const { kernel, outside } = this.#options
    this.#brokerUp = false
    kernel.at(outside, kernel.now + detectionMillis, () => {
      if (!this.#brokerUp) this.#setConnected(false)
    })
  }

  startBroker(): void {
    this.#brokerUp = true
    this.#setConnected(true)
  }

  /** The client's send buffer is full: what the node publishes is dropped. */
  setBufferFull(node: string, full: boolean): void {
    for (const endpoint of this.#endpoints) if (endpoint.node === node) endpoint.bufferFull = full
  }

  #setConnected(connected: boolean): void {
    for (const endpoint of this.#endpoints) {
      if (!endpoint.owner.alive) this.#endpoints.delete(endpoint)
      if (endpoint.connected === connected) continue
      endpoint.connected = connected
      for (const listener of endpoint.onStatus) {
        this.#options.kernel.soon(endpoint.owner, () => listener(connected))
      }
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
    if (!this.#brokerUp || !from.connected || from.bufferFull || !from.owner.alive) {
      this.counts.unconnected++
      return
    }
    const { subject, reply } = sent
    // The sender may reuse its bytes, and receivers must not share them.
    const message: Message = { subject, data: sent.data.slice(), reply, noResponders: false }
    const listeners = this.#receivers(subject)
    for (const listener of listeners) this.#send(from, listener, message)
    if (listeners.length > 0 || reply === undefined) return
    const nobody: Message = {
      subject: reply,
      data: new Uint8Array(0),
      reply: undefined,
      noResponders: true
    }
    for (const listener of this.#receivers(reply)) this.#send(from, listener, nobody)
  }

  /** All plain listeners of living endpoints, and one of each queue group. */
  #receivers(subject: string): ReadonlyArray<Listener> {
    const { random } = this.#options
    const living = this.#listeners.match(subject).filter(({ endpoint }) => endpoint.owner.alive)
    return recipients(living, (count) => random.integer(0, count - 1))
  }

  #send(from: Endpoint, listener: Listener, message: Message): void {
    const { random } = this.#options
    const { counts, weather } = this
    if (this.#cuts.has(`${from.node} ${listener.endpoint.node}`)) {
      counts.cut++
      return
    }
    if (random.chance(weather.loss)) {
      counts.lost++
      return
    }
    this.#deliver(listener, message, this.#delay())
    if (random.chance(weather.duplication)) {
      counts.duplicated++
      this.#deliver(listener, message, this.#delay())
    }
    if (random.chance(weather.replay)) {
      counts.replayed++
      this.#deliver(listener, message, random.next() * replayMillis)
    }
  }

  #delay(): number {
    const { random } = this.#options
    const { delayMeanMillis, tailShare } = this.weather
    const isTail = tailShare > 0 && random.chance(tailShare)
    return isTail ? random.next() * tailMillis : random.exponential(delayMeanMillis)
  }

  #deliver(listener: Listener, message: Message, delayMillis: number): void {
    const { kernel, outside } = this.#options
    const { endpoint, handler } = listener
    kernel.at(outside, kernel.now + delayMillis, () => {
      if (!endpoint.owner.alive || !this.#brokerUp) return
      this.counts.delivered++
      kernel.noteBytes(message.data)
      kernel.soon(endpoint.owner, () => handler(message))
    })
  }

  #later(endpoint: Endpoint, task: () => void): void {
    const { kernel } = this.#options
    kernel.at(endpoint.owner, kernel.now + this.#delay(), task)
  }
}
