/**
 * Follows one request that came over NATS: the reply subject that its answer goes to, and the
 * endpoint that it is counted under.
 */
import { answerText, bareErrorText, errorText, unshownText } from "../../schemas/AnswerText.ts"
import type { Sender } from "../../schemas/ClientAnswer.ts"
import type { Explanation } from "../../schemas/Explanation.ts"
import type { KeyPage } from "../../schemas/KeyPage.ts"
import { mayHaveApplied, NoAnswer, type StoreError } from "../core/model/StoreError.ts"
import type { Runtime } from "../core/Runtime.ts"
import { statusOf } from "../../schemas/Problem.ts"
import { visible } from "../core/model/VisibleText.ts"
import type { ServiceFault } from "../transport/Transport.ts"
import type { EndpointStats } from "../transport/ServiceInfo.ts"
import type { Reply, ReplyOutbox, ReplyTo } from "./ReplyOutbox.ts"
import type { Answer, AnswerAddress } from "./Request.ts"

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

/** The text of an answer. */
export type ReplyOf<A> = (id: number | undefined, answer: A, sender: Sender | undefined) => Reply

/** The answer to a read or a write of a document. */
export const documentReply = (isRead: boolean): ReplyOf<Answer> => (id, answer, sender) => {
  const text = answerText(id, answer, sender)
  if (isRead) return { text }
  return {
    text,
    shorter: () => ({
      text: unshownText(id, answer, sender),
      shorter: () => ({ text: errorText(id, doneAtLength(sender), sender) })
    })
  }
}

export const explanationReply = (id: number | undefined, explanation: Explanation): Reply => ({
  text: JSON.stringify({ id, explanation })
})

export const pageReply = (id: number | undefined, page: KeyPage): Reply => ({
  text: JSON.stringify({ id, page })
})

/** The error of a request, and where it is long its name alone. */
export const errorReply = (
  { id, isBatched }: Pick<ReplyTo, "id" | "isBatched">,
  error: StoreError,
  sender?: Sender
): Reply => {
  const shorter = () => ({ text: errorText(id, shortened(error, sender), sender) })
  if (isBatched) return { text: errorText(id, error, sender), shorter }
  return { text: bareErrorText(id, error, sender), shorter, fault: faultOf(error) }
}

const descriptionLengthMax = 200

/** As a header holds it: one line. */
const faultOf = (error: StoreError): ServiceFault => ({
  code: statusOf[error._tag][0],
  description: visible(`${error._tag}: ${error.message}`).slice(0, descriptionLengthMax)
})

const by = (sender: Sender | undefined): string =>
  sender === undefined ? "a node" : `node ${sender.node}`

/** Even the context is more than the client takes. */
const doneAtLength = (sender: Sender | undefined): NoAnswer => {
  const reason = `${by(sender)} has carried out the write, and its context is more than the client `
    + "takes: read with answerBytesMax"
  return new NoAnswer({ reason, mayHaveApplied: true })
}

const shortened = (error: StoreError, sender: Sender | undefined): NoAnswer => {
  const reason = `${by(sender)} answers ${error._tag}, whose text is more than the client takes`
  return new NoAnswer({ reason, mayHaveApplied: mayHaveApplied(error) })
}

export class NatsOrigin<A extends object> implements AnswerAddress<A> {
  readonly #arrival: Arrival
  readonly #replyOf: ReplyOf<A>
  readonly #arrivedAt: number

  constructor(arrival: Arrival, replyOf: ReplyOf<A>) {
    this.#arrival = arrival
    this.#replyOf = replyOf
    this.#arrivedAt = arrival.runtime.elapsed()
    arrival.stats.requests++
  }

  deliver(outcome: A | StoreError, sender?: Sender): void {
    const { outbox, runtime, stats, to } = this.#arrival
    stats.processingMillis += runtime.elapsed() - this.#arrivedAt
    if (!(outcome instanceof Error)) return outbox.send(to, this.#replyOf(to.id, outcome, sender))
    stats.errors++
    // Anyone may ask for the counts: an error's message would show them clients' keys and values.
    stats.lastError = outcome._tag
    outbox.send(to, errorReply(to, outcome, sender))
  }
}
