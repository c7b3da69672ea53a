/**
 * Asks the cluster single questions over NATS, each with a reply subject of its own: for people and
 * for starting up. Requests of programs are gathered instead (`NatsBackend`).
 *
 * A question that is not answered is asked again, of another node: the broker goes on to deliver
 * to a node that hangs, also where it chooses between all. The first answer counts.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ErrorBody } from "../../schemas/ClientAnswer.ts"
import * as Json from "../core/codec/Json.ts"
import { clientClosed } from "../core/model/Closed.ts"
import { AccessDenied, NoAnswer, type StoreError } from "../core/model/StoreError.ts"
import type { ClientLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Cancel, Runtime } from "../core/Runtime.ts"
import type { Denial, Message, Subscription, TransportService } from "../transport/Transport.ts"

export interface Question<A> {
  /** The nodes to ask, in order; any after that. */
  readonly nodes: ReadonlyArray<NodeId>
  /** Of one node, or of any. */
  readonly subject: (node: NodeId | undefined) => string
  readonly body: object
  readonly timeoutMillis: number
  /** How long an answer is waited for before it is asked again. */
  readonly pauseMillis: (asked: number) => number
  /** Told of a node that has not answered in that time, or is gone. */
  readonly late?: (node: NodeId) => void
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
  /** To which it was sent last. */
  subject: string
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
    const nodes = question.nodes.values()
    let asked = 0
    let node: NodeId | undefined
    let cancelAgain: Cancel | undefined
    const end = (outcome: A | StoreError) => {
      this.#waiting.delete(reply)
      cancel()
      cancelAgain?.()
      respond(outcome)
    }
    const noAnswer = new NoAnswer({
      reason: "no node of the cluster answers",
      mayHaveApplied: false
    })
    const cancel = this.#runtime.after(question.timeoutMillis, () => end(noAnswer))
    const hear = (message: Message): void => {
      if (message.noResponders) return node === undefined ? end(noAnswer) : again()
      const data = this.#whole(message.data)
      // A part of an answer came: its node is at work.
      if (data === undefined) return againLater()
      const json = parse(data)
      const error = decodeError(json)
      if (Result.isSuccess(error)) return end(error.success.error)
      const answer = question.decode(json)
      end(Result.isSuccess(answer) ? answer.success : noAnswer)
    }
    const waiting: Waiting = { subject: "", hear, end }
    this.#waiting.set(reply, waiting)
    const body = { ...question.body, answerBytesMax: this.#answerBytesMax }
    const bytes = encoder.encode(JSON.stringify(body))
    const againLater = () => {
      cancelAgain?.()
      cancelAgain = this.#runtime.after(question.pauseMillis(asked), again)
    }
    const send = () => {
      node = nodes.next().value
      asked++
      waiting.subject = question.subject(node)
      againLater()
      this.#transport.publish(waiting.subject, bytes, reply)
    }
    const again = () => {
      if (node !== undefined) question.late?.(node)
      send()
    }
    send()
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
