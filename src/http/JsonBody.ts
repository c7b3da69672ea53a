/**
 * Reads the JSON body of a request, and stops reading where it is too large, no JSON, or nested so
 * deep that reading it would cost more than refusing it.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type * as Schema from "effect/Schema"
import * as Json from "../core/codec/Json.ts"
import { depthMax } from "../core/model/CanonicalJson.ts"
import { InvalidRequest, InvalidValue, type StoreError } from "../core/model/StoreError.ts"
import { type Failure, problem } from "./Answers.ts"

const decoder = new TextDecoder("utf-8", { fatal: true })

const tooLarge = (bodyBytesMax: number) =>
  problem("TooLarge", {
    status: 413,
    title: "Body too large",
    detail: `a body has at most ${bodyBytesMax} bytes`
  })

const notJson = (contentType: string | undefined) =>
  problem("NotJson", {
    status: 415,
    title: "Body is not JSON",
    detail: `content-type is ${contentType ?? "missing"}, expected application/json`
  })

const malformed = (expected: string) =>
  new InvalidRequest({ setting: "body", value: "malformed", expected })

const mediaType = (contentType: string | undefined): string | undefined =>
  contentType?.split(";")[0]?.trim().toLowerCase()

const parse = (
  text: string,
  refuse: BodyOptions["refuse"]
): Effect.Effect<Schema.Json, StoreError> =>
  Effect.try({
    try: () => Json.parse(text),
    catch: (thrown) => thrown instanceof Json.InexactNumber ? refuse(thrown) : malformed("JSON")
  })

export interface BodyOptions {
  /** Fails where the body is not to be read. */
  readonly admission: Effect.Effect<void, StoreError>
  readonly bucket: string
  /** How deep the request itself nests the values in the body. */
  readonly levels: number
  readonly bodyBytesMax: number
  /** The error of a body with a number that no double holds as it is written. */
  readonly refuse: (fault: Json.Fault) => StoreError
}

/**
 * The value of the body.
 *
 * A content type is asked for even where there is nothing to misread: a page of another origin can
 * send a body of any other type without the browser's asking first.
 */
export const readJson = Effect.fnUntraced(function*(
  request: HttpServerRequest,
  options: BodyOptions
): Effect.fn.Return<Schema.Json, Failure> {
  const { admission, bodyBytesMax } = options
  const { headers } = request
  yield* admission
  const contentType = headers["content-type"]
  if (mediaType(contentType) !== "application/json") return yield* Effect.fail(notJson(contentType))
  const refusal = tooLarge(bodyBytesMax)
  if (Number(headers["content-length"]) > bodyBytesMax) return yield* Effect.fail(refusal)
  const bytes = yield* request.arrayBuffer.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(bodyBytesMax)),
    Effect.mapError(({ reason }) =>
      "reason" in reason && reason.reason === "BodyTooLarge" ? refusal : malformed("a whole body")
    )
  )
  const text = yield* Effect.try({
    try: () => decoder.decode(bytes),
    catch: () => malformed("UTF-8")
  })
  if (Json.isDeeperThan(text, depthMax + options.levels)) {
    const { bucket } = options
    const fault = `nested deeper than ${depthMax} levels`
    return yield* new InvalidValue({ bucket, path: "$", problem: fault })
  }
  return yield* parse(text, options.refuse)
})
