/**
 * Carries a client's requests to the nodes over NATS, straight to a primary of the document.
 *
 * A node whose subject has no subscriber is passed over. A write that was lost is sent again to the
 * same node, and then to another one; a node recognises it by its operation id. The id in a reply
 * tells the request and its attempt.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { readId, readOutcome, readSender } from "../../schemas/AnswerText.ts"
import type { ClusterDescription } from "../../schemas/ClusterDescription.ts"
import { ExplanationReply } from "../../schemas/Explanation.ts"
import { KeyPageReply } from "../../schemas/KeyPage.ts"
import { InFlightRequests } from "../transport/InFlightRequests.ts"
import * as Errors from "../core/model/StoreError.ts"
import { type ClientLimits, lan } from "../core/model/Limits.ts"
import type { ClusterName, NodeId } from "../core/model/Names.ts"
import { isOperationName, operationOf } from "../core/model/OperationName.ts"
import type { Runtime } from "../core/Runtime.ts"
import { type RequestSubject, Subjects } from "../transport/Subjects.ts"
import type { Denial, Message, Subscription, TransportService } from "../transport/Transport.ts"
import type { Backend, BackendRequest, BackendRespond } from "./Backend.ts"
import { AnswerReassembly } from "./AnswerReassembly.ts"
import { NatsAsk, parse } from "./NatsAsk.ts"
import { NodeMarks } from "./NodeMarks.ts"
import { nodeQuestions } from "./NodeQuestions.ts"
import { NodeSelector } from "./NodeSelector.ts"
import { RemoteRequest, type RequestSender } from "./RemoteRequest.ts"
import { probeText } from "./Probe.ts"
import { messageOf, nodeOf } from "./ReplySubject.ts"
import { RequestOutbox } from "./RequestOutbox.ts"
import { RequestQueue } from "./RequestQueue.ts"
import type { RequestText } from "./RequestText.ts"
import { RetryBudget } from "./RetryBudget.ts"
import type { Task } from "./Task.ts"

export interface NatsBackendOptions {
  readonly runtime: Runtime
  readonly transport: TransportService
  readonly cluster: ClusterName
  /** Those of a local network unless others are given. */
  readonly limits?: ClientLimits
}

const decodeExplanation = Schema.decodeUnknownResult(ExplanationReply)
const decodePage = Schema.decodeUnknownResult(KeyPageReply)

/** A request for which there is room now. */
interface Begun {
  readonly request: BackendRequest
  readonly respond: BackendRespond
  /** A node that has too much to do is not asked again after this. */
  readonly retryUntil: number
  readonly now: number
}

export class NatsBackend implements Backend {
  /** The cluster as it described itself when the client connected. */
  description: ClusterDescription | undefined
  readonly runtime: Runtime
  readonly describe: Backend["describe"]
  readonly sync: Required<Backend>["sync"]
  readonly hints: Required<Backend>["hints"]
  readonly status: Required<Backend>["status"]
  readonly #limits: ClientLimits
  readonly #subjects: Subjects
  readonly #inbox: string
  readonly #transport: TransportService
  readonly #listeners: ReadonlyArray<Subscription | undefined>
  #subscription: Subscription
  /** Why the broker lets no answer through. */
  #denial: Denial | undefined
  readonly #pending: InFlightRequests<RemoteRequest>
  readonly #queue: RequestQueue
  readonly #retries: RetryBudget
  readonly #outbox: RequestOutbox
  readonly #sender: RequestSender
  readonly #ask: NatsAsk
  readonly #parts: AnswerReassembly
  readonly #selector: NodeSelector
  readonly #marks: NodeMarks

  constructor(options: NatsBackendOptions) {
    const { cluster, limits = lan.client, transport, runtime } = options
    this.runtime = runtime
    this.#limits = limits
    this.#subjects = new Subjects(cluster)
    this.#pending = new InFlightRequests({ runtime, limits })
    this.#queue = new RequestQueue({ runtime, limits, flush: transport.flush })
    this.#retries = new RetryBudget(limits)
    this.#selector = new NodeSelector(
      runtime,
      limits,
      (request, node) => this.#probe(request, node)
    )
    this.#marks = new NodeMarks(runtime, limits)
    this.#parts = new AnswerReassembly({
      runtime,
      limits,
      heard: (id) => this.#pending.postpone(Math.floor(id / limits.attemptsMax))
    })
    this.#ask = new NatsAsk({
      runtime,
      transport,
      limits,
      inboxDenial: () => this.#denial,
      whole: (data) => this.#parts.whole(data)
    })
    const questions = nodeQuestions({ ask: this.#ask, subjects: this.#subjects, limits })
    this.describe = questions.describe
    this.sync = questions.sync
    this.hints = questions.hints
    this.status = questions.status
    this.#transport = transport
    this.#inbox = transport.newInbox()
    this.#outbox = new RequestOutbox({ runtime, transport, cluster, inbox: this.#inbox, limits })
    this.#sender = {
      runtime,
      limits,
      session: runtime.id(),
      nodeFor: (request, avoid) => this.#nodeFor(request, avoid),
      markOf: (node) => this.#marks.of(node),
      post: (text, node) => this.#post(text, node),
      ended: (remote) => this.#pending.remove(remote.number),
      answered: (node, millis) => this.#selector.answered(node, millis),
      unreachable: (node) => this.#selector.unreachable(node),
      shed: () => this.#queue.refused(),
      mayRetry: () => this.#retries.take()
    }
    this.#subscription = this.#subscribe()
    this.#listeners = [
      transport.onStatus((connected) => {
        if (connected) this.#reconnected()
      }),
      transport.onDenied?.((denial) => this.#denied(denial))
    ]
  }

  /** Learns who is in the cluster; without it, requests go to any node and are forwarded. */
  readonly ready: Task<void, Errors.StoreError> = (done, fail) => {
    const askedAt = this.runtime.elapsed()
    this.describe((outcome) => {
      if ("_tag" in outcome) return fail(outcome)
      const millis = this.runtime.elapsed() - askedAt
      // Later, the answer may be one to a question that was asked again.
      if (millis < this.#limits.askAgainMillis) this.#pending.measured(millis)
      this.description = outcome
      this.#selector.learn(outcome)
      done()
    })
  }

  readonly request: Backend["request"] = (request, respond) => {
    const operation = operationOf(request.action, request.body.calls)
    if (!isOperationName(operation)) {
      return respond(new Errors.UnknownOperation({ bucket: request.bucket, operation, known: [] }))
    }
    let remote: RemoteRequest | undefined
    let hasEnded = false
    this.#queue.add({
      begin: (retryUntil, now) => {
        if (hasEnded) this.#queue.ended(undefined, now)
        else remote = this.#begin({ request, respond, retryUntil, now })
      },
      refuse: (error) => {
        if (!hasEnded) respond(error)
        hasEnded = true
      }
    })
    return () => {
      if (remote !== undefined) return remote.cancel()
      if (!hasEnded) respond(new Errors.Cancelled({ mayHaveApplied: false }))
      hasEnded = true
    }
  }

  readonly explain: Backend["explain"] = ({ bucket, principal: _principal, ...body }, respond) =>
    this.#ask.ask({
      ...this.#reading({ access: "read", bucket, operation: "explain" }),
      body,
      timeoutMillis: this.#askMillis(body),
      decode: (json) => Result.map(decodeExplanation(json), ({ explanation }) => explanation)
    }, respond)

  readonly list: Backend["list"] = ({ bucket, principal: _principal, ...body }, respond) =>
    this.#ask.ask({
      ...this.#reading({ access: "read", bucket, operation: "list" }),
      body,
      timeoutMillis: this.#askMillis(body),
      decode: (json) => Result.map(decodePage(json), ({ page }) => page)
    }, respond)

  /** Ends every request and question at once, and fails those that follow. */
  close(): void {
    this.#queue.close()
    this.#outbox.close()
    for (const remote of this.#pending.all()) remote.close()
    this.#ask.close()
    this.#subscription.close()
    for (const listener of this.#listeners) listener?.close()
  }

  #begin({ now: begunAt, request, respond, retryUntil }: Begun): RemoteRequest {
    const number = this.#pending.nextNumber()
    const remote = new RemoteRequest(this.#sender, number, request, (outcome) => {
      const now = this.runtime.elapsed()
      const isAnswered = outcome._tag === "Answer"
      if (isAnswered) this.#retries.answered()
      this.#queue.ended(isAnswered ? now - begunAt : undefined, now)
      respond(outcome)
    }, retryUntil)
    this.#pending.add(number, remote)
    remote.start()
    return remote
  }

  #nodeFor(request: BackendRequest, avoid: ReadonlySet<string>): NodeId | undefined {
    const node = this.#selector.nodeFor(request, avoid)
    if (node !== undefined || request.action === "read") return node
    return this.#selector.acquaintanceFor(request, avoid)
  }

  #probe(request: BackendRequest, node: NodeId): void {
    const sequence = this.#pending.nextNumber()
    const { attemptsMax } = this.#limits
    const { session } = this.#sender
    const text = probeText(request, { id: sequence * attemptsMax, session, sequence })
    if (text.bytes <= this.#outbox.requestBytesMax) this.#outbox.add(text, node)
  }

  #post(text: RequestText, node: NodeId | undefined): Errors.StoreError | undefined {
    if (this.#denial !== undefined) {
      return new Errors.AccessDenied({ ...this.#denial, mayHaveApplied: false })
    }
    const { requestBytesMax } = this.#outbox
    if (text.bytes > requestBytesMax) return tooLarge(text.bytes, requestBytesMax)
    this.#outbox.add(text, node)
    return undefined
  }

  #subscribe(): Subscription {
    return this.#transport.subscribe(`${this.#inbox}.*`, (message) => this.#hear(message))
  }

  #reconnected(): void {
    const denial = this.#denial
    this.#denial = undefined
    if (denial?.right === "subscribe") {
      // The client library drops a subscription that was refused.
      this.#subscription.close()
      this.#subscription = this.#subscribe()
      this.#ask.resubscribe()
    }
    this.#pending.resendAll()
  }

  #denied(denial: Denial): void {
    const { right, subject } = denial
    const all = [...this.#pending.all()]
    if (right === "publish") {
      this.#ask.denied(denial)
      // The broker names no message. Before a right was taken away, others may have got through.
      const last = all.reduce((most, remote) => Math.max(most, remote.lastMessageTo(subject)), 0)
      if (last > 0) { for (const remote of all) remote.denied(last, denial) }
      return
    }
    const isOwn = subject === `${this.#inbox}.*` || this.#ask.isInbox(subject)
    if (right === "subscribe" && !isOwn) return
    this.#denial = denial
    this.#ask.denied(denial)
    for (const remote of all) remote.cutOff(denial)
  }

  #hear(message: Message): void {
    if (message.noResponders) return this.#unreachable(message.subject)
    const data = this.#parts.whole(message.data)
    if (data === undefined) return
    const json = parse(data)
    if (!Array.isArray(json)) return this.#take(json, message.subject)
    for (const reply of json) this.#take(reply)
  }

  #take(reply: unknown, subject = ""): void {
    const outcome = readOutcome(reply)
    const id = readId(reply)
    if (outcome?._tag === "Overloaded" && id === undefined) return this.#refused(subject, outcome)
    // A reply that cannot be read is as good as lost: its request is sent again, or times out.
    if (outcome === undefined || id === undefined) return
    const sender = readSender(reply)
    const node = sender === undefined ? undefined : this.#marks.learn(sender)
    if (node !== undefined) this.#selector.heard(node)
    const { attemptsMax } = this.#limits
    const number = Math.floor(id / attemptsMax)
    this.#pending.answered(number)
    this.#pending.get(number)?.answer(outcome, id % attemptsMax)
  }

  /** One node is asked after the other, the next one later each time: this is much work. */
  #reading(request: RequestSubject) {
    const { listAgainMillis } = this.#limits
    return {
      nodes: this.#selector.nodes(),
      subject: (node: NodeId | undefined) =>
        node === undefined
          ? this.#subjects.request(request)
          : this.#subjects.nodeRequest(node, request),
      pauseMillis: (asked: number) => listAgainMillis * 2 ** (asked - 1),
      late: (node: NodeId) => this.#selector.unreachable(node)
    }
  }

  /** A node's own answer, late as it is, says more than `NoAnswer`. */
  #askMillis({ timeoutMillis = 0 }: { readonly timeoutMillis?: number }): number {
    return Math.max(this.#limits.askTimeoutMillis, timeoutMillis + this.#limits.graceMillis)
  }

  /** The subject of a message has no subscriber: it reached no node. */
  #unreachable(replySubject: string): void {
    const token = this.#tokenOf(replySubject)
    const [number, node] = [messageOf(token), nodeOf(token)]
    for (const remote of this.#pending.all()) remote.undelivered(number)
    if (node === undefined) return
    // Others that wait for it would find out only by asking it again.
    for (const remote of this.#pending.all()) remote.gone(node, number)
  }

  /** A node has refused a message as a whole. */
  #refused(replySubject: string, error: Errors.Overloaded): void {
    const number = messageOf(this.#tokenOf(replySubject))
    for (const remote of this.#pending.all()) remote.refused(number, error)
  }

  #tokenOf(replySubject: string): string {
    return replySubject.slice(this.#inbox.length + 1)
  }
}

const tooLarge = (bytes: number, bytesMax: number) =>
  new Errors.InvalidRequest({
    setting: "request",
    value: `${bytes} bytes`,
    expected: `at most ${bytesMax} bytes, by the broker's max_payload`
  })
