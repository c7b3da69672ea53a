/**
 * Carries a client's requests to one node over HTTP: for people's tools, and for programs that
 * cannot reach the broker. It asks once; where the outcome is unknown it answers `NoAnswer`, which
 * says whether a write may have applied.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import { ClusterDescription } from "../../schemas/ClusterDescription.ts"
import { Explanation } from "../../schemas/Explanation.ts"
import { KeyPage } from "../../schemas/KeyPage.ts"
import { absentType, errorOf, Problem } from "../../schemas/Problem.ts"
import * as Json from "../core/codec/Json.ts"
import { lan } from "../core/model/Limits.ts"
import { InvalidRequest, NoAnswer, type StoreError } from "../core/model/StoreError.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { Backend, BackendAnswer, BackendRequest } from "./Backend.ts"
import { type WaitLimits, waitMillis } from "./RemoteRequest.ts"

export interface HttpBackendOptions {
  readonly runtime: Runtime
  /** Of a node, such as `http://127.0.0.1:7420`. */
  readonly url: string
  /** The global one unless another is given. */
  readonly fetch?: typeof globalThis.fetch
  /** Those of a local network unless others are given. */
  readonly limits?: WaitLimits
}

/** A path below the node's URL, and the options of `fetch`. */
interface Sending {
  readonly path: string
  readonly query: Readonly<Record<string, string | number | boolean | undefined>>
  readonly timeoutMillis?: number | undefined
  readonly write?: { readonly headers: Readonly<Record<string, string>>; readonly json: unknown }
  readonly headers?: Readonly<Record<string, string>>
}

interface Reply {
  readonly status: number
  readonly headers: { readonly get: (name: string) => string | null }
  readonly json: unknown
}

const notUnderstood = "answers what is not understood"

const Siblings = Schema.Struct({ siblings: Schema.Array(Schema.Json) })

const decodeProblem = Schema.decodeUnknownOption(Problem)
const decodeSiblings = Schema.decodeUnknownOption(Siblings)
const decodeDescription = Schema.decodeUnknownOption(ClusterDescription)
const decodeExplanation = Schema.decodeUnknownOption(Explanation)
const decodePage = Schema.decodeUnknownOption(KeyPage)

const keyText = (key: Schema.Json): string => typeof key === "string" ? key : JSON.stringify(key)

const searchOf = (query: Sending["query"]): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value))
  }
  return search.size === 0 ? "" : `?${search.toString()}`
}

const queryOf = (body: RequestBody): Sending["query"] => {
  const { consistency, dw, key, merge = false, pr, pw, r, timeoutMillis, w } = body
  const timeout = timeoutMillis === undefined ? undefined : Math.ceil(timeoutMillis)
  const siblings = merge ? undefined : true
  return { key: keyText(key), consistency, r, w, pr, pw, dw, timeout, siblings }
}

const headersOf = ({ after = [], context, fingerprint, ifUnknown }: RequestBody, id?: string) => ({
  ...(after.length === 0 ? {} : { "everwrite-after": after.join(",") }),
  ...(context === undefined ? {} : { "everwrite-context": context }),
  ...(fingerprint === undefined ? {} : { "everwrite-fingerprint": fingerprint }),
  // A request goes out once: only a user that gives it again has to name it.
  ...(id === undefined ? {} : { "idempotency-key": id }),
  ...(ifUnknown === undefined ? {} : { "everwrite-if-unknown": ifUnknown })
})

const sendingOf = ({ action, body, bucket, id }: BackendRequest): Sending => {
  const docs = `/v1/buckets/${bucket}/docs`
  const query = queryOf(body)
  const headers = headersOf(body, id)
  const { timeoutMillis } = body
  if (action === "read") return { path: docs, query, headers, timeoutMillis }
  const [first, ...others] = body.calls ?? []
  const write = first !== undefined && others.length === 0
    ? { operation: first.name, json: first.args }
    : { operation: "edit", json: body.calls ?? [] }
  const path = `${docs}/ops/${encodeURIComponent(write.operation)}`
  return { path, query, timeoutMillis, write: { headers, json: write.json } }
}

const count = (headers: Reply["headers"], name: string): number | undefined => {
  const text = headers.get(name)
  return text === null ? undefined : Number(text)
}

/** The document in a reply that went well; undefined where it is none. */
const answerOf = ({ headers, json, status }: Reply): BackendAnswer | undefined => {
  const context = headers.get("everwrite-context")
  if (context === null || (status === 200 && json === undefined)) return undefined
  const isList = headers.get("everwrite-siblings") !== null
  const listed = isList ? Option.getOrUndefined(decodeSiblings(json)) : { siblings: [json] }
  const values = status === 200 ? listed?.siblings : []
  return values && {
    _tag: "Answer",
    values,
    context,
    replied: count(headers, "everwrite-replied") ?? 0,
    siblings: count(headers, "everwrite-merged") ?? values.length
  }
}

/** HTTP takes the name of a write, and makes its operation id of it. */
const unnamed = (session: string) =>
  new InvalidRequest({ setting: "operationId", value: session, expected: "a name of the write" })

const isRefused = (error: unknown): boolean =>
  error instanceof Error && error.cause instanceof Error && "code" in error.cause
  && error.cause.code === "ECONNREFUSED"

export class HttpBackend implements Backend {
  readonly runtime: Runtime
  readonly #url: string
  readonly #fetch: typeof globalThis.fetch

  readonly #limits: WaitLimits

  constructor(options: HttpBackendOptions) {
    this.#limits = options.limits ?? lan.client
    this.runtime = options.runtime
    this.#url = options.url.replace(/\/+$/u, "")
    this.#fetch = options.fetch ?? globalThis.fetch
  }

  readonly request: Backend["request"] = (request, respond) => {
    const { body: { operationId } } = request
    if (operationId !== undefined) return respond(unnamed(operationId.session))
    this.#send(sendingOf(request), (outcome) => {
      if (outcome instanceof Error) return respond(outcome)
      respond(answerOf(outcome) ?? this.#noAnswer(notUnderstood, request.action === "write"))
    })
  }

  readonly explain: Backend["explain"] = ({ bucket, key, timeoutMillis }, respond) => {
    const query = { bucket, key: keyText(key), timeout: timeoutMillis }
    this.#ask({ path: "/v1/explain", query, timeoutMillis }, decodeExplanation, respond)
  }

  readonly list: Backend["list"] = ({ after, bucket, limit, timeoutMillis }, respond) => {
    const query = { after, limit, timeout: timeoutMillis }
    this.#ask({ path: `/v1/buckets/${bucket}/keys`, query, timeoutMillis }, decodePage, respond)
  }

  readonly describe: Backend["describe"] = (respond) =>
    this.#ask({ path: "/v1/cluster", query: {} }, decodeDescription, respond)

  #ask<A>(
    sending: Sending,
    decode: (json: unknown) => Option.Option<A>,
    respond: (outcome: A | StoreError) => void
  ): void {
    this.#send(sending, (outcome) => {
      if (outcome instanceof Error) return respond(outcome)
      const decoded = decode(outcome.json)
      respond(Option.getOrElse(decoded, () => this.#noAnswer(notUnderstood)))
    })
  }

  /** Sends once and answers once: with a reply that went well, or with an error. */
  #send(sending: Sending, done: (outcome: Reply | StoreError) => void): void {
    const { timeoutMillis, write } = sending
    const action = write === undefined ? "read" : "write"
    const millis = waitMillis(this.#limits, { action, timeoutMillis })
    const aborting = new AbortController()
    const end = this.runtime.after(millis, () => aborting.abort())
    void this.#exchange(sending, aborting.signal).then((outcome) => {
      end()
      done(outcome)
    })
  }

  async #exchange(sending: Sending, signal: AbortSignal): Promise<Reply | StoreError> {
    const { headers = {}, path, query, write } = sending
    const mayHaveApplied = write !== undefined
    const init = write === undefined ? { headers } : {
      method: "POST",
      headers: { ...write.headers, "content-type": "application/json" },
      body: JSON.stringify(write.json)
    }
    try {
      const response = await this.#fetch(this.#url + path + searchOf(query), { ...init, signal })
      const json = Json.read(await response.text())
      const reply = { status: response.status, headers: response.headers, json }
      return response.ok ? reply : this.#refusalOf(reply, mayHaveApplied)
    } catch (error) {
      if (isRefused(error)) return this.#noAnswer("takes no connections")
      const reason = signal.aborted
        ? "does not answer in time"
        : `answers nothing: ${String(error)}`
      return this.#noAnswer(reason, mayHaveApplied)
    }
  }

  #refusalOf(reply: Reply, mayHaveApplied: boolean): Reply | StoreError {
    const decoded = decodeProblem(reply.json)
    if (Option.isNone(decoded)) return this.#noAnswer(`answers ${reply.status}`, mayHaveApplied)
    const problem = decoded.value
    if (problem.type === absentType) return reply
    const { detail, status, title } = problem
    return errorOf(problem) ?? (status < 500
      ? new InvalidRequest({ setting: "request", value: title, expected: detail })
      : this.#noAnswer(`answers ${status}: ${detail}`, mayHaveApplied))
  }

  #noAnswer(reason: string, mayHaveApplied = false): NoAnswer {
    return new NoAnswer({ reason: `${this.#url} ${reason}`, mayHaveApplied })
  }
}
