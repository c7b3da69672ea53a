/**
 * Watches whether the broker lets this node do what it must: subscribe to its subjects, and publish
 * to the other nodes and to clients. A right that is missing, or taken away while the node runs,
 * makes it useless to others, and no request would ever say so.
 *
 * A refused right is tried again from time to time, and as soon as a connection is made again: the
 * client library drops a refused subscription for good, and a broker that is given another
 * configuration tells nobody what is allowed now.
 */
import type { WatchLimits } from "../core/model/WatchLimits.ts"
import type { ClusterName, NodeId } from "../core/model/Names.ts"
import type { Cancel, Runtime } from "../core/Runtime.ts"
import { Subjects } from "../transport/Subjects.ts"
import type { Denial, Message, Subscription, TransportService } from "../transport/Transport.ts"

export interface BrokerRightsOptions {
  readonly runtime: Pick<Runtime, "after" | "elapsed">
  readonly transport: TransportService
  readonly cluster: ClusterName
  readonly node: NodeId
  /** Sends another node a frame that says nothing. */
  readonly greet: (to: NodeId) => void
  readonly limits: Pick<WatchLimits, "rightsCheckMillis">
}

/** When something was refused last, and tried last after that; on the monotonic clock. */
interface Refusal {
  deniedAt: number
  triedAt: number | undefined
}

interface Listening {
  readonly pattern: string
  readonly handler: (message: Message) => void
  readonly options: Parameters<TransportService["subscribe"]>[2]
  subscription: Subscription
}

const noData = new Uint8Array()

/** The questions of NATS's tools: a node does its work without them. */
const isOptional = (pattern: string): boolean => pattern.startsWith("$SRV.")

export class BrokerRights {
  readonly #options: BrokerRightsOptions
  readonly #subjects: Subjects
  /** On which this node hears itself: where it may publish there, it may answer clients. */
  readonly #inbox: string
  readonly #listening = new Set<Listening>()
  /** Of subscriptions, by pattern; of messages, by subject. */
  readonly #refusals = {
    subscribe: new Map<string, Refusal>(),
    publish: new Map<string, Refusal>()
  }
  readonly #listeners: ReadonlyArray<Subscription | undefined>
  /** The same transport, whose subscriptions are renewed after a refusal. */
  readonly transport: TransportService
  #cancel: Cancel

  constructor(options: BrokerRightsOptions) {
    const { cluster, transport } = options
    this.#options = options
    this.#subjects = new Subjects(cluster)
    this.#inbox = transport.newInbox()
    this.#listeners = [
      transport.onDenied?.((denial) => this.#denied(denial)),
      transport.onStatus((connected) => {
        if (connected) this.#retryAll()
      })
    ]
    this.transport = { ...transport, subscribe: (...args) => this.#subscribe(...args) }
    this.transport.subscribe(this.#inbox, () => {})
    transport.publish(this.#inbox, noData)
    this.#cancel = this.#checkLater()
  }

  /** The rights that are missing, in a sentence each with advice. */
  missing(): ReadonlyArray<string> {
    const { publish, subscribe } = this.#refusals
    const patterns = [...subscribe.keys()].filter((pattern) => !isOptional(pattern))
    const all = [
      ...patterns.map((pattern) => `subscribe to ${pattern}`),
      ...[...publish.keys()].map((subject) =>
        subject === this.#inbox ? "publish answers to clients" : `publish to ${subject}`
      )
    ]
    return all.map((right) =>
      `the NATS broker does not let this node's user ${right}: give it the rights that `
      + "`everwrite nats-config` prints"
    )
  }

  close(): void {
    this.#cancel()
    for (const listener of this.#listeners) listener?.close()
    for (const listening of this.#listening) listening.subscription.close()
  }

  #subscribe(...[pattern, handler, options]: Parameters<TransportService["subscribe"]>) {
    const subscription = this.#options.transport.subscribe(pattern, handler, options)
    const listening: Listening = { pattern, handler, options, subscription }
    this.#listening.add(listening)
    return {
      close: () => {
        this.#listening.delete(listening)
        listening.subscription.close()
        const isLast = [...this.#listening].every((other) => other.pattern !== pattern)
        if (isLast) this.#refusals.subscribe.delete(pattern)
      }
    }
  }

  #denied({ right, subject }: Denial): void {
    // Without the right to connect there is no connection, which is told anyway.
    if (right === "connect") return
    const isOwn = right === "subscribe"
      ? [...this.#listening].some(({ pattern }) => pattern === subject)
      : subject === this.#inbox || this.#peerOf(subject) !== undefined
    if (!isOwn) return
    const refusals = this.#refusals[right]
    const deniedAt = this.#options.runtime.elapsed()
    refusals.set(subject, { deniedAt, triedAt: refusals.get(subject)?.triedAt })
  }

  /** The node that a frame of this one goes to. Clients choose the other subjects. */
  #peerOf(subject: string): NodeId | undefined {
    const parsed = this.#subjects.parse(subject)
    return parsed?._tag === "Peer" && parsed.from === this.#options.node ? parsed.to : undefined
  }

  #checkLater(): Cancel {
    const { limits, runtime } = this.#options
    return runtime.after(limits.rightsCheckMillis, () => {
      for (const refusals of [this.#refusals.subscribe, this.#refusals.publish]) {
        for (const [subject, { deniedAt, triedAt }] of refusals) {
          if (triedAt !== undefined && deniedAt < triedAt) refusals.delete(subject)
        }
      }
      this.#retryAll()
      this.#cancel = this.#checkLater()
    })
  }

  #retryAll(): void {
    const { greet, runtime, transport } = this.#options
    const triedAt = runtime.elapsed()
    const { publish, subscribe } = this.#refusals
    for (const listening of this.#listening) {
      const { handler, options, pattern } = listening
      const refusal = subscribe.get(pattern)
      if (refusal === undefined) continue
      refusal.triedAt = triedAt
      listening.subscription.close()
      listening.subscription = transport.subscribe(pattern, handler, options)
    }
    for (const [subject, refusal] of publish) {
      refusal.triedAt = triedAt
      const peer = this.#peerOf(subject)
      if (peer === undefined) transport.publish(subject, noData)
      else greet(peer)
    }
  }
}
