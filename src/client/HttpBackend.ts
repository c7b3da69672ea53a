/**
 * Carries a client's requests to one node over HTTP: for people's tools, and for programs that
 * cannot reach the broker. It asks once; where the outcome is unknown it answers `NoAnswer`, which
 * says whether a write may have applied.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { readOutcome } from "../../schemas/AnswerText.ts"
import { AnyDescription } from "../../schemas/ClusterDescription.ts"
import { ClusterStatus } from "../../schemas/ClusterStatus.ts"
import { Explanation } from "../../schemas/Explanation.ts"
import { HintReport } from "../../schemas/HintReport.ts"
import { KeyPage } from "../../schemas/KeyPage.ts"
import { SyncReport } from "../../schemas/SyncReport.ts"
import { errorOf, Problem } from "../../schemas/Problem.ts"
import * as Json from "../core/codec/Json.ts"
import { clientClosed } from "../core/model/Closed.ts"
import { lan } from "../core/model/Limits.ts"
import { hideAddresses, publicAddress } from "../core/model/PublicAddress.ts"
import { Cancelled, InvalidRequest, NoAnswer, type StoreError } from "../core/model/StoreError.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { TraceParent } from "../core/model/TraceParent.ts"
import type { Action, Backend, BackendRespond } from "./Backend.ts"
import { namedBody } from "./NamedBody.ts"
import { type WaitLimits, waitMillis } from "./RemoteRequest.ts"
import type { Cancel } from "./Task.ts"

export interface HttpBackendOptions {
  readonly runtime: Runtime
  /** Of a node, such as `http://127.0.0.1:7420`. */
  readonly url: string
  /** Sent with each request, to a node that asks for one. */
  readonly token?: string | undefined
  /** The global one unless another is given. */
  readonly fetch?: typeof globalThis.fetch
  /** Those of a local network unless others are given. */
  readonly limits?: WaitLimits
}

/** A path below the node's URL, and what is sent there. */
interface Sending {
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly timeoutMillis?: number | undefined
  /** Sent by POST as JSON; without it the request is a GET. */
  readonly body?: object
  readonly action: Action
  /** The span that it belongs to. */
  readonly trace?: TraceParent | undefined
}

interface Reply {
  readonly status: number
  readonly json: unknown
}

const notUnderstood = "answers what is not understood"

const decodeProblem = Schema.decodeUnknownOption(Problem)
const decodeDescription = Schema.decodeUnknownOption(AnyDescription)
const decodeExplanation = Schema.decodeUnknownOption(Explanation)
const decodeHints = Schema.decodeUnknownOption(HintReport)
const decodePage = Schema.decodeUnknownOption(KeyPage)
const decodeStatus = Schema.decodeUnknownOption(ClusterStatus)
const decodeSync = Schema.decodeUnknownOption(SyncReport)
const { node: { syncMillis } } = lan

const keyText = (key: Schema.Json): string => typeof key === "string" ? key : JSON.stringify(key)

const searchOf = (query: Sending["query"] = {}): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value))
  }
  return search.size === 0 ? "" : `?${search.toString()}`
}

const isRefused = (error: unknown): boolean =>
  error instanceof Error && error.cause instanceof Error && "code" in error.cause
  && error.cause.code === "ECONNREFUSED"

export class HttpBackend implements Backend {
  readonly runtime: Runtime
  readonly #url: string
  readonly #fetch: typeof globalThis.fetch

  readonly #limits: WaitLimits
  readonly #token: string | undefined
  readonly #underWay = new Set<AbortController>()
  #isClosed = false

  constructor(options: HttpBackendOptions) {
    this.#limits = options.limits ?? lan.client
    this.runtime = options.runtime
    this.#token = options.token
    this.#url = options.url.replace(/\/+$/u, "")
    this.#fetch = options.fetch ?? globalThis.fetch
  }

  readonly request: Backend["request"] = (request, respond) => {
    const { action, bucket, trace } = request
    // A request goes out once: only a user that gives it again has to name it.
    const body = namedBody(request)
    const path = `/v1/buckets/${bucket}/${action}`
    let hasEnded = false
    const end: BackendRespond = (outcome) => {
      if (!hasEnded) respond(outcome)
      hasEnded = true
    }
    const sending = { path, action, body, timeoutMillis: body.timeoutMillis, trace }
    const abort = this.#send(sending, (outcome) => {
      if (outcome instanceof Error) return end(outcome)
      end(readOutcome(outcome.json) ?? this.#noAnswer(notUnderstood, action === "write"))
    })
    return () => {
      end(new Cancelled({ mayHaveApplied: action === "write" }))
      abort()
    }
  }

  readonly explain: Backend["explain"] = ({ bucket, key, timeoutMillis }, respond) => {
    const query = { bucket, key: keyText(key), timeout: timeoutMillis }
    this.#ask(
      { path: "/v1/explain", action: "read", query, timeoutMillis },
      decodeExplanation,
      respond
    )
  }

  readonly list: Backend["list"] = ({ bucket, timeoutMillis, ...asked }, respond) => {
    const { after, limit, partial } = asked
    const query = { after, limit, partial, timeout: timeoutMillis }
    const path = `/v1/buckets/${bucket}/keys`
    this.#ask({ path, action: "read", query, timeoutMillis }, decodePage, respond)
  }

  readonly sync: Required<Backend>["sync"] = ({ bucket, timeoutMillis = syncMillis }, respond) => {
    const query = { bucket, timeout: timeoutMillis }
    this.#ask(
      { path: "/v1/sync", action: "read", query, body: {}, timeoutMillis },
      decodeSync,
      respond
    )
  }

  readonly status: Required<Backend>["status"] = ({ timeoutMillis }, respond) => {
    const query = { timeout: timeoutMillis }
    this.#ask({ path: "/v1/status", action: "read", query, timeoutMillis }, decodeStatus, respond)
  }

  readonly hints: Required<Backend>["hints"] = (respond) =>
    this.#ask({ path: "/v1/hints", action: "read" }, decodeHints, respond)

  readonly describe: Backend["describe"] = (respond) =>
    this.#ask({ path: "/v1/cluster", action: "read" }, decodeDescription, respond)

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

  /** Ends every request at once, and fails those that follow. */
  close(): void {
    this.#isClosed = true
    for (const aborting of this.#underWay) aborting.abort()
  }

  /** Sends once and answers once: with a reply that went well, or with an error. */
  #send(sending: Sending, done: (outcome: Reply | StoreError) => void): Cancel {
    if (this.#isClosed) {
      done(clientClosed())
      return () => undefined
    }
    const { action, timeoutMillis } = sending
    const millis = waitMillis(this.#limits, { action, timeoutMillis })
    const aborting = new AbortController()
    const end = this.runtime.after(millis, () => aborting.abort())
    this.#underWay.add(aborting)
    void this.#exchange(sending, aborting.signal).then((outcome) => {
      end()
      this.#underWay.delete(aborting)
      done(outcome)
    })
    return () => aborting.abort()
  }

  async #exchange(sending: Sending, signal: AbortSignal): Promise<Reply | StoreError> {
    const { action, body, path, query, trace } = sending
    const mayHaveApplied = action === "write"
    const own: Readonly<Record<string, string>> = {
      ...this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` },
      ...trace === undefined ? {} : { traceparent: trace }
    }
    const init = body === undefined ? { headers: own } : {
      method: "POST",
      headers: { "content-type": "application/json", ...own },
      body: JSON.stringify(body)
    }
    try {
      const response = await this.#fetch(this.#url + path + searchOf(query), { ...init, signal })
      const json = Json.read(await response.text())
      const reply = { status: response.status, json }
      return response.ok ? reply : this.#refusalOf(reply, mayHaveApplied)
    } catch (error) {
      if (this.#isClosed) return clientClosed(mayHaveApplied)
      if (isRefused(error)) return this.#noAnswer("takes no connections")
      const reason = signal.aborted
        ? "does not answer in time"
        : `answers nothing: ${this.#withoutSecrets(String(error))}`
      return this.#noAnswer(reason, mayHaveApplied)
    }
  }

  #refusalOf(reply: Reply, mayHaveApplied: boolean): StoreError {
    const decoded = decodeProblem(reply.json)
    if (Option.isNone(decoded)) return this.#noAnswer(`answers ${reply.status}`, mayHaveApplied)
    const problem = decoded.value
    const { detail, status, title } = problem
    return errorOf(problem) ?? (status < 500
      ? new InvalidRequest({ setting: "request", value: title, expected: detail })
      : this.#noAnswer(`answers ${status}: ${detail}`, mayHaveApplied))
  }

  /** A token that is no header's value stands in the text of that error, and so does an address. */
  #withoutSecrets(text: string): string {
    const shown = hideAddresses(text, [this.#url])
    return this.#token === undefined ? shown : shown.replaceAll(this.#token, "...")
  }

  #noAnswer(reason: string, mayHaveApplied = false): NoAnswer {
    return new NoAnswer({ reason: `${publicAddress(this.#url)} ${reason}`, mayHaveApplied })
  }
}
