/**
 * Takes clients' requests from NATS: from the queue group that all nodes share, and from the
 * subjects that reach this node alone. Answers to one client in one turn leave as one message.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { errorText } from "../../schemas/AnswerText.ts"
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import { ExplainBody } from "../../schemas/Explanation.ts"
import { ListBody } from "../../schemas/KeyPage.ts"
import * as Json from "../core/codec/Json.ts"
import { misshapenRequest } from "../core/model/MisshapenRequest.ts"
import { misreadRequest } from "../core/model/MisreadRequest.ts"
import { anonymous, type Principal } from "../core/model/Principal.ts"
import * as Errors from "../core/model/StoreError.ts"
import * as TraceParent from "../core/model/TraceParent.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { WorkQueue } from "../core/WorkQueue.ts"
import type { Endpoint } from "../transport/ServiceInfo.ts"
import {
  isReplySubject,
  type ParsedSubject,
  requestQueue,
  Subjects
} from "../transport/Subjects.ts"
import type { Message, Subscription, TransportService } from "../transport/Transport.ts"
import { answerQuestion, type ClusterQuestionsOptions } from "./ClusterQuestions.ts"
import type { Coordinator } from "./Coordinator.ts"
import {
  documentReply,
  errorReply,
  explanationReply,
  NatsOrigin,
  noStats,
  pageReply
} from "./NatsOrigin.ts"
import { failedAt } from "./OpenRequest.ts"
import { decodeRequest } from "./RequestDecoding.ts"
import { ReplyOutbox, type ReplyOutboxOptions, type ReplyTo, replyTo } from "./ReplyOutbox.ts"
import type { Request } from "./Request.ts"

export interface RequestServerOptions extends ClusterQuestionsOptions {
  readonly runtime: Runtime
  readonly transport: TransportService
  readonly coordinator: Pick<Coordinator, "handle" | "explain" | "list" | "overload">
  /** In which the requests of a message take their turns. */
  readonly work: WorkQueue
  readonly limits:
    & Pick<NodeLimits, "messageRequestsMax" | "messageListingsMax" | "waitTargetMillis">
    & ReplyOutboxOptions["limits"]
  /** Takes note of an exception that ended one request, and of its place in words. */
  readonly failed: (failure: unknown, where: string) => void
}

/** A message of requests that were parsed. */
interface Batch {
  readonly request: RequestSubject
  readonly requests: ReadonlyArray<unknown>
  readonly reply: string
  readonly isBatched: boolean
  readonly isMarked: boolean
  /** The span that all its requests belong to. */
  readonly trace: TraceParent.TraceParent | undefined
}

type RequestSubject = Extract<ParsedSubject, { readonly _tag: "Request" }>["request"]

const decodeExplain = Schema.decodeUnknownResult(ExplainBody)
const decodeList = Schema.decodeUnknownResult(ListBody)
const decoder = new TextDecoder("utf-8", { fatal: true })

const parse = (data: Uint8Array): Option.Option<Json.Marked> => {
  try {
    return Option.some(Json.parseMarked(decoder.decode(data)))
  } catch {
    return Option.none()
  }
}

const invalid = (value: string, expected: string) =>
  new Errors.InvalidRequest({ setting: "request", value, expected })

const readReply = documentReply(true)
const writeReply = documentReply(false)

/** The broker does not tell a subscriber which user published a message. */
const principalOfClient = (): Principal => anonymous

/**
 * The request in a message's body. Its operations must be the one that its subject names, by which
 * the broker's permissions decided; several have the name `edit`.
 */
const requestOf = (
  subject: RequestSubject,
  body: RequestBody,
  trace: TraceParent.TraceParent | undefined
): Request | Errors.InvalidRequest => {
  const { access: action, bucket, operation } = subject
  const other = body.calls?.find(({ name }) => name !== operation)
  if (action === "write" && operation !== "edit" && other !== undefined) {
    return invalid(`${other.name} to the subject of ${operation}`, "the operation of the subject")
  }
  const named = action === "write" && body.calls === undefined
    ? { ...body, calls: [{ name: operation, args: body.args ?? [] }] }
    : body
  return {
    action,
    principal: principalOfClient(),
    bucket,
    body: named,
    forwarded: false,
    isAdmitted: true,
    trace
  }
}

/** Where the answer to a request of a message goes. */
const addressOf = ({ isBatched, reply, request: { access } }: Batch, json: unknown): ReplyTo =>
  replyTo({ subject: reply, isBatched, isRead: access === "read" }, json)

/** The address of an answer to a whole message. */
const aloneTo = (subject: string): ReplyTo =>
  replyTo({ subject, isBatched: false, isRead: true }, undefined)

export class RequestServer {
  readonly #options: RequestServerOptions
  readonly #subjects: Subjects
  readonly #shared: ReadonlyArray<Subscription>
  readonly #own: Subscription
  readonly #outbox: ReplyOutbox
  readonly #stats = { read: noStats(), write: noStats() }
  #refused = 0
  #congested = 0

  constructor(options: RequestServerOptions) {
    this.#options = options
    this.#subjects = new Subjects(options.cluster)
    const { node, transport } = options
    this.#outbox = new ReplyOutbox(options)
    const subjects = this.#subjects
    const take = (message: Message) => this.#take(message)
    this.#shared = [
      transport.subscribe(subjects.requests("read"), take, { queue: requestQueue }),
      transport.subscribe(subjects.requests("write"), take, { queue: requestQueue }),
      transport.subscribe(subjects.clusters(), take, { queue: requestQueue })
    ]
    this.#own = transport.subscribe(subjects.nodeRequests(node), take)
  }

  /** Messages that were no request. */
  refused(): number {
    return this.#refused
  }

  /** Reads refused because too many answers wait for their client. */
  congested(): number {
    return this.#congested + this.#outbox.refused()
  }

  /** Of answers in parts: bytes that wait to be sent, and those that were dropped. */
  get answerParts(): { readonly bytes: number; readonly dropped: number } {
    return this.#outbox.parts
  }

  /** Its subjects, and the counts of their requests. */
  endpoints(): ReadonlyArray<Endpoint> {
    return (["read", "write"] as const).map((access) => ({
      name: access,
      subject: this.#subjects.requests(access),
      queue: requestQueue,
      stats: () => ({ ...this.#stats[access] })
    }))
  }

  /**
   * Leaves requests that any node may take to the others. It still answers requests to this node
   * alone, if only to say that it stops: no answer would leave the sender in doubt.
   */
  drain(): void {
    for (const subscription of this.#shared) subscription.close()
  }

  close(): void {
    this.drain()
    this.#own.close()
  }

  #take(message: Message): void {
    const { reply } = message
    const subject = this.#subjects.parse(message.subject)
    if (reply === undefined) return
    if (!isReplySubject(reply)) {
      this.#refused++
      return
    }
    if (subject?._tag === "Cluster") return this.#answer(subject.verb, reply, message.data)
    if (subject?._tag !== "Request") {
      return this.#refuse(reply, invalid(message.subject, "read or write, a bucket, an operation"))
    }
    const overload = this.#options.coordinator.overload()
    // Answers the whole message, by its reply subject: it is not read, and little is written.
    if (overload !== undefined) {
      return this.#outbox.send(aloneTo(reply), { text: errorText(undefined, overload) })
    }
    const parsed = parse(message.data)
    if (Option.isNone(parsed)) {
      return this.#refuse(
        reply,
        invalid("the body", `JSON, nested at most ${Json.depthMax} levels`)
      )
    }
    const { isMarked, value } = parsed.value
    const { request } = subject
    const isBatched = Array.isArray(value)
    const requests: ReadonlyArray<unknown> = isBatched ? value : [value]
    const max = this.#requestsMax(request)
    if (requests.length > max) {
      this.#refused++
      const setting = `${request.operation} requests of one message`
      const many = { setting, value: String(requests.length), expected: `at most ${max}` }
      return this.#publish(reply, new Errors.InvalidRequest(many))
    }
    const trace = TraceParent.from(message.traceparent)
    this.#begin({ request, requests, reply, isBatched, isMarked, trace }, message.data.length)
  }

  #requestsMax({ access, operation }: RequestSubject): number {
    const { messageListingsMax, messageRequestsMax } = this.#options.limits
    return access === "read" && operation === "list" ? messageListingsMax : messageRequestsMax
  }

  /** Gives the requests of a message to the coordinator, one in each step. */
  #begin(batch: Batch, bytes: number): void {
    const { limits, node, work } = this.#options
    const { requests } = batch
    let next = 0
    const takes = work.add(() => {
      if (next < requests.length) this.#guarded(batch, requests[next++])
      return next < requests.length
    }, bytes)
    if (takes) return
    // An earlier message of a write may have been taken, and its name is not read here: the error
    // says nothing of that one.
    const error = new Errors.Overloaded({ node, retryAfterMillis: limits.waitTargetMillis })
    for (const request of requests) this.#tell(batch, request, error)
  }

  /** An exception costs the one request, whose client is told. */
  #guarded(batch: Batch, json: unknown): void {
    const { failed, node } = this.#options
    try {
      this.#one(batch, json)
    } catch (failure) {
      const { request: { access } } = batch
      this.#tell(batch, json, failedAt(node, access === "write"))
      failed(failure, `a ${access} of a client over NATS`)
    }
  }

  /** Answers a request that the coordinator has not taken, or in which it failed. */
  #tell(batch: Batch, json: unknown, error: Errors.StoreError): void {
    const to = addressOf(batch, json)
    this.#outbox.send({ ...to, isRead: false }, errorReply(to, error))
  }

  /** Gives one request to the coordinator, with the address of its answer. */
  #one(batch: Batch, json: unknown): void {
    const { isMarked, reply, request: subject, trace } = batch
    const { coordinator, runtime } = this.#options
    const { access, bucket, operation } = subject
    const principal = principalOfClient()
    const to = addressOf(batch, json)
    const replyOf = to.isRead ? readReply : writeReply
    const arrival = { runtime, outbox: this.#outbox, stats: this.#stats[access], to }
    // A write that was sent before may have been carried out: only its operation id tells.
    if (access === "read" && !this.#outbox.hasRoom(reply)) {
      this.#congested++
      const refused = { ...arrival, to: { ...to, isRead: false } }
      return new NatsOrigin(refused, replyOf).deliver(this.#outbox.congested())
    }
    const misread = isMarked ? Json.misreadIn(json) : undefined
    if (misread !== undefined) {
      this.#refused++
      return new NatsOrigin(arrival, replyOf).deliver(misreadRequest(bucket, misread))
    }
    if (access === "read" && operation === "explain") {
      const origin = new NatsOrigin(arrival, explanationReply)
      const body = decodeExplain(json)
      if (body._tag === "Failure") return this.#misshapen(origin, body.failure, json)
      return void coordinator.explain({ ...body.success, bucket, principal, trace }, origin)
    }
    if (access === "read" && operation === "list") {
      const origin = new NatsOrigin(arrival, pageReply)
      const body = decodeList(json)
      if (body._tag === "Failure") return this.#misshapen(origin, body.failure, json)
      return void coordinator.list({ ...body.success, bucket, principal, trace }, origin)
    }
    const origin = new NatsOrigin(arrival, replyOf)
    const body = decodeRequest(json)
    if (body._tag === "Failure") return this.#misshapen(origin, body.failure, json)
    const request = requestOf(subject, body.success, trace)
    if (!("_tag" in request)) return void coordinator.handle(request, origin)
    this.#refused++
    origin.deliver(request)
  }

  #misshapen<A extends object>(
    origin: NatsOrigin<A>,
    error: Schema.SchemaError,
    json: unknown
  ): void {
    this.#refused++
    origin.deliver(misshapenRequest(error, { json, whole: "request" }))
  }

  /** Answers a message that holds no request. */
  #refuse(subject: string, error: Errors.StoreError): void {
    this.#refused++
    this.#publish(subject, error)
  }

  #answer(verb: string, reply: string, data: Uint8Array): void {
    const asked = Option.getOrUndefined(parse(data))?.value
    const to = {
      ...replyTo({ subject: reply, isBatched: false, isRead: true }, asked),
      id: undefined
    }
    answerQuestion(verb, asked, this.#options, (outcome) => {
      if (typeof outcome === "string") this.#outbox.send(to, { text: outcome })
      else this.#refuse(reply, outcome)
    })
  }

  #publish(subject: string, error: Errors.StoreError): void {
    const to = aloneTo(subject)
    this.#outbox.send(to, errorReply(to, error))
  }
}
