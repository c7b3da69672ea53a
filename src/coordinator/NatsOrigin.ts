/**
 * Follows one request that came over NATS: the reply subject that its answer goes to, and the
 * endpoint that it is counted under.
 */
import { errorText, type Sender } from "../../schemas/ClientAnswer.ts"
import type { StoreError } from "../core/model/StoreError.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { EndpointStats } from "../transport/ServiceInfo.ts"
import type { ReplyOutbox, ReplyTo } from "./ReplyOutbox.ts"
import type { AnswerAddress } from "./Request.ts"

/** Counts of an endpoint, which only grow. */
export type Stats = { -readonly [Field in keyof EndpointStats]: EndpointStats[Field] }

export const noStats = (): Stats => ({
  requests: 0,
  errors: 0,
  lastError: "",
  processingMillis: 0
})

interface Arrival {
  readonly runtime: Pick<Runtime, "elapsed">
  readonly outbox: ReplyOutbox
  readonly stats: Stats
  readonly to: ReplyTo
}

type TextOf<A> = (id: number | undefined, answer: A, sender: Sender | undefined) => string

export class NatsOrigin<A extends object> implements AnswerAddress<A> {
  readonly #arrival: Arrival
  readonly #textOf: TextOf<A>
  readonly #arrivedAt: number

  constructor(arrival: Arrival, textOf: TextOf<A>) {
    this.#arrival = arrival
    this.#textOf = textOf
    this.#arrivedAt = arrival.runtime.elapsed()
    arrival.stats.requests++
  }

  deliver(outcome: A | StoreError, sender?: Sender): void {
    const { outbox, runtime, stats, to } = this.#arrival
    stats.processingMillis += runtime.elapsed() - this.#arrivedAt
    if (!(outcome instanceof Error)) return outbox.send(to, this.#textOf(to.id, outcome, sender))
    stats.errors++
    // Anyone may ask for the counts: an error's message would show them clients' keys and values.
    stats.lastError = outcome._tag
    outbox.send(to, errorText(to.id, outcome, sender))
  }
}
