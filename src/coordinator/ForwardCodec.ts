/**
 * Writes and reads a forwarded request and its answer, as JSON in a message between nodes: version
 * 1, within which fields are only added, each optional, so that any two nodes understand it.
 */
import * as Schema from "effect/Schema"
import { RequestBody } from "../../schemas/ClientRequest.ts"
import * as Json from "../core/codec/Json.ts"
import { BucketName } from "../core/model/Names.ts"
import { anonymous, Principal } from "../core/model/Principal.ts"
import * as Errors from "../core/model/StoreError.ts"
import type { Request } from "./Request.ts"

const ForwardBody = Schema.Struct({
  action: Schema.Literals(["read", "write"]),
  bucket: BucketName,
  body: RequestBody,
  /** Absent for an anonymous client, and from nodes that know of no other. */
  principal: Schema.optionalKey(Principal),
  /** The incarnation of the node that is asked; empty where it is not known. */
  to: Schema.String
})

const AnswerBody = Schema.Struct({
  _tag: Schema.tag("Answer"),
  values: Schema.Array(Schema.String),
  context: Schema.String,
  replied: Schema.Int,
  siblings: Schema.Int,
  lost: Schema.optionalKey(Schema.Literal(true))
})

/** The incarnation that was asked is not the present one, which did nothing. */
const OtherIncarnation = Schema.Struct({
  _tag: Schema.tag("OtherIncarnation"),
  asked: Schema.String
})

const ForwardedBody = Schema.Union([AnswerBody, OtherIncarnation, Errors.StoreError])

export type Forwarded = typeof ForwardedBody.Type

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const encodeForward = Schema.encodeSync(ForwardBody)
const decodeForward = Schema.decodeUnknownOption(ForwardBody)
const encodeForwarded = Schema.encodeSync(ForwardedBody)
const decodeForwarded = Schema.decodeUnknownOption(ForwardedBody)

/** The body of a `Forward` to this incarnation of a node. */
export const writeForward = (request: Request, to: string): Uint8Array => {
  const { action, body, principal } = request
  const bucket = BucketName.make(request.bucket)
  const asks = principal._tag === "Anonymous" ? {} : { principal }
  return encoder.encode(JSON.stringify(encodeForward({ action, bucket, body, ...asks, to })))
}

/** The request in a `Forward`, and the incarnation it asks; undefined if it is none. */
export const readForward = (
  bytes: Uint8Array
): { readonly request: Request; readonly to: string } | undefined => {
  const decoded = decodeForward(Json.read(decoder.decode(bytes)))
  if (decoded._tag === "None") return undefined
  const { principal = anonymous, to, ...request } = decoded.value
  return { request: { ...request, principal, forwarded: true }, to }
}

/** The body of the answer to a `Forward`. */
export const writeForwarded = (outcome: Forwarded): Uint8Array =>
  encoder.encode(JSON.stringify(encodeForwarded(outcome)))

/** The answer to a `Forward`; undefined if it is none. */
export const readForwarded = (bytes: Uint8Array): Forwarded | undefined => {
  const decoded = decodeForwarded(Json.read(decoder.decode(bytes)))
  return decoded._tag === "None" ? undefined : decoded.value
}
