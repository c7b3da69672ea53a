/**
 * Asks the cluster single questions over NATS, each with a reply subject of its own: for people and
 * for starting up. Requests of programs are gathered instead (`NatsBackend`).
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ErrorBody } from "../../schemas/ClientAnswer.ts"
import * as Json from "../core/codec/Json.ts"
import { NoAnswer, type StoreError } from "../core/model/StoreError.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { Message, Subscription, TransportService } from "../transport/Transport.ts"

export interface Question<A> {
  readonly subject: string
  readonly body: unknown
  readonly timeoutMillis: number
  /** The answer in the reply's JSON, or why it is none. */
  readonly decode: (json: unknown) => Result.Result<A, unknown>
}

const decodeError = Schema.decodeUnknownResult(ErrorBody)
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The JSON of a message, or undefined where it is none. */
export const parse = (data: Uint8Array): unknown => Json.read(decoder.decode(data))

export class NatsAsk {
  readonly #runtime: Runtime
  readonly #transport: TransportService
  readonly #inbox: string
  readonly #subscription: Subscription
  readonly #waiting = new Map<string, (message: Message) => void>()
  #questions = 0

  constructor(options: { readonly runtime: Runtime; readonly transport: TransportService }) {
    this.#runtime = options.runtime
    this.#transport = options.transport
    this.#inbox = options.transport.newInbox()
    this.#subscription = options.transport.subscribe(
      `${this.#inbox}.*`,
      (message) => this.#waiting.get(message.subject)?.(message)
    )
  }

  /** Answers once: with the answer, a node's error, or `NoAnswer`. */
  ask<A>(question: Question<A>, respond: (outcome: A | StoreError) => void): void {
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
    this.#waiting.set(reply, (message) => {
      if (message.noResponders) return end(noAnswer)
      const json = parse(message.data)
      const error = decodeError(json)
      if (Result.isSuccess(error)) return end(error.success.error)
      const answer = question.decode(json)
      end(Result.isSuccess(answer) ? answer.success : noAnswer)
    })
    const body = encoder.encode(JSON.stringify(question.body))
    this.#transport.publish(question.subject, body, reply)
  }

  close(): void {
    this.#subscription.close()
  }
}
