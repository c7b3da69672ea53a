/**
 * Follows one request of a remote client from sending to answer: where it went, where else it may
 * go, and when to give up.
 */
import type { TaggedAnswer } from "../../schemas/ClientAnswer.ts"
import {
  isPassing,
  NoAnswer,
  type NodeUnavailable,
  type NodeUnwritable,
  type StoreError
} from "../core/model/StoreError.ts"
import type { ClientLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { Waiting } from "../transport/InFlightRequests.ts"
import type { BackendRequest, BackendRespond } from "./Backend.ts"

export type WaitLimits = Pick<
  ClientLimits,
  "readTimeoutMillis" | "writeTimeoutMillis" | "graceMillis"
>

/** Shared by all requests of a client: the way to the nodes, and their known state. */
export interface RequestSender {
  readonly runtime: Pick<Runtime, "elapsed">
  readonly limits: WaitLimits
  readonly send: (request: RemoteRequest) => void
  /** Called once for each request, before its outcome is passed on. */
  readonly ended: (request: RemoteRequest) => void
  readonly answered: (node: NodeId, millis: number) => void
  /** The node does not answer, or it cannot do its work. */
  readonly unreachable: (node: NodeId) => void
}

/** How long the client waits for an answer: longer than the node, whose answer says more. */
export const waitMillis = (
  { graceMillis, readTimeoutMillis, writeTimeoutMillis }: WaitLimits,
  { action, timeoutMillis }: {
    readonly action: BackendRequest["action"]
    readonly timeoutMillis: number | undefined
  }
): number =>
  graceMillis + (timeoutMillis ?? (action === "read" ? readTimeoutMillis : writeTimeoutMillis))

/** Most requests avoid no node: they share this set. */
const none: ReadonlySet<string> = new Set()

type Refusal = NodeUnavailable | NodeUnwritable

/** A node refuses so before it does anything, and for a reason of its own: others can serve. */
const isRefusal = (outcome: TaggedAnswer | StoreError): outcome is Refusal =>
  outcome._tag === "NodeUnavailable" || outcome._tag === "NodeUnwritable"

export class RemoteRequest implements Waiting {
  readonly number: number
  readonly request: BackendRequest
  readonly deadline: number
  /** The request as JSON, with its number as id. */
  readonly text: string
  /** Bytes of `text` in UTF-8. */
  readonly bytes: number
  /** The message that it last travelled in. */
  message = 0
  readonly #sender: RequestSender
  readonly #respond: BackendRespond
  #avoid = none
  #node: NodeId | undefined
  #sentAt = 0
  #sendings = 0

  constructor(
    sender: RequestSender,
    number: number,
    request: BackendRequest,
    respond: BackendRespond
  ) {
    this.#sender = sender
    this.#respond = respond
    this.number = number
    this.request = request
    const { action, body: { timeoutMillis } } = request
    const millis = waitMillis(sender.limits, { action, timeoutMillis })
    this.deadline = sender.runtime.elapsed() + millis
    this.text = JSON.stringify({ ...request.body, id: number })
    this.bytes = Buffer.byteLength(this.text)
  }

  /** Sends, or sends again. A write stays with its node: another might apply it a second time. */
  resend(): void {
    if (this.#sendings > 0) {
      if (this.request.action === "read") {
        if (this.#node !== undefined) this.#pass(this.#node)
        // Any node takes a write sent to none: the next would not know what the first one did.
      } else if (this.request.body.operationId === undefined || this.#node === undefined) return
    }
    this.#sender.send(this)
  }

  /** Where a write must go again; undefined where the choice is open. */
  get boundTo(): NodeId | undefined {
    return this.request.action === "write" && this.#sendings > 0 ? this.#node : undefined
  }

  /** Nodes that were asked and did not answer, or refused. */
  get avoid(): ReadonlySet<string> {
    return this.#avoid
  }

  sentTo(node: NodeId | undefined): void {
    this.#node = node
    this.#sentAt = this.#sender.runtime.elapsed()
    this.#sendings++
  }

  /**
   * The subject of the last sending has no subscriber, so no node carried that one out: the request
   * may go elsewhere, unless it is a write of which an earlier sending reached its node.
   */
  unreachable(): void {
    const node = this.#node
    const stays = this.#mayHaveApplied && this.#sendings > 1
    if (node !== undefined) {
      this.#sender.unreachable(node)
      if (!stays) this.#goElsewhere(node)
    } else if (!stays) {
      this.#sendings = 0
      this.#end(this.#noAnswer("no node of the cluster answers"))
    }
  }

  #goElsewhere(node: NodeId): void {
    this.#pass(node)
    this.#node = undefined
    this.#sendings = 0
    this.#sender.send(this)
  }

  /** Takes a node's answer, which ends the request unless another node can serve it. */
  answer(outcome: TaggedAnswer | StoreError): void {
    const node = this.#node
    if (node !== undefined && isRefusal(outcome)) {
      // It comes late, or twice, from a node that was passed over already.
      if (outcome.node !== node && this.#avoid.has(outcome.node)) return
      if (this.request.action === "read" || this.#sendings === 1) {
        this.#sender.unreachable(node)
        return this.#goElsewhere(node)
      }
    }
    if (node !== undefined) {
      this.#sender.answered(node, this.#sender.runtime.elapsed() - this.#sentAt)
    }
    // The answer is one sending's; another may have been carried out.
    const isOpen = this.#sendings > 1 && this.#mayHaveApplied
    if (isOpen && outcome._tag !== "Answer" && isPassing(outcome)) {
      this.#end(this.#noAnswer(outcome.message))
    } else this.#end(outcome)
  }

  /** It cannot be sent at all. */
  refuse(error: StoreError): void {
    this.#end(error)
  }

  expire(): void {
    this.#end(this.#noAnswer("no answer in time"))
  }

  #end(outcome: TaggedAnswer | StoreError): void {
    this.#sender.ended(this)
    this.#respond(outcome)
  }

  #pass(node: NodeId): void {
    this.#avoid = new Set(this.#avoid).add(node)
  }

  get #mayHaveApplied(): boolean {
    return this.request.action === "write" && this.#sendings > 0
  }

  #noAnswer(reason: string): NoAnswer {
    return new NoAnswer({ reason, mayHaveApplied: this.#mayHaveApplied })
  }
}
