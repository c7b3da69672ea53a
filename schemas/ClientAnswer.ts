/**
 * Writes and reads what a node answers to clients, as JSON: version 1. Stored values are JSON
 * text already, so an answer is put together as text and nothing is parsed on the way. The version
 * is that of the request's subject; within it fields are only added.
 */
import * as Schema from "effect/Schema"
import { StoreError } from "../src/core/model/StoreError.ts"

/** What went right. */
export const AnswerBody = Schema.Struct({
  id: Schema.optionalKey(Schema.Int),
  /** None where nothing is stored; several where siblings were not merged. */
  values: Schema.Array(Schema.Json),
  /** For the next write, and for the next read of the session. */
  context: Schema.String,
  /** Replicas that had answered. */
  replied: Schema.Int,
  /** How many siblings were joined into `values`. */
  siblings: Schema.Int
})
export type AnswerBody = typeof AnswerBody.Type

/** What went wrong. */
export const ErrorBody = Schema.Struct({
  id: Schema.optionalKey(Schema.Int),
  error: StoreError
})
export type ErrorBody = typeof ErrorBody.Type

export const ReplyBody = Schema.Union([AnswerBody, ErrorBody])
export type ReplyBody = typeof ReplyBody.Type

const encodeError = Schema.encodeSync(StoreError)

const idField = (id: number | undefined): string => (id === undefined ? "" : `"id":${id},`)

/** The JSON text of an answer; `values` are JSON texts. */
export const answerText = (
  id: number | undefined,
  answer: {
    readonly values: ReadonlyArray<string>
    readonly context: string
    readonly replied: number
    readonly siblings: number
  }
): string =>
  `{${idField(id)}"values":[${answer.values.join(",")}],"context":"${answer.context}",`
  + `"replied":${answer.replied},"siblings":${answer.siblings}}`

export const errorText = (id: number | undefined, error: StoreError): string =>
  `{${idField(id)}"error":${JSON.stringify(encodeError(error))}}`
