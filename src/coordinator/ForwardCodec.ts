/**
 * Writes and reads a forwarded request and its answer, as JSON in a message between nodes: version
 * 2, within which fields are only added, each optional. The request of version 1 named the
 * incarnation that it asked; its answer was the outcome alone.
 */
import * as Schema from "effect/Schema"
import { RequestBody } from "../../schemas/ClientRequest.ts"
import * as Json from "../core/codec/Json.ts"
import { BucketName } from "../core/model/Names.ts"
import { anonymous, Principal } from "../core/model/Principal.ts"
import * as Errors from "../core/model/StoreError.ts"
import { TraceParent } from "../core/model/TraceParent.ts"
import type { Request } from "./Request.ts"

const ForwardBody = Schema.Struct({
  action: Schema.Literals(["read", "write"]),
  bucket: BucketName,
  body: RequestBody,
  /** Absent for an anonymous client, and from nodes that know of no other. */
  principal: Schema.optionalKey(Principal),
  /** Names this message among those of its sender. Version 1 has none. */
  sending: Schema.optionalKey(Schema.Int),
  /** The span that the request belongs to; absent where none is known. */
  trace: Schema.optionalKey(TraceParent)
})

/** A client's answer is put together of these texts as they are. */
const JsonText = Schema.String.check(
  Schema.makeFilter((text) => Json.read(text) !== undefined, { expected: "JSON" })
)

const AnswerBody = Schema.Struct({
  _tag: Schema.tag("Answer"),
  values: Schema.Array(JsonText),
  context: Schema.String.check(Schema.isPattern(/^[\w-]*$/u)),
  replied: Schema.Int,
  siblings: Schema.Int,
  lost: Schema.optionalKey(Schema.Literal(true)),
  unshown: Schema.optionalKey(Schema.Literal(true))
})

const Outcome = Schema.Union([AnswerBody, Errors.StoreError])

const ForwardedBody = Schema.Struct({
  outcome: Outcome,
  /** The sending that is answered. */
  sending: Schema.Int,
  /** Of the node that answers, now. */
  mark: Schema.String
})

export type Forwarded = typeof ForwardedBody.Type

/** A forwarded request, and the number of its sending; -1 where it has none. */
export interface ForwardedRequest {
  readonly request: Request
  readonly sending: number
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const encodeForward = Schema.encodeSync(ForwardBody)
const decodeForward = Schema.decodeUnknownOption(ForwardBody)
const encodeForwarded = Schema.encodeSync(ForwardedBody)
const decodeForwarded = Schema.decodeUnknownOption(ForwardedBody)

/** The body of a `Forward`. */
export const writeForward = ({ request, sending }: ForwardedRequest): Uint8Array => {
  const { action, body, principal, trace } = request
  const bucket = BucketName.make(request.bucket)
  const asks = {
    ...principal._tag === "Anonymous" ? {} : { principal },
    ...trace === undefined ? {} : { trace }
  }
  return encoder.encode(JSON.stringify(encodeForward({ action, bucket, body, ...asks, sending })))
}

/** The request in a `Forward`; undefined if it is none. */
export const readForward = (bytes: Uint8Array): ForwardedRequest | undefined => {
  const decoded = decodeForward(Json.read(decoder.decode(bytes)))
  if (decoded._tag === "None") return undefined
  const { principal = anonymous, sending = -1, ...request } = decoded.value
  return { request: { ...request, principal, forwarded: true }, sending }
}

/** The body of the answer to a `Forward`. */
export const writeForwarded = (forwarded: Forwarded): Uint8Array =>
  encoder.encode(JSON.stringify(encodeForwarded(forwarded)))

/** The answer to a `Forward`; undefined if it is none. */
export const readForwarded = (bytes: Uint8Array): Forwarded | undefined => {
  const decoded = decodeForwarded(Json.read(decoder.decode(bytes)))
  return decoded._tag === "None" ? undefined : decoded.value
}
