/**
 * Describes pages of a bucket's keys, for people and for export; programs read by key. Answer to
 * `everwrite.<cluster>.v1.read.<bucket>.list`: version 1.
 *
 * A page is no snapshot: a key stands for a document that some node held when it was asked. A page
 * that would lack partitions is an error, unless the request takes a partial one.
 */
import * as Schema from "effect/Schema"
import { AnswerBytes } from "./ClientRequest.ts"

/** Most keys in a page. */
export const pageMax = 1000

export const ListBody = Schema.Struct({
  /** Given back with the answer. */
  id: Schema.optionalKey(Schema.Int),
  /** The `next` of the page before; the first page without it. */
  after: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(20_000))),
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: pageMax }))),
  /** Whether a page is welcome that lacks the keys of partitions that cannot be reached. */
  partial: Schema.optionalKey(Schema.Boolean),
  /** As in any request: bytes of the largest answer in parts. */
  answerBytesMax: Schema.optionalKey(AnswerBytes),
  timeoutMillis: Schema.optionalKey(
    Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 60_000 }))
  )
})
export type ListBody = typeof ListBody.Type

export const KeyPage = Schema.Struct({
  /** In the order of partition, then key. May be few, or none, while there is a `next`. */
  keys: Schema.Array(Schema.Json),
  /** Where the next page begins; absent after the last. */
  next: Schema.optionalKey(Schema.String),
  /** True where keys of partitions that could not be reached are missing. */
  partial: Schema.optionalKey(Schema.Boolean),
  /** Members that did not answer in time. */
  unreachable: Schema.Array(Schema.String),
  refused: Schema.Array(Schema.Struct({ node: Schema.String, reason: Schema.String }))
})
export type KeyPage = typeof KeyPage.Type

export const KeyPageReply = Schema.Struct({ id: Schema.optionalKey(Schema.Int), page: KeyPage })
