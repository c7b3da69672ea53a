/**
 * Follows one request of a remote client from sending to answer: carries out the decision of
 * `SendDecision`, and writes the messages that it asks for.
 */
import * as Schema from "effect/Schema"
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import type { TaggedAnswer } from "../../schemas/ClientAnswer.ts"
import {
  AccessDenied,
  Cancelled,
  isPassing,
  NoAnswer,
  type Overloaded,
  type StoreError
} from "../core/model/StoreError.ts"
import { clientClosed } from "../core/model/Closed.ts"
import type { ClientLimits } from "../core/model/Limits.ts"
import { NodeId } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { Waiting } from "../transport/InFlightRequests.ts"
import type { Denial } from "../transport/Transport.ts"
import type { BackendRequest, BackendRespond } from "./Backend.ts"
import { namedBody } from "./NamedBody.ts"
import { RequestText } from "./RequestText.ts"
import * as SendDecision from "./SendDecision.ts"

export type WaitLimits = Pick<
  ClientLimits,
  "readTimeoutMillis" | "writeTimeoutMillis" | "graceMillis"
>

/** Shared by all requests of a client: the way to the nodes, and their known state. */
export interface RequestSender {
  readonly runtime: Pick<Runtime, "after" | "elapsed" | "random">
  readonly limits: WaitLimits & SendDecision.SendLimits & Pick<ClientLimits, "answerBytesMax">
  /** Names the client's own writes, together with the request's number. */
  readonly session: string
  /** The node to ask; undefined leaves it to the broker. */
  readonly nodeFor: (request: BackendRequest, avoid: ReadonlySet<string>) => NodeId | undefined
  /** The newest known mark of a node; empty where none is. */
  readonly markOf: (node: NodeId) => string
  /** Sends a message, or says why it cannot be sent at all. */
  readonly post: (text: RequestText, node: NodeId | undefined) => StoreError | undefined
  /** Called once for each request, before its outcome is passed on. */
  readonly ended: (request: RemoteRequest) => void
  readonly answered: (node: NodeId, millis: number) => void
  /** The node does not answer, or it cannot do its work. */
  readonly unreachable: (node: NodeId) => void
  /** A node had too much to do. */
  readonly shed: () => void
  /** Whether a request may be sent again; then it is counted. */
  readonly mayRetry: () => boolean
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
const none: ReadonlySet<NodeId> = new Set()

type Outcome = TaggedAnswer | StoreError

const isNodeId = Schema.is(NodeId)

const nodeIdOf = (name: string): NodeId | undefined => isNodeId(name) ? name : undefined

const namingOf = ({ action, body, id }: BackendRequest): SendDecision.Naming => {
  if (action === "read") return "read"
  return id === undefined && body.operationId === undefined ? "marked" : "named"
}

const openText = (body: RequestBody): string => JSON.stringify(body).slice(0, -1)

/**
 * The request as JSON, but for its end, which is another in each message. Marks are learnt here:
 * one that another client brings says nothing.
 */
const openTextOf = (request: BackendRequest): string => {
  const named = namedBody(request)
  if (named.mark === undefined && named.tried === undefined) return openText(named)
  const { mark: _mark, tried: _tried, ...own } = named
  return openText(own)
}

export class RemoteRequest implements Waiting {
  readonly number: number
  readonly request: BackendRequest
  readonly deadline: number
  readonly #sender: RequestSender
  readonly #respond: BackendRespond
  readonly #openText: string
  /** By attempt. */
  readonly #texts: Array<RequestText> = []
  #decision: SendDecision.SendDecision | undefined
  /** Says that the write may have applied, while another node may still tell. */
  #doubt: StoreError | undefined
  #sentAt = 0
  /** How often a node had too much to do. */
  #sheds = 0
  readonly #retryUntil: number

  /** `retryUntil`: a node that has too much to do is not asked again after this. */
  constructor(
    sender: RequestSender,
    number: number,
    request: BackendRequest,
    respond: BackendRespond,
    retryUntil = Infinity
  ) {
    this.#retryUntil = retryUntil
    this.#sender = sender
    this.#respond = respond
    this.number = number
    this.request = request
    const { action, body: { timeoutMillis } } = request
    const millis = waitMillis(sender.limits, { action, timeoutMillis })
    this.deadline = sender.runtime.elapsed() + millis
    this.#openText = openTextOf(request)
  }

  /** Sends the first message. */
  start(): void {
    this.#ask(this.#sender.nodeFor(this.request, none))
  }

  /** There is no answer in time. */
  resend(): void {
    const decision = this.#decision
    if (decision === undefined || decision.next._tag === "Pause") return
    if (!this.#sender.mayRetry()) return
    const node = decision.attempts[SendDecision.currentOf(decision)]!.node
    // Other requests go to another primary until it is heard again.
    if (node !== undefined) this.#sender.unreachable(node)
    this.#step({ _tag: "Late" }, "no answer in time")
  }

  /** The last sending of the message with this number reached no node. */
  undelivered(message: number): void {
    const attempt = this.#texts.findIndex((text) => text.message === message)
    const sent = this.#decision?.attempts[attempt]
    if (sent === undefined) return
    if (sent.node !== undefined) this.#sender.unreachable(sent.node)
    this.#step({ _tag: "Undelivered", attempt }, "no node of the cluster answers")
  }

  /** Nobody listened at this node when the broker got the message with this number. */
  gone(node: NodeId, message: number): void {
    for (const [attempt, text] of this.#texts.entries()) {
      const sent = this.#decision?.attempts[attempt]
      // A later message may have found the node that has started again.
      const isBefore = text.message > 0 && text.message <= message
      if (sent?.isAwaited !== true || sent.node !== node || !isBefore) continue
      this.#step({ _tag: "Gone", attempt }, "no node of the cluster answers")
    }
  }

  /** The number of the last message to this subject that the broker has not refused; else 0. */
  lastMessageTo(subject: string): number {
    let last = 0
    for (const text of this.#texts) {
      if (text.subject === subject && text.message > last) last = text.message
    }
    return last
  }

  /** The broker refused the message with this number: no node has got it. */
  denied(message: number, denial: Denial): void {
    const attempt = this.#texts.findIndex((text) => text.message === message)
    const text = this.#texts[attempt]
    if (text === undefined || this.#decision === undefined) return
    text.subject = ""
    const error = new AccessDenied({ ...denial, mayHaveApplied: false })
    this.#step({ _tag: "Denied", attempt }, error.message, error)
  }

  /** The broker lets no answer through to this client. */
  cutOff(denial: Denial): void {
    if (this.#decision === undefined) return
    this.#end(new AccessDenied({ ...denial, mayHaveApplied: this.#mayHaveApplied() }))
  }

  /** The client is closed: no answer is waited for. */
  close(): void {
    if (this.#decision !== undefined) this.#end(clientClosed(this.#mayHaveApplied()))
  }

  /** The caller wants no answer any more. */
  cancel(): void {
    if (this.#decision === undefined) return
    this.#end(new Cancelled({ mayHaveApplied: this.#mayHaveApplied() }))
  }

  /** Takes a node's answer to an attempt, which may end the request. */
  answer(outcome: Outcome, attempt: number): void {
    const { answered, runtime, unreachable } = this.#sender
    const decision = this.#decision
    const sent = decision?.attempts[attempt]
    if (decision === undefined || sent === undefined) return
    if (outcome._tag === "Overloaded") return this.#shed(attempt, outcome)
    const node = sent.node
    const canMove = outcome._tag === "NodeUnavailable" || outcome._tag === "NodeUnwritable"
    if (node !== undefined && canMove) unreachable(node)
    else if (node !== undefined && attempt === decision.attempts.length - 1) {
      answered(node, runtime.elapsed() - this.#sentAt)
    }
    if (outcome._tag === "Answer") return this.#end(outcome)
    if (outcome._tag === "StaleMark") {
      const from = node ?? nodeIdOf(outcome.node)
      // An error that cannot be read is as good as lost.
      if (from === undefined) return
      return this.#step({ _tag: "StaleMark", attempt, node: from }, outcome.message)
    }
    const event = refusalOf(outcome, attempt)
    if (event._tag === "InDoubt") this.#doubt = outcome
    this.#step(event, outcome.message, outcome)
  }

  /** The message with this number was refused as a whole, and not read. */
  refused(message: number, error: Overloaded): void {
    const attempt = this.#texts.findIndex((text) => text.message === message)
    if (attempt !== -1) this.#shed(attempt, error)
  }

  #shed(attempt: number, error: Overloaded): void {
    this.#sheds++
    this.#sender.shed()
    this.#step({ _tag: "Shed", attempt }, error.message, error)
  }

  expire(): void {
    this.#step({ _tag: "Deadline" }, "no answer in time")
  }

  #step(event: SendDecision.SendEvent, reason: string, outcome?: StoreError): void {
    if (this.#decision === undefined) return
    this.#decision = SendDecision.step(this.#decision, event, this.#sender.limits)
    const { attempts, next } = this.#decision
    switch (next._tag) {
      case "Wait":
        return
      case "Again": {
        const current = SendDecision.currentOf(this.#decision)
        return this.#post(this.#texts[current]!, attempts[current]!.node)
      }
      case "Ask":
        return this.#ask(next.node)
      case "AskAnother": {
        const node = this.#sender.nodeFor(this.request, this.#decision.avoid)
        if (node !== undefined || next.orElse === "any") return this.#ask(node)
        return this.#step({ _tag: "NoOther" }, reason, outcome)
      }
      case "Pause":
        return this.#pause(outcome)
      case "Pass":
        return this.#end(outcome ?? new NoAnswer({ reason, mayHaveApplied: false }))
      case "Fail":
        return this.#end(
          this.#doubt ?? new NoAnswer({ reason, mayHaveApplied: next.mayHaveApplied })
        )
    }
  }

  /** Waits before another node is asked, or ends where there is no time for that. */
  #pause(outcome: StoreError | undefined): void {
    const { mayRetry, runtime } = this.#sender
    const hint = outcome?._tag === "Overloaded" ? outcome.retryAfterMillis : 0
    // Doubled each time, and spread, so that those who were refused together come back apart.
    const millis = hint * 2 ** (this.#sheds - 1) * (0.5 + runtime.random())
    const isInTime = runtime.elapsed() + millis < Math.min(this.#retryUntil, this.deadline)
    if (!isInTime || !mayRetry()) return this.#step({ _tag: "NoPause" }, "", outcome)
    runtime.after(millis, () => this.#step({ _tag: "Resume" }, "no node takes it", outcome))
  }

  /** Makes a message for a node, or for any, and sends it. */
  #ask(node: NodeId | undefined): void {
    const { markOf } = this.#sender
    const before = this.#decision
    const naming = before?.naming ?? namingOf(this.request)
    const mark = naming !== "marked" ? undefined : node === undefined ? "" : markOf(node)
    const text = new RequestText(this.request, this.#openText, this.#restOf(mark))
    this.#texts.push(text)
    this.#decision = before === undefined
      ? SendDecision.make(naming, { node, mark })
      : SendDecision.step(before, { _tag: "Sent", node, mark }, this.#sender.limits)
    this.#post(text, node)
  }

  /** The end of a message, behind the request itself. */
  #restOf(mark: string | undefined): string {
    const { limits: { answerBytesMax, attemptsMax }, session } = this.#sender
    const id = this.number * attemptsMax + this.#texts.length
    const open = `,"id":${id},"answerBytesMax":${answerBytesMax}`
    if (mark === undefined) return `${open}}`
    const tried = this.#decision === undefined ? [] : SendDecision.triedOf(this.#decision)
    const others = tried.length === 0 ? "" : `,"tried":${JSON.stringify(tried)}`
    const operationId = `"operationId":{"session":"${session}","sequence":${this.number}}`
    return `${open},${operationId},"mark":"${mark}"${others}}`
  }

  /** A request that was not sent has not been done, and a read changes nothing. */
  #mayHaveApplied(): boolean {
    if (this.request.action === "read") return false
    const attempts = this.#decision?.attempts ?? []
    return attempts.some(({ isOpen }, i) => isOpen && (this.#texts[i]?.message ?? 0) > 0)
  }

  #post(text: RequestText, node: NodeId | undefined): void {
    this.#sentAt = this.#sender.runtime.elapsed()
    const error = this.#sender.post(text, node)
    if (error !== undefined) this.#step({ _tag: "Unsendable" }, error.message, error)
  }

  #end(outcome: Outcome): void {
    this.#decision = undefined
    for (const text of this.#texts) text.isOver = true
    this.#sender.ended(this)
    this.#respond(outcome)
  }
}

/** An error that is an answer to one attempt, as an event. */
const refusalOf = (error: StoreError, attempt: number): SendDecision.SendEvent => {
  switch (error._tag) {
    case "NodeUnavailable":
    case "NodeUnwritable":
      return { _tag: "Refused", attempt, node: nodeIdOf(error.node), canMove: true }
    default:
      return !isPassing(error) && "mayHaveApplied" in error
        ? { _tag: "InDoubt", attempt }
        : { _tag: "Refused", attempt, node: undefined, canMove: false }
  }
}
