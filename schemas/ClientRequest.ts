/**
 * Describes the requests of clients to a node, over NATS, HTTP and in process alike, as JSON:
 * version 1.
 *
 * On NATS a message to `everwrite.<cluster>.v1.read.<bucket>.get` or
 * `everwrite.<cluster>.v1.write.<bucket>.<operation>` holds one request or an array of them,
 * and its reply one answer or an array, matched by `id`. A hand-written request needs no more
 * than a key, and a write its arguments: `{"key":"hello","args":["world"]}`.
 *
 * The version is the `v1` of the subject and of the HTTP path. Within it fields are only added,
 * each optional; a node ignores those that it does not know.
 */
import * as Schema from "effect/Schema"
import { Consistency, Replicas } from "../src/core/model/Settings.ts"

/** The most operations, and the most contexts, in one request. */
export const itemsMax = 1000

/** The longest name of a session, in UTF-16 units. */
export const sessionLengthMax = 64

/** One operation with its arguments, such as `{"name":"lines.add","args":["apple",2]}`. */
export const CallBody = Schema.Struct({
  name: Schema.String,
  args: Schema.Array(Schema.Json)
})
export type CallBody = typeof CallBody.Type

/** Names an operation, so that a retry is answered and not applied again. */
export const OperationIdBody = Schema.Struct({
  session: Schema.NonEmptyString.check(Schema.isMaxLength(sessionLengthMax)),
  sequence: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  /** When it was issued, in milliseconds since 1970. */
  at: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
})
export type OperationIdBody = typeof OperationIdBody.Type

export const RequestBody = Schema.Struct({
  /** Given back with the answer. */
  id: Schema.optionalKey(Schema.Int),
  /** A text, or an object of the key's fields. */
  key: Schema.Json,
  /** Refused where the node knows the bucket by another. */
  fingerprint: Schema.optionalKey(Schema.String),
  /** The arguments of the operation that the subject names. */
  args: Schema.optionalKey(Schema.Array(Schema.Json)),
  /** Several operations as one change: all or none. */
  calls: Schema.optionalKey(Schema.Array(CallBody).check(Schema.isMaxLength(itemsMax))),
  /** The context of the read that this write follows. */
  context: Schema.optionalKey(Schema.String),
  /** Contexts that the answer must cover: those that the session has seen of this document. */
  after: Schema.optionalKey(Schema.Array(Schema.String).check(Schema.isMaxLength(itemsMax))),
  operationId: Schema.optionalKey(OperationIdBody),
  /** Whether a node with the bucket's code should make one value of several. */
  merge: Schema.optionalKey(Schema.Boolean),
  consistency: Schema.optionalKey(Consistency),
  r: Schema.optionalKey(Replicas),
  w: Schema.optionalKey(Replicas),
  pr: Schema.optionalKey(Replicas),
  pw: Schema.optionalKey(Replicas),
  dw: Schema.optionalKey(Replicas),
  timeoutMillis: Schema.optionalKey(
    Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 60_000 }))
  )
})
export type RequestBody = typeof RequestBody.Type
