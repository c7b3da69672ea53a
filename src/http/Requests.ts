/**
 * Carries out requests of programs in the form that they have over NATS: everything is in the body,
 * contexts too, so that no header limits the history that a document may have.
 */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { answerText } from "../../schemas/AnswerText.ts"
import { RequestBody } from "../../schemas/ClientRequest.ts"
import { Api } from "../../schemas/HttpApi.ts"
import type { Action, BackendAnswer } from "../client/Backend.ts"
import { misshapenRequest } from "../core/model/MisshapenRequest.ts"
import { misreadRequest } from "../core/model/MisreadRequest.ts"
import * as Errors from "../core/model/StoreError.ts"
import { answered, type Failure, jsonResponse } from "./Answers.ts"
import type { BucketDirectory } from "./BucketDirectory.ts"
import { readJson } from "./JsonBody.ts"

const decodeBody = Schema.decodeUnknownResult(RequestBody)

/** Around a value stand the body, its calls, one call and the array of its arguments. */
const levels = 4

const bodyOf = (json: Schema.Json): Effect.Effect<RequestBody, Errors.InvalidRequest> => {
  const body = decodeBody(json)
  return Result.isSuccess(body) ? Effect.succeed(body.success) : Effect.fail(
    misshapenRequest(body.failure, { json, whole: "body" })
  )
}

const responseOf = (answer: BackendAnswer): HttpServerResponse.HttpServerResponse => {
  const values = answer.texts ?? answer.values.map((value) => JSON.stringify(value))
  const text = answerText(undefined, { ...answer, values })
  const headers = { "cache-control": "no-store" }
  return jsonResponse(text, { headers })
}

/** A read that brings operations, or a write without any, is sent to the wrong route. */
const misrouted = (action: Action, { args, calls }: RequestBody): boolean =>
  args !== undefined || (action === "read") !== (calls === undefined)

export const layerRequests = (directory: BucketDirectory) => {
  const { admission, limits: { bodyBytesMax } } = directory
  const request = Effect.fnUntraced(function*(
    action: Action,
    name: string,
    incoming: HttpServerRequest
  ): Effect.fn.Return<HttpServerResponse.HttpServerResponse, Failure, HttpServerRequest> {
    const { definition } = yield* directory.bucket(name)
    const bucket = definition.name
    const json = yield* readJson(incoming, {
      admission,
      bucket,
      levels,
      bodyBytesMax,
      refuse: (fault) => misreadRequest(bucket, fault)
    })
    const body = yield* bodyOf(json)
    if (misrouted(action, body)) {
      const expected = action === "read" ? "none in a read" : "in a write, and no `args`"
      return yield* new Errors.InvalidRequest({ setting: "calls", value: "not valid", expected })
    }
    return responseOf(yield* directory.request({ action, bucket, body }))
  })
  return HttpApiBuilder.group(Api, "requests", (handlers) =>
    handlers
      .handleRaw("read", ({ params, request: incoming }) =>
        answered(request("read", params.bucket, incoming)))
      .handleRaw("write", ({ params, request: incoming }) =>
        answered(request("write", params.bucket, incoming))))
}
