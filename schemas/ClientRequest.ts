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
import { NodeId } from "../src/core/model/Names.ts"
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

/** The most nodes that a request names as tried. */
export const triedMax = 64

/** Names an operation, so that a retry is answered and not applied again. */
export const OperationIdBody = Schema.Struct({
  session: Schema.NonEmptyString.check(
    Schema.isMaxLength(sessionLengthMax),
    Schema.makeFilter((text) => text.isWellFormed(), { expected: "well-formed text" })
  ),
  sequence: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
})
export type OperationIdBody = typeof OperationIdBody.Type

export const markPattern = /^(?:[0-9a-z]{15}\.[0-9]{1,15})?$/u

/** A mark, as a node wrote it with an answer; empty asks for one. */
export const MarkText = Schema.String.check(Schema.isPattern(markPattern))

/** Bytes of an answer. */
export const AnswerBytes = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** A node to which this operation was sent before, and which has not refused it. */
export const TriedBody = Schema.Struct({
  node: NodeId,
  /** The mark that the request to it named; absent where it named none. */
  mark: Schema.optionalKey(MarkText),
  /** The client believes it down: nobody waits for its word. */
  unreachable: Schema.optionalKey(Schema.Literal(true))
})
export type TriedBody = typeof TriedBody.Type

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
  /**
   * The newest mark of the asked node that the client has, learnt before the id was drawn or after
   * this node refused it. Without one the history of the id is unknown: all owners are asked
   * whether they have carried it out. An empty one is answered by `StaleMark`.
   */
  mark: Schema.optionalKey(MarkText),
  /** Where the id was sent before, the asked node too if it was. */
  tried: Schema.optionalKey(Schema.Array(TriedBody).check(Schema.isMaxLength(triedMax))),
  /** What to do where nobody can tell whether the operation was applied: `fail` by default. */
  ifUnknown: Schema.optionalKey(Schema.Literals(["fail", "apply"])),
  /**
   * Bytes of the largest answer that the client puts together from parts (`AnswerPart`). Without
   * it an answer is one message: a read of which the answer is larger is refused, and a write is
   * answered without its value (`UnshownBody`).
   */
  answerBytesMax: Schema.optionalKey(AnswerBytes),
  /**
   * Whether a write is answered with its document: `small`, the default, where that is no larger
   * than the node's `shownBytesMax`, else without a value (`UnshownBody`); `always` asks for it.
   */
  show: Schema.optionalKey(Schema.Literals(["small", "always"])),
  /** Whether a node with the bucket's code should make one value of several. */
  merge: Schema.optionalKey(Schema.Boolean),
  consistency: Schema.optionalKey(Consistency),
  r: Schema.optionalKey(Replicas),
  w: Schema.optionalKey(Replicas),
  pr: Schema.optionalKey(Replicas),
  pw: Schema.optionalKey(Replicas),
  dw: Schema.optionalKey(Replicas),
  /**
   * Whether other nodes may stand in for primaries that do not answer, as they do by default. With
   * `false` only primaries are asked, and count.
   */
  sloppy: Schema.optionalKey(Schema.Boolean),
  timeoutMillis: Schema.optionalKey(
    Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 60_000 }))
  )
})
export type RequestBody = typeof RequestBody.Type
