/**
 * Takes clients' requests from NATS: from the queue group that all nodes share, and from the
 * subjects that reach this node alone. Answers to one client in one turn leave as one message.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { answerText, errorText } from "../../schemas/ClientAnswer.ts"
import { RequestBody } from "../../schemas/ClientRequest.ts"
import { clusterText } from "../../schemas/ClusterDescription.ts"
import { ExplainBody } from "../../schemas/Explanation.ts"
import { ListBody } from "../../schemas/KeyPage.ts"
import * as Json from "../core/codec/Json.ts"
import * as Errors from "../core/model/StoreError.ts"
import type { ClusterName, NodeId } from "../core/model/Names.ts"
import type { Buckets } from "../core/strategy/Buckets.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { ClusterView } from "../gossip/ClusterView.ts"
import type { Endpoint, EndpointStats } from "../transport/ServiceInfo.ts"
import { type ParsedSubject, requestQueue, Subjects } from "../transport/Subjects.ts"
import type { Message, Subscription, TransportService } from "../transport/Transport.ts"
import type { Coordinator } from "./Coordinator.ts"
import type { Request } from "./Request.ts"

export interface RequestServerOptions {
  readonly runtime: Runtime
  readonly transport: TransportService
  readonly cluster: ClusterName
  readonly node: NodeId
  readonly view: ClusterView
  readonly buckets: Buckets
  readonly coordinator: Pick<Coordinator, "handle" | "explain" | "list">
}

type RequestSubject = Extract<ParsedSubject, { readonly _tag: "Request" }>["request"]

/** Answers gathered for one message, or for many of one client in this turn. */
interface Outbox {
  readonly texts: Array<string>
  /** Bytes, at most. */
  size: number
}

/** Around the answers of one message. */
const bracketBytes = 2

/** Bytes of a text: counted where it may matter, else at most three for each UTF-16 unit. */
const sizeOf = (text: string, room: number): number =>
  text.length * 3 <= room / 8 ? text.length * 3 : Buffer.byteLength(text)

const decodeBody = Schema.decodeUnknownResult(RequestBody)
const decodeExplain = Schema.decodeUnknownResult(ExplainBody)
const decodeList = Schema.decodeUnknownResult(ListBody)
const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true })

/**
 * No message is read that nests deeper: that costs a second for each megabyte. A value ends far
 * below, with an error of its own.
 */
const depthMax = 1024

const parse = (data: Uint8Array): Option.Option<unknown> => {
  try {
    const text = decoder.decode(data)
    if (Json.isDeeperThan(text, depthMax)) return Option.none()
    return Option.some(Json.parse(text))
  } catch {
    return Option.none()
  }
}

const invalid = (value: string, expected: string) =>
  new Errors.InvalidRequest({ setting: "request", value, expected })

/**
 * The request in a message's body. Its operations must be the one that its subject names, which is
 * what the broker's permissions went by; several go by the name of `edit`.
 */
const requestOf = (
  subject: RequestSubject,
  body: RequestBody
): Request | Errors.InvalidRequest => {
  const { access: action, bucket, operation } = subject
  const other = body.calls?.find(({ name }) => name !== operation)
  if (action === "write" && operation !== "edit" && other !== undefined) {
    return invalid(`${other.name} to the subject of ${operation}`, "the operation of the subject")
  }
  const named = body.calls ?? [{ name: operation, args: body.args ?? [] }]
  return { action, bucket, body: { ...body, calls: named }, forwarded: false }
}

type Stats = { -readonly [Field in keyof EndpointStats]: EndpointStats[Field] }

const noStats = (): Stats => ({ requests: 0, errors: 0, lastError: "", processingMillis: 0 })

const idOf = (json: unknown): number | undefined => {
  const id = typeof json === "object" && json !== null && "id" in json ? json.id : undefined
  return typeof id === "number" && Number.isSafeInteger(id) ? id : undefined
}

export class RequestServer {
  readonly #options: RequestServerOptions
  readonly #subjects: Subjects
  readonly #shared: ReadonlyArray<Subscription>
  readonly #own: Subscription
  readonly #outboxes = new Map<string, Outbox>()
  readonly #stats = { read: noStats(), write: noStats() }
  #scheduled = false
  #refused = 0

  constructor(options: RequestServerOptions) {
    this.#options = options
    this.#subjects = new Subjects(options.cluster)
    const { node, transport } = options
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

  /** What it listens to, and what came of it. */
  endpoints(): ReadonlyArray<Endpoint> {
    return (["read", "write"] as const).map((access) => ({
      name: access,
      subject: this.#subjects.requests(access),
      queue: requestQueue,
      stats: () => ({ ...this.#stats[access] })
    }))
  }

  /**
   * Leaves what any node may take to the others. What comes to this node alone it still answers, if
   * only to say that it stops: silence would leave the sender in doubt.
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
    if (subject?._tag === "Cluster") return this.#describe(subject.verb, reply)
    if (subject?._tag !== "Request") {
      return this.#refuse(
        reply,
        undefined,
        invalid(message.subject, "read or write, a bucket, an operation")
      )
    }
    const parsed = parse(message.data)
    if (Option.isNone(parsed)) {
      const expected = `JSON, nested at most ${depthMax} levels`
      return this.#refuse(reply, undefined, invalid("the body", expected))
    }
    const json = parsed.value
    if (!Array.isArray(json)) return this.#one(subject.request, json, reply, false)
    for (const item of json) this.#one(subject.request, item, reply, true)
  }

  #one(subject: RequestSubject, json: unknown, reply: string, gather: boolean): void {
    const id = idOf(json)
    const count = this.#count(subject.access)
    const tell = (text: string, error?: Errors.StoreError) => {
      count(error)
      const fitting = this.#fit(id, text)
      if (gather) this.#gather(reply, fitting)
      else this.#publish(reply, fitting)
    }
    const fail = (error: Errors.StoreError) => tell(errorText(id, error), error)
    const refuse = (error: Errors.StoreError) => {
      this.#refused++
      fail(error)
    }
    const { coordinator } = this.#options
    const { access, bucket, operation } = subject
    if (access === "read" && operation === "explain") {
      const body = decodeExplain(json)
      if (body._tag === "Failure") return refuse(invalid(body.failure.message, "a key"))
      return coordinator.explain(
        { ...body.success, bucket },
        (outcome) =>
          "_tag" in outcome ? fail(outcome) : tell(JSON.stringify({ id, explanation: outcome }))
      )
    }
    if (access === "read" && operation === "list") {
      const body = decodeList(json)
      if (body._tag === "Failure") return refuse(invalid(body.failure.message, "a page"))
      return coordinator.list(
        { ...body.success, bucket },
        (outcome) => "_tag" in outcome ? fail(outcome) : tell(JSON.stringify({ id, page: outcome }))
      )
    }
    const decoded = decodeBody(json)
    if (decoded._tag === "Failure") return refuse(invalid(decoded.failure.message, "a request"))
    const request = requestOf(subject, decoded.success)
    if ("_tag" in request) return refuse(request)
    coordinator.handle(
      request,
      (outcome) => outcome._tag === "Answer" ? tell(answerText(id, outcome)) : fail(outcome)
    )
  }

  /** Counts a request, and, when it is answered, its time and its error. */
  #count(access: RequestSubject["access"]): (error: Errors.StoreError | undefined) => void {
    const { runtime } = this.#options
    const stats = this.#stats[access]
    const begun = runtime.elapsed()
    stats.requests++
    return (error) => {
      stats.processingMillis += runtime.elapsed() - begun
      if (error === undefined) return
      stats.errors++
      stats.lastError = `${error._tag}: ${error.message}`
    }
  }

  #refuse(reply: string, id: number | undefined, error: Errors.StoreError): void {
    this.#refused++
    this.#publish(reply, errorText(id, error))
  }

  #describe(verb: string, reply: string): void {
    if (verb !== "describe") {
      return this.#refuse(reply, undefined, invalid(verb, "describe"))
    }
    const { buckets, cluster, node, view } = this.#options
    this.#publish(reply, clusterText({ cluster, node, ring: view.ring, buckets: buckets.values() }))
  }

  #publish(reply: string, text: string): void {
    this.#options.transport.publish(reply, encoder.encode(text))
  }

  /** An answer, or, where the broker would not take it, the error that says so. */
  #fit(id: number | undefined, text: string): string {
    const room = this.#options.transport.maxPayload() - bracketBytes
    const bytes = sizeOf(text, room)
    if (bytes <= room) return text
    return errorText(
      id,
      new Errors.InvalidRequest({
        setting: "answer",
        value: `${bytes} bytes`,
        expected: `at most ${room} bytes, by the broker's max_payload`
      })
    )
  }

  /** An answer that may leave with others for the same client. */
  #gather(reply: string, text: string): void {
    const room = this.#options.transport.maxPayload() - bracketBytes
    const size = sizeOf(text, room) + 1
    const before = this.#outboxes.get(reply)
    if (before !== undefined && before.size + size > room) this.#flush(reply, before)
    const outbox = this.#outboxes.get(reply) ?? { texts: [], size: 0 }
    this.#outboxes.set(reply, outbox)
    outbox.texts.push(text)
    outbox.size += size
    if (this.#scheduled) return
    this.#scheduled = true
    this.#options.runtime.endOfTurn(() => {
      this.#scheduled = false
      for (const [to, gathered] of this.#outboxes) this.#flush(to, gathered)
    })
  }

  #flush(reply: string, outbox: Outbox): void {
    this.#outboxes.delete(reply)
    if (outbox.texts.length === 0) return
    this.#publish(reply, `[${outbox.texts.join(",")}]`)
  }
}
