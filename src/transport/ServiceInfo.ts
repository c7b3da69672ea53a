/**
 * Shows a node to `nats micro ls`, `info` and `stats`: it answers NATS's own questions for
 * services, to all services, to all nodes, and to itself.
 *
 * @see https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-32.md
 */
import { isReplySubject } from "./Subjects.ts"
import type { Message, Subscription, TransportService } from "./Transport.ts"

/** The counts of one kind of request so far. */
export interface EndpointStats {
  readonly requests: number
  /** Requests that were answered with an error. */
  readonly errors: number
  /** The name of its kind, without a client's text; empty where there was none. */
  readonly lastError: string
  /** From their arrival to their answers, summed over all requests. */
  readonly processingMillis: number
}

export interface Endpoint {
  readonly name: string
  readonly subject: string
  readonly queue: string
  readonly stats: () => EndpointStats
}

export interface ServiceInfoOptions {
  readonly transport: TransportService
  /** A token of a subject; no other instance may have it. */
  readonly id: string
  readonly version: string
  /** When this instance started, in ISO 8601. */
  readonly started: string
  /** Asked for each answer, as it may change. */
  readonly metadata: () => Readonly<Record<string, string>>
  readonly endpoints: ReadonlyArray<Endpoint>
}

export const serviceName = "everwrite"

const description = "Buckets of an always-writable document store"

const encoder = new TextEncoder()

const typeOf = (verb: string): string => `io.nats.micro.v1.${verb}_response`

const infoOf = ({ name, queue, subject }: Endpoint) => ({
  name,
  subject,
  queue_group: queue,
  metadata: {}
})

const statsOf = (endpoint: Endpoint) => {
  const { errors, lastError, processingMillis, requests } = endpoint.stats()
  const nanos = Math.round(processingMillis * 1e6)
  return {
    name: endpoint.name,
    subject: endpoint.subject,
    queue_group: endpoint.queue,
    num_requests: requests,
    num_errors: errors,
    last_error: lastError,
    processing_time: nanos,
    average_processing_time: requests === 0 ? 0 : Math.round(nanos / requests)
  }
}

export class ServiceInfo {
  readonly #subscriptions: ReadonlyArray<Subscription>

  constructor(options: ServiceInfoOptions) {
    const { endpoints, id, metadata, started, transport, version } = options
    const instance = () => ({ name: serviceName, id, version, metadata: metadata() })
    const answers: Readonly<Record<string, () => object>> = {
      PING: () => ({ type: typeOf("ping"), ...instance() }),
      INFO: () => ({
        type: typeOf("info"),
        ...instance(),
        description,
        endpoints: endpoints.map(infoOf)
      }),
      STATS: () => ({
        type: typeOf("stats"),
        ...instance(),
        started,
        endpoints: endpoints.map(statsOf)
      })
    }
    this.#subscriptions = Object.entries(answers).flatMap(([verb, answer]) =>
      ["", `.${serviceName}`, `.${serviceName}.${id}`].map((level) =>
        transport.subscribe(`$SRV.${verb}${level}`, ({ reply }: Message) => {
          if (reply !== undefined && isReplySubject(reply)) {
            transport.publish(reply, encoder.encode(JSON.stringify(answer())))
          }
        })
      )
    )
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.close()
  }
}
