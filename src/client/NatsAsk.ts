/**
 * Asks the cluster single questions over NATS, each with a reply subject of its own: for people and
 * for starting up. Requests of programs are gathered instead (`NatsBackend`).
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ErrorBody } from "../../schemas/ClientAnswer.ts"
import * as Json from "../core/codec/Json.ts"
import { clientClosed } from "../core/model/Closed.ts"
import { AccessDenied, NoAnswer, type StoreError } from "../core/model/StoreError.ts"
import type { ClientLimits } from "../core/model/Limits.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { Denial, Message, Subscription, TransportService } from "../transport/Transport.ts"

export interface Question<A> {
  readonly subject: string
  readonly body: object
  readonly timeoutMillis: number
  /** The answer in the reply's JSON, or why it is none. */
  readonly decode: (json: unknown) => Result.Result<A, unknown>
}

const decodeError = Schema.decodeUnknownResult(ErrorBody)
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The JSON of a message, or undefined where it is none. */
export const parse = (data: Uint8Array): unknown => Json.read(decoder.decode(data))

export interface NatsAskOptions {
  readonly runtime: Runtime
  readonly transport: TransportService
  /** Why no answer reaches this client; undefined where answers do. */
  readonly inboxDenial: () => Denial | undefined
  readonly limits: Pick<ClientLimits, "answerBytesMax">
  /** The answer in a message, or the one that it completes; undefined while parts are missing. */
  readonly whole: (data: Uint8Array) => Uint8Array | undefined
}

interface Waiting {
  readonly subject: string
  readonly hear: (message: Message) => void
  readonly end: (outcome: StoreError) => void
}

/** A question changes nothing. */
const deniedBy = (denial: Denial) => new AccessDenied({ ...denial, mayHaveApplied: false })

export class NatsAsk {
  readonly #runtime: Runtime
  readonly #transport: TransportService
  readonly #answerBytesMax: number
  readonly #whole: NatsAskOptions["whole"]
  readonly #inbox: string
  #subscription: Subscription
  readonly #waiting = new Map<string, Waiting>()
  readonly #inboxDenial: () => Denial | undefined
  #questions = 0
  #isClosed = false

  constructor(options: NatsAskOptions) {
    this.#inboxDenial = options.inboxDenial
    this.#answerBytesMax = options.limits.answerBytesMax
    this.#whole = options.whole
    this.#runtime = options.runtime
    this.#transport = options.transport
    this.#inbox = options.transport.newInbox()
    this.#subscription = this.#subscribe()
  }

  /** Answers once: with the answer, a node's error, `AccessDenied`, or `NoAnswer`. */
  ask<A>(question: Question<A>, respond: (outcome: A | StoreError) => void): void {
    if (this.#isClosed) return respond(clientClosed())
    const denial = this.#inboxDenial()
    if (denial !== undefined) return respond(deniedBy(denial))
    const reply = `${this.#inbox}.${++this.#questions}`
    const end = (outcome: A | StoreError) => {
      this.#waiting.delete(reply)
      cancel()
      respond(outcome)
    }
    const noAnswer = new NoAnswer({
      reason: "no node of the cluster answers",
      mayHaveApplied: false
    })
    const cancel = this.#runtime.after(question.timeoutMillis, () => end(noAnswer))
    const hear = (message: Message): void => {
      if (message.noResponders) return end(noAnswer)
      const data = this.#whole(message.data)
      if (data === undefined) return
      const json = parse(data)
      const error = decodeError(json)
      if (Result.isSuccess(error)) return end(error.success.error)
      const answer = question.decode(json)
      end(Result.isSuccess(answer) ? answer.success : noAnswer)
    }
    this.#waiting.set(reply, { subject: question.subject, hear, end })
    const body = { ...question.body, answerBytesMax: this.#answerBytesMax }
    this.#transport.publish(question.subject, encoder.encode(JSON.stringify(body)), reply)
  }

  /** Ends the questions that the broker refused: those to its subject, or all. */
  denied(denial: Denial): void {
    const error = deniedBy(denial)
    for (const { end, subject } of this.#waiting.values()) {
      if (denial.right !== "publish" || denial.subject === subject) end(error)
    }
  }

  /** Subscribes again, after the broker refused it. */
  resubscribe(): void {
    this.#subscription.close()
    this.#subscription = this.#subscribe()
  }

  isInbox(pattern: string): boolean {
    return pattern === `${this.#inbox}.*`
  }

  /** Ends every question, and fails those that follow. */
  close(): void {
    this.#isClosed = true
    for (const { end } of this.#waiting.values()) end(clientClosed())
    this.#subscription.close()
  }

  #subscribe(): Subscription {
    return this.#transport.subscribe(
      `${this.#inbox}.*`,
      (message) => this.#waiting.get(message.subject)?.hear(message)
    )
  }
}
