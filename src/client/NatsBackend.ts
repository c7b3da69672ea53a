/**
 * Carries a client's requests to the nodes over NATS, straight to a node that holds the document.
 *
 * What one turn asks of one node about one operation of one bucket travels as one message. A node
 * that nobody answers for is passed over; a request that was lost is sent again to the same node,
 * which answers a repeated write from the document instead of applying it twice.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ReplyBody } from "../../schemas/ClientAnswer.ts"
import { ClusterDescription } from "../../schemas/ClusterDescription.ts"
import { ExplanationReply } from "../../schemas/Explanation.ts"
import { KeyPageReply } from "../../schemas/KeyPage.ts"
import { InFlightRequests } from "../transport/InFlightRequests.ts"
import * as Errors from "../core/model/StoreError.ts"
import type { ClusterName } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"
import { Subjects } from "../transport/Subjects.ts"
import type { Message, Subscription, TransportService } from "../transport/Transport.ts"
import type { Backend, BackendRequest, BackendRespond } from "./Backend.ts"
import { NatsAsk, parse } from "./NatsAsk.ts"
import { graceMillis, RemoteRequest } from "./RemoteRequest.ts"
import { NodeSelector } from "./NodeSelector.ts"
import type { Task } from "./Task.ts"

export interface NatsBackendOptions {
  readonly runtime: Runtime
  readonly transport: TransportService
  readonly cluster: ClusterName
}

/** What is gathered for one subject in this turn. */
interface Outbox {
  readonly requests: Array<RemoteRequest>
  readonly texts: Array<string>
  bytes: number
}

const decodeReply = Schema.decodeUnknownResult(ReplyBody)
const decodeDescription = Schema.decodeUnknownResult(ClusterDescription)
const decodeExplanation = Schema.decodeUnknownResult(ExplanationReply)
const decodePage = Schema.decodeUnknownResult(KeyPageReply)
const encoder = new TextEncoder()

/** Messages are closed at this size, unless the broker's limit is lower. */
const bytesTarget = 64 * 1024
/** A node answers within its own deadline, so what is silent for this long was mostly lost. */
const firstPauseMillis = 600
/** For what people ask of the cluster; longer than a node waits for the others. */
const askTimeoutMillis = 3_000

export class NatsBackend implements Backend {
  readonly runtime: Runtime
  readonly #options: NatsBackendOptions
  readonly #subjects: Subjects
  readonly #inbox: string
  readonly #subscriptions: ReadonlyArray<Subscription>
  readonly #pending: InFlightRequests<RemoteRequest>
  readonly #outboxes = new Map<string, Outbox>()
  readonly #ask: NatsAsk
  readonly #selector: NodeSelector
  #messageNumber = 0
  #scheduled = false

  constructor(options: NatsBackendOptions) {
    const { cluster, transport, runtime } = options
    this.runtime = runtime
    this.#options = options
    this.#subjects = new Subjects(cluster)
    this.#pending = new InFlightRequests({ runtime, firstPauseMillis })
    this.#selector = new NodeSelector(runtime)
    this.#ask = new NatsAsk({ runtime, transport })
    this.#inbox = transport.newInbox()
    this.#subscriptions = [
      transport.subscribe(`${this.#inbox}.*`, (message) => this.#hear(message)),
      transport.onStatus((connected) => {
        if (connected) this.#pending.resendAll()
      })
    ]
  }

  /** Learns who is in the cluster; without it, requests go to any node and are forwarded. */
  readonly ready: Task<void, Errors.StoreError> = (done, fail) =>
    this.describe((outcome) => {
      if ("_tag" in outcome) return fail(outcome)
      this.#selector.learn(outcome)
      done()
    })

  readonly request = (request: BackendRequest, respond: BackendRespond): void => {
    const number = this.#pending.nextNumber()
    const remote = new RemoteRequest({
      runtime: this.runtime,
      number,
      request,
      respond: (outcome) => {
        this.#pending.remove(number)
        respond(outcome)
      },
      send: (sending) => this.#send(sending)
    })
    this.#pending.add(number, remote)
    remote.resend()
  }

  readonly describe: Backend["describe"] = (respond) =>
    this.#ask.ask({
      subject: this.#subjects.cluster("describe"),
      body: {},
      timeoutMillis: askTimeoutMillis,
      decode: decodeDescription
    }, respond)

  readonly explain: Backend["explain"] = ({ bucket, principal: _principal, ...body }, respond) =>
    this.#ask.ask({
      subject: this.#subjects.request({ access: "read", bucket, operation: "explain" }),
      body,
      timeoutMillis: askMillis(body),
      decode: (json) => Result.map(decodeExplanation(json), ({ explanation }) => explanation)
    }, respond)

  readonly list: Backend["list"] = ({ bucket, principal: _principal, ...body }, respond) =>
    this.#ask.ask({
      subject: this.#subjects.request({ access: "read", bucket, operation: "list" }),
      body,
      timeoutMillis: askMillis(body),
      decode: (json) => Result.map(decodePage(json), ({ page }) => page)
    }, respond)

  close(): void {
    this.#pending.expireAll()
    this.#ask.close()
    for (const subscription of this.#subscriptions) subscription.close()
  }

  #send(remote: RemoteRequest): void {
    const { request } = remote
    const bytesMax = this.#options.transport.maxPayload() - 2
    if (remote.bytes > bytesMax) return remote.refuse(tooLarge(remote.bytes, bytesMax))
    // Silence for so long: what is asked from now on goes to another primary.
    if (remote.boundTo !== undefined) this.#selector.unheard(remote.boundTo)
    const node = remote.boundTo ?? this.#selector.nodeFor(request, remote.avoid)
    remote.sentTo(node)
    const parts = {
      access: request.action,
      bucket: request.bucket,
      operation: operationOf(request)
    }
    const subject = node === undefined
      ? this.#subjects.request(parts)
      : this.#subjects.nodeRequest(node, parts)
    const full = this.#outboxes.get(subject)
    if (full !== undefined && full.bytes + remote.bytes >= Math.min(bytesTarget, bytesMax)) {
      this.#flush(subject, full)
    }
    const outbox = this.#outboxes.get(subject) ?? { requests: [], texts: [], bytes: 0 }
    this.#outboxes.set(subject, outbox)
    outbox.requests.push(remote)
    outbox.texts.push(remote.text)
    outbox.bytes += remote.bytes + 1
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.runtime.endOfTurn(() => {
      this.#scheduled = false
      for (const [subject, outbox] of this.#outboxes) this.#flush(subject, outbox)
    })
  }

  #flush(subject: string, outbox: Outbox): void {
    this.#outboxes.delete(subject)
    if (outbox.texts.length === 0) return
    const message = ++this.#messageNumber
    for (const request of outbox.requests) request.message = message
    const data = encoder.encode(`[${outbox.texts.join(",")}]`)
    this.#options.transport.publish(subject, data, `${this.#inbox}.${message}`)
  }

  #hear(message: Message): void {
    if (message.noResponders) return this.#unheard(message.subject)
    const json = parse(message.data)
    const replies: ReadonlyArray<unknown> = Array.isArray(json) ? json : [json]
    for (const reply of replies) this.#take(reply)
  }

  #take(json: unknown): void {
    const decoded = decodeReply(json)
    // What is no answer is as good as lost: its request is sent again, or ends at its deadline.
    if (Result.isFailure(decoded) || decoded.success.id === undefined) return
    const reply = decoded.success
    const remote = this.#pending.get(decoded.success.id)
    if (remote === undefined) return
    this.#pending.answered(decoded.success.id)
    const { millis, node } = remote.answer("error" in reply ? reply.error : reply)
    if (node === undefined) return
    if (millis === undefined) this.#selector.unheard(node)
    else this.#selector.answered(node, millis)
  }

  #unheard(subject: string): void {
    const number = Number(subject.slice(this.#inbox.length + 1))
    const unheard = Array.from(this.#pending.all()).filter(({ message }) => message === number)
    for (const remote of unheard) {
      const node = remote.unheard()
      if (node !== undefined) this.#selector.unheard(node)
    }
  }
}

/** A node's own answer, late as it is, says more than our silence. */
const askMillis = ({ timeoutMillis = 0 }: { readonly timeoutMillis?: number }): number =>
  Math.max(askTimeoutMillis, timeoutMillis + graceMillis)

const tooLarge = (bytes: number, bytesMax: number) =>
  new Errors.InvalidRequest({
    setting: "request",
    value: `${bytes} bytes`,
    expected: `at most ${bytesMax} bytes, by the broker's max_payload`
  })

/** The operation in a request's subject, which the broker's permissions see. */
const operationOf = ({ action, body }: BackendRequest): string => {
  if (action === "read") return "get"
  const [first, ...rest] = body.calls ?? []
  return first !== undefined && rest.length === 0 ? first.name : "edit"
}
