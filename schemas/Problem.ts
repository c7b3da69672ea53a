/**
 * Writes every error of a request as an RFC 9457 problem, as HTTP answers it, and reads it back:
 * version 1, that of the HTTP path.
 *
 * The last part of `type` is the error's own name, and its fields stand beside the five of the RFC,
 * so that a program decides by the counts that were needed and had, and a person reads `detail`.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { StoreError } from "../src/core/model/StoreError.ts"

export const problemContentType = "application/problem+json"

export const typePrefix = "urn:everwrite:problem:"

export const Problem = Schema.StructWithRest(
  Schema.Struct({
    /** `urn:everwrite:problem:` and the error's name. */
    type: Schema.String,
    title: Schema.String,
    status: Schema.Int,
    detail: Schema.String
  }),
  [Schema.Record(Schema.String, Schema.Json)]
)
export type Problem = typeof Problem.Type

/** Not an error to a client of ours, which gets an answer without values. */
export const absentType = `${typePrefix}Absent`

type Tag = StoreError["_tag"]

/** The status and title of each error. */
export const statusOf: { readonly [Name in Tag]: readonly [status: number, title: string] } = {
  UnknownBucket: [404, "Unknown bucket"],
  BucketMismatch: [409, "Bucket declared otherwise"],
  UnknownOperation: [404, "Unknown operation"],
  InvalidValue: [422, "Invalid value"],
  InvalidKey: [400, "Invalid key"],
  InvalidRequest: [400, "Invalid request"],
  BadContext: [400, "Bad context"],
  ContextRequired: [428, "Context required"],
  StaleMark: [503, "Mark is too old"],
  OperationUnknown: [409, "Not known whether applied"],
  QuorumNotMet: [503, "Quorum not met"],
  ContextNotCovered: [503, "Context not covered"],
  ContextTooOld: [409, "Context too old"],
  DocumentTooLarge: [409, "Document too large"],
  ListingIncomplete: [503, "Listing incomplete"],
  NodeUnwritable: [503, "Node takes no writes"],
  NodeUnavailable: [503, "Node not available"],
  Overloaded: [503, "Overloaded"],
  Undecodable: [500, "Stored value not readable"],
  NoAnswer: [503, "No answer"],
  AccessDenied: [403, "Access denied"],
  Closed: [503, "Closed"],
  Cancelled: [503, "Cancelled"]
}

const encodeError = Schema.encodeSync(StoreError)
const decodeError = Schema.decodeUnknownOption(StoreError)

export const problemOf = (error: StoreError): Problem => {
  const { _tag, ...fields } = encodeError(error)
  const [status, title] = statusOf[_tag]
  return { type: typePrefix + _tag, title, status, detail: error.message, ...fields }
}

/** The error of a problem, or undefined where it is none of a request's. */
export const errorOf = (problem: Problem): StoreError | undefined =>
  Option.getOrUndefined(
    decodeError({ ...problem, _tag: problem.type.slice(typePrefix.length) })
  )
