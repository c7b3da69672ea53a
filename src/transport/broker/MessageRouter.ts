/**
 * Decides who gets which message of the embedded broker: subjects, queue groups, "no responders",
 * and who is cut off.
 */
import { recipients, SubjectTree } from "../SubjectTree.ts"
import type { BrokerConnection, BrokerSubscription, ConnectionEvents } from "./BrokerConnection.ts"
import type { Publication } from "./ProtocolParser.ts"

const noResponders = Buffer.from("NATS/1.0 503\r\n\r\n", "latin1")

export class MessageRouter implements ConnectionEvents {
  readonly connections = new Set<BrokerConnection>()
  readonly #subscriptions = new SubjectTree<BrokerSubscription>()
  readonly #isolated = new Set<string>()
  readonly #unwritten = new Set<BrokerConnection>()
  #slowConsumers = 0

  get slowConsumers(): number {
    return this.#slowConsumers
  }

  isolate(name: string): void {
    this.#isolated.add(name)
    for (const connection of this.connections) this.named(connection)
  }

  heal(name: string): void {
    this.#isolated.delete(name)
    for (const connection of this.connections) this.named(connection)
  }

  named(connection: BrokerConnection): void {
    connection.isolated = this.#isolated.has(connection.name)
  }

  subscribed(subscription: BrokerSubscription): void {
    this.#subscriptions.add(subscription.pattern, subscription)
  }

  unsubscribed(subscription: BrokerSubscription): void {
    this.#subscriptions.remove(subscription.pattern, subscription)
  }

  published(from: BrokerConnection, publication: Publication): void {
    if (from.isolated) return
    let interested = this.#subscriptions.match(publication.subject)
    if (this.#isolated.size > 0 || !from.echo) {
      interested = interested.filter(({ connection }) =>
        !connection.isolated && (from.echo || connection !== from)
      )
    }
    // By chance, as nats-server does: members in turn would follow the rhythm of the publishers.
    const chosen = recipients(interested, (count) => Math.floor(Math.random() * count))
    for (const subscription of chosen) subscription.connection.deliver(subscription, publication)
    if (chosen.length === 0 && publication.reply !== undefined && from.noResponders) {
      this.#refuse(from, publication.reply)
    }
  }

  gathered(connection: BrokerConnection): void {
    if (this.#unwritten.size === 0) setImmediate(() => this.#write())
    this.#unwritten.add(connection)
  }

  slow(): void {
    this.#slowConsumers++
  }

  closed(connection: BrokerConnection): void {
    this.connections.delete(connection)
  }

  /** Tells the publisher of a request that it has no subscriber. */
  #refuse(from: BrokerConnection, subject: string): void {
    const headerBytes = noResponders.length
    for (const subscription of this.#subscriptions.match(subject)) {
      if (subscription.connection !== from) continue
      from.deliver(subscription, { subject, reply: undefined, headerBytes, body: noResponders })
    }
  }

  #write(): void {
    const connections = [...this.#unwritten]
    this.#unwritten.clear()
    for (const connection of connections) connection.flush()
  }
}
