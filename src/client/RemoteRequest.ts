/**
 * Follows one request of a remote client from sending to answer: where it went, where else it may
 * go, and when to give up.
 */
import type { AnswerBody } from "../../schemas/ClientAnswer.ts"
import {
  isPassing,
  NoAnswer,
  type NodeUnavailable,
  type NodeUnwritable,
  type StoreError
} from "../core/model/StoreError.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { Waiting } from "../transport/InFlightRequests.ts"
import type { BackendRequest, BackendRespond } from "./Backend.ts"

export interface RemoteRequestOptions {
  readonly runtime: Runtime
  readonly number: number
  readonly request: BackendRequest
  readonly respond: BackendRespond
  readonly send: (request: RemoteRequest) => void
}

/** What a node is given when the request does not say; longer than the node's own default. */
const timeoutMillis = { read: 3_000, write: 5_000 } as const
/** The node's answer "time is up" says more than ours, so it is waited for. */
export const graceMillis = 500

type Refusal = NodeUnavailable | NodeUnwritable

/** What a node says that did nothing, and could not: others can. */
const isRefusal = (outcome: AnswerBody | StoreError): outcome is Refusal =>
  "_tag" in outcome
  && (outcome._tag === "NodeUnavailable" || outcome._tag === "NodeUnwritable")

export class RemoteRequest implements Waiting {
  readonly number: number
  readonly request: BackendRequest
  readonly deadline: number
  /** The request as JSON, with its number as id. */
  readonly text: string
  /** What `text` takes in UTF-8. */
  readonly bytes: number
  /** Nodes that were asked and did not answer, or could not. */
  readonly avoid = new Set<string>()
  /** The message that it last travelled in. */
  message = 0
  #node: NodeId | undefined
  #sentAt = 0
  #sendings = 0
  readonly #options: RemoteRequestOptions

  constructor(options: RemoteRequestOptions) {
    const { number, request, runtime } = options
    this.#options = options
    this.number = number
    this.request = request
    const millis = request.body.timeoutMillis ?? timeoutMillis[request.action]
    this.deadline = runtime.elapsed() + millis + graceMillis
    this.text = JSON.stringify({ ...request.body, id: number })
    this.bytes = Buffer.byteLength(this.text)
  }

  /** Sends, or sends again. A write stays with its node: another might apply it a second time. */
  resend(): void {
    const { body, action } = this.request
    if (this.#sendings > 0) {
      if (action === "read") {
        if (this.#node !== undefined) this.avoid.add(this.#node)
        // Any node takes what is sent to none: the next one would not know what the first did.
      } else if (body.operationId === undefined || this.#node === undefined) return
    }
    this.#options.send(this)
  }

  /** Where a write must go again; undefined where the choice is open. */
  get boundTo(): NodeId | undefined {
    return this.request.action === "write" && this.#sendings > 0 ? this.#node : undefined
  }

  sentTo(node: NodeId | undefined): void {
    this.#node = node
    this.#sentAt = this.#options.runtime.elapsed()
    this.#sendings++
  }

  /**
   * Nobody subscribes to where it was sent, so this sending was not carried out: it may go
   * elsewhere, unless it is a write of which an earlier sending was heard.
   */
  unheard(): NodeId | undefined {
    const node = this.#node
    if (this.#mayHaveApplied && this.#sendings > 1) return node
    if (node !== undefined) this.#goElsewhere(node)
    else {
      this.#sendings = 0
      this.#options.respond(this.#noAnswer("no node of the cluster answers"))
    }
    return node
  }

  #goElsewhere(node: NodeId): void {
    this.avoid.add(node)
    this.#node = undefined
    this.#sendings = 0
    this.#options.send(this)
  }

  /** Takes an answer; says whose it was, and how long it took, unless the node could not answer. */
  answer(
    outcome: AnswerBody | StoreError
  ): { readonly node: NodeId | undefined; readonly millis: number | undefined } {
    const node = this.#node
    const millis = this.#options.runtime.elapsed() - this.#sentAt
    if (isRefusal(outcome) && node !== undefined) {
      // One that comes late, or twice, of a node that was passed over already.
      if (outcome.node !== node && this.avoid.has(outcome.node)) return { node: undefined, millis }
      if (this.request.action === "read" || this.#sendings === 1) {
        this.#goElsewhere(node)
        return { node, millis: undefined }
      }
    }
    if (!("_tag" in outcome)) this.#options.respond({ _tag: "Answer", ...outcome })
    // The answer is one sending's; another may have been carried out.
    else if (this.#sendings > 1 && this.#mayHaveApplied && isPassing(outcome)) {
      this.#options.respond(this.#noAnswer(outcome.message))
    } else this.#options.respond(outcome)
    return { node, millis }
  }

  /** It cannot be sent at all. */
  refuse(error: StoreError): void {
    this.#options.respond(error)
  }

  expire(): void {
    this.#options.respond(this.#noAnswer("no answer in time"))
  }

  get #mayHaveApplied(): boolean {
    return this.request.action === "write" && this.#sendings > 0
  }

  #noAnswer(reason: string): NoAnswer {
    return new NoAnswer({ reason, mayHaveApplied: this.#mayHaveApplied })
  }
}
