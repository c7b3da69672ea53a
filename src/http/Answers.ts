/**
 * Makes HTTP responses of the outcomes of requests: documents with their contexts, and problems.
 */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import {
  absentType,
  type Problem,
  problemContentType,
  problemOf,
  typePrefix
} from "../../schemas/Problem.ts"
import type { BackendAnswer } from "../client/Backend.ts"
import type { StoreError } from "../core/model/StoreError.ts"
import { entityTag, isKnown } from "./EntityTag.ts"

/** The reason why a request is not carried out. */
export type Failure = StoreError | Problem

type Response = HttpServerResponse.HttpServerResponse
type Headers = Readonly<Record<string, string>>

/** Most outages are over after a second: another replica answers, or a commit ends. */
export const retryAfterSeconds = "1"

/** In whole seconds. */
const retryAfterOf = (failure: Failure): string =>
  "retryAfterMillis" in failure
    ? String(Math.ceil(Number(failure.retryAfterMillis) / 1_000))
    : retryAfterSeconds

/** JSON ends its line, so that the prompt of a shell begins the next one. */
export const jsonResponse = (
  text: string,
  options: {
    readonly status?: number
    readonly contentType?: string
    readonly headers?: Headers
  } = {}
): Response => HttpServerResponse.text(`${text}\n`, { contentType: "application/json", ...options })

export const problemResponse = (failure: Failure, headers: Headers = {}): Response => {
  const problem = failure instanceof Error ? problemOf(failure) : failure
  return jsonResponse(JSON.stringify(problem), {
    status: problem.status,
    contentType: problemContentType,
    headers: problem.status === 503 ? { ...headers, "retry-after": retryAfterOf(failure) } : headers
  })
}

/** Answers a failure as a problem. */
export const answered = <R>(
  response: Effect.Effect<Response, Failure, R>
): Effect.Effect<Response, never, R> =>
  Effect.catch(response, (failure) => Effect.succeed(problemResponse(failure)))

export const problem = (
  name: string,
  problem: { readonly status: number; readonly title: string; readonly detail: string }
): Problem => ({ type: typePrefix + name, ...problem })

const absent: Problem = {
  type: absentType,
  title: "Absent",
  status: 404,
  detail: "nothing is stored under this key"
}

export interface DocumentOptions {
  /** Whether the caller asked for all siblings, be there several or not. */
  readonly siblings: boolean
  /** Whether an absent document is no error: a write may leave none. */
  readonly absentIsFine: boolean
  readonly contextHeaderBytesMax: number
  /** The tags of what a reader has, as `If-None-Match`; left out by a write. */
  readonly known?: string | undefined
}

/** A header that a client or a proxy cannot read would lose the whole answer, of a write too. */
const contextHeaders = (context: string, bytesMax: number): Headers =>
  context.length <= bytesMax
    ? { "everwrite-context": context }
    : { "everwrite-context-omitted": String(context.length) }

/**
 * A value, or `{"siblings":[...]}` where there are several or they were asked for; which of the
 * two the headers say, since a value may look like the other.
 */
export const documentResponse = (answer: BackendAnswer, options: DocumentOptions): Response => {
  const { context, lost, replied, siblings, unshown, values } = answer
  const texts = answer.texts ?? values.map((value) => JSON.stringify(value))
  const headers = {
    ...contextHeaders(context, options.contextHeaderBytesMax),
    "everwrite-replied": String(replied),
    ...(lost === true ? { "everwrite-lost": "true" } : {}),
    ...(unshown === true ? { "everwrite-unshown": "true" } : {}),
    "cache-control": "no-store"
  }
  if (values.length === 0) {
    return options.absentIsFine
      ? HttpServerResponse.empty({ status: 204, headers })
      : problemResponse(absent, headers)
  }
  const isList = values.length > 1 || options.siblings
  const text = isList ? `{"siblings":[${texts.join(",")}]}` : texts[0] ?? "null"
  const merged: Headers = siblings > 1 ? { "everwrite-merged": String(siblings) } : {}
  const shown: Headers = isList ? { "everwrite-siblings": String(values.length) } : merged
  const all = { ...headers, ...shown }
  if (options.absentIsFine) return jsonResponse(text, { headers: all })
  const etag = entityTag([context, text, ...Object.entries(shown).flat()])
  // A loss is told once, and has to be seen.
  return lost !== true && isKnown(options.known, etag)
    ? HttpServerResponse.empty({ status: 304, headers: { ...all, etag } })
    : jsonResponse(text, { headers: { ...all, etag } })
}
