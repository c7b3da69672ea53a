/**
 * Carries out requests for single documents: reads a key, a context and settings off each, asks the
 * backend, answers the document.
 *
 * Writes take their handlers raw: a body is checked for size and depth before it is parsed.
 */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { CallBody, itemsMax, type RequestBody } from "../../schemas/ClientRequest.ts"
import type { BucketBody } from "../../schemas/ClusterDescription.ts"
import { Api } from "../../schemas/HttpApi.ts"
import { problemOf } from "../../schemas/Problem.ts"
import type { Action } from "../client/Backend.ts"
import * as Json from "../core/codec/Json.ts"
import { MalformedKey } from "../core/model/DocumentKey.ts"
import { parseKey } from "../core/model/KeyFields.ts"
import { misshapenRequest } from "../core/model/MisshapenRequest.ts"
import * as Errors from "../core/model/StoreError.ts"
import { keepsSiblings } from "../core/strategy/Strategies.ts"
import { answered, documentResponse, type Failure, problemResponse } from "./Answers.ts"
import { type BucketDirectory, timed } from "./BucketDirectory.ts"
import { tagsFault } from "./EntityTag.ts"
import { type BodyOptions, readJson } from "./JsonBody.ts"

type Settings = Pick<
  RequestBody,
  "consistency" | "r" | "w" | "pr" | "pw" | "dw" | "sloppy" | "show"
>

interface Query extends Settings {
  readonly key: string
  readonly timeout?: number
  readonly siblings?: boolean
}

interface Headers {
  readonly "everwrite-after"?: string
  readonly "everwrite-context"?: string
  readonly "everwrite-fingerprint"?: string
  readonly "everwrite-if-unknown"?: NonNullable<RequestBody["ifUnknown"]>
  readonly "idempotency-key"?: string
  readonly "if-none-match"?: string
}

/** A request as it came in, whatever its route. */
interface Incoming {
  readonly params: { readonly bucket: string }
  readonly query: Query
  readonly headers: Headers
}

type Answer = Effect.Effect<HttpServerResponse, Failure, HttpServerRequest>

/** A key as it stands in a query: text for bare keys, else a JSON object. */
export const keyOf = (
  { definition }: BucketBody,
  text: string
): Effect.Effect<Schema.Json, Errors.InvalidKey> =>
  Effect.try({
    try: () => parseKey(definition.key, text),
    catch: (thrown) =>
      new Errors.InvalidKey({
        bucket: definition.name,
        problem: thrown instanceof MalformedKey ? thrown.message : String(thrown)
      })
  })

const bodyOf = ({ headers, query }: Incoming, key: Schema.Json): RequestBody => {
  const { key: _, siblings = false, timeout, ...settings } = query
  const after = (headers["everwrite-after"] ?? "").split(",").map((text) => text.trim())
    .filter((text) => text !== "")
  const context = headers["everwrite-context"]
  const fingerprint = headers["everwrite-fingerprint"]
  const ifUnknown = headers["everwrite-if-unknown"]
  return {
    ...settings,
    key,
    merge: !siblings,
    ...timed(timeout),
    ...(after.length === 0 ? {} : { after }),
    ...(context === undefined ? {} : { context }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(ifUnknown === undefined ? {} : { ifUnknown })
  }
}

const decodeCalls = Schema.decodeUnknownResult(
  Schema.Array(CallBody).check(Schema.isMaxLength(itemsMax))
)

const invalidBody = (value: string, expected: string) =>
  new Errors.InvalidRequest({ setting: "body", value, expected })

/** The operations in a body: the arguments of one, or several with theirs. */
const callsOf = (
  operation: string,
  json: Schema.Json
): Effect.Effect<ReadonlyArray<CallBody>, Errors.InvalidRequest> => {
  if (operation === "edit") {
    const calls = decodeCalls(json)
    return Result.isSuccess(calls)
      ? Effect.succeed(calls.success)
      : Effect.fail(misshapenRequest(calls.failure, { json, whole: "body" }))
  }
  return Array.isArray(json)
    ? Effect.succeed([{ name: operation, args: json }])
    : Effect.fail(invalidBody("no array", "a JSON array of the operation's arguments"))
}

class Documents {
  readonly #directory: BucketDirectory

  constructor(directory: BucketDirectory) {
    this.#directory = directory
  }

  read(incoming: Incoming, siblings: boolean): Answer {
    const fault = tagsFault(incoming.headers["if-none-match"])
    if (fault !== undefined) return Effect.fail(fault)
    return Effect.flatMap(this.#directory.bucket(incoming.params.bucket), (bucket) => {
      const { query } = incoming
      const asked = { ...incoming, query: { ...query, siblings } }
      return this.#request("read", bucket, asked, [])
    })
  }

  write(incoming: Incoming, bucket: BucketBody, calls: ReadonlyArray<CallBody>): Answer {
    const { name, strategy } = bucket.definition
    const deletes = calls.some((call) => call.name === "delete")
    if (deletes && incoming.headers["everwrite-context"] === undefined && keepsSiblings(strategy)) {
      return Effect.fail(new Errors.ContextRequired({ bucket: name }))
    }
    return this.#request("write", bucket, incoming, calls)
  }

  #request(
    action: Action,
    bucket: BucketBody,
    incoming: Incoming,
    calls: ReadonlyArray<CallBody>
  ): Answer {
    const { name } = bucket.definition
    const { siblings = false } = incoming.query
    const { contextHeaderBytesMax } = this.#directory.limits
    return keyOf(bucket, incoming.query.key).pipe(
      Effect.flatMap((key) => {
        const body = bodyOf(incoming, key)
        const id = incoming.headers["idempotency-key"]
        const named = id === undefined ? {} : { id }
        const request = { action, bucket: name, body: { ...body, calls }, ...named }
        return this.#directory.request(request)
      }),
      Effect.map((answer) =>
        documentResponse(answer, {
          siblings,
          absentIsFine: action === "write",
          contextHeaderBytesMax,
          known: incoming.headers["if-none-match"]
        })
      )
    )
  }
}

/** A bucket of a data type has no whole value to write. */
const notWritable = ({ definition, operations }: BucketBody) => {
  const error = new Errors.UnknownOperation({
    bucket: definition.name,
    operation: "put",
    known: Object.keys(operations)
  })
  return problemResponse({ ...problemOf(error), status: 405 }, { allow: "GET, DELETE" })
}

/** The body is the one argument of a put, so the path to a fault begins in it. */
const inBody = (failure: Failure): Failure => {
  if (!(failure instanceof Errors.InvalidValue)) return failure
  const { bucket, path, problem } = failure
  return new Errors.InvalidValue({ bucket, path: path.replace(/^\$\[0\]/u, "$"), problem })
}

export const layerDocuments = (directory: BucketDirectory) => {
  const documents = new Documents(directory)
  const { admission, limits: { bodyBytesMax } } = directory
  const bodyOptions = (bucket: string, levels: number): BodyOptions => ({
    admission,
    bucket,
    levels,
    bodyBytesMax,
    refuse: ({ path, problem }) => {
      // It begins where a program would give the value, or the arguments of an operation.
      const where = Json.pathText(path.slice(Math.max(0, levels - 1)))
      return new Errors.InvalidValue({ bucket, path: where, problem })
    }
  })
  return HttpApiBuilder.group(Api, "documents", (handlers) =>
    handlers
      .handle("get", (incoming) =>
        answered(documents.read(incoming, incoming.query.siblings ?? false)))
      .handle("siblings", (incoming) =>
        answered(documents.read(incoming, true)))
      .handle("delete", (incoming) =>
        answered(Effect.gen(function*() {
          const bucket = yield* directory.bucket(incoming.params.bucket)
          return yield* documents.write(incoming, bucket, [{ name: "delete", args: [] }])
        })))
      .handleRaw("put", (incoming) =>
        answered(Effect.gen(function*() {
          const bucket = yield* directory.bucket(incoming.params.bucket)
          if (!Object.hasOwn(bucket.operations, "put")) return notWritable(bucket)
          const { name } = bucket.definition
          const value = yield* readJson(incoming.request, bodyOptions(name, 0))
          const putting = documents.write(incoming, bucket, [{ name: "put", args: [value] }])
          return yield* Effect.mapError(putting, inBody)
        })))
      .handleRaw("operate", (incoming) =>
        answered(Effect.gen(function*() {
          const { operation } = incoming.params
          const bucket = yield* directory.bucket(incoming.params.bucket)
          // Around a value stand the arguments, and in an edit the operation and the array of them.
          const levels = operation === "edit" ? 3 : 1
          const { name } = bucket.definition
          const json = yield* readJson(incoming.request, bodyOptions(name, levels))
          const calls = yield* callsOf(operation, json)
          return yield* documents.write(incoming, bucket, calls)
        }))))
}
