/**
 * Describes a node's answers to clients, as JSON: version 1, that of the request's subject; within
 * it fields are only added. `AnswerText` writes and reads them.
 */
import * as Schema from "effect/Schema"
import { StoreError } from "../src/core/model/StoreError.ts"

/** The node that answers, and its mark at that moment, for later requests to it. */
const senderFields = {
  node: Schema.optionalKey(Schema.String),
  mark: Schema.optionalKey(Schema.String)
}

/** An answer to a request that succeeded. */
export const AnswerBody = Schema.Struct({
  id: Schema.optionalKey(Schema.Int),
  ...senderFields,
  /** None where nothing is stored; several where siblings were not merged. */
  values: Schema.Array(Schema.Json),
  /** For the next write, and for the next read of the session. */
  context: Schema.String,
  /** Replicas that had answered. */
  replied: Schema.Int,
  /** How many siblings were joined into `values`. */
  siblings: Schema.Int,
  /**
   * The session has seen what is lost for ever, with the disks that had it. It is told once: the
   * context has forgotten it.
   */
  lost: Schema.optionalKey(Schema.Literal(true))
})
export type AnswerBody = typeof AnswerBody.Type

/**
 * An answer to a write that was carried out, and whose value is not shown: it is more than the
 * client takes or than there is room for, or it cannot be read. The next read shows it, or says
 * why not. It has no `values`, so that nobody takes it for an empty document.
 */
export const UnshownBody = Schema.Struct({
  id: Schema.optionalKey(Schema.Int),
  ...senderFields,
  unshown: Schema.Literal(true),
  context: Schema.String,
  replied: Schema.Int,
  lost: Schema.optionalKey(Schema.Literal(true))
})
export type UnshownBody = typeof UnshownBody.Type

/** An answer to a request that failed. */
export const ErrorBody = Schema.Struct({
  id: Schema.optionalKey(Schema.Int),
  ...senderFields,
  error: StoreError
})
export type ErrorBody = typeof ErrorBody.Type

export const ReplyBody = Schema.Union([AnswerBody, UnshownBody, ErrorBody])
export type ReplyBody = typeof ReplyBody.Type

/** An answer as a client takes it: told from an error by its tag. */
export interface TaggedAnswer extends Omit<AnswerBody, "id" | "node" | "mark"> {
  readonly _tag: "Answer"
  /** The write was carried out, and `values` are not those of the document: there are none. */
  readonly unshown?: true
}

/** The node that gave an answer or an error, and its mark at that moment. */
export interface Sender {
  readonly node: string
  readonly mark: string
}
