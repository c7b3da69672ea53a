/**
 * Reads requests of clients from JSON. The schema is what counts. Requests as clients write them
 * are recognised by hand, field by field, because the schema takes more time and memory than all
 * the rest of a read.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import {
  itemsMax,
  markPattern,
  RequestBody,
  sessionLengthMax
} from "../../schemas/ClientRequest.ts"
import { isObject } from "../core/model/CanonicalJson.ts"

const decodeBySchema = Schema.decodeUnknownResult(RequestBody)

/** Whether a value of `JSON.parse` is JSON: a number beyond the range is read as infinite. */
const isFiniteJson = (value: unknown): boolean => {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value)
    case "object":
      if (value === null) return true
      if (Array.isArray(value)) return value.every(isFiniteJson)
      return isObject(value) && Object.values(value).every(isFiniteJson)
    default:
      return true
  }
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0

const isText = (value: unknown): value is string => typeof value === "string"

const isOperationId = (value: unknown): boolean => {
  if (!isObject(value)) return false
  for (const field in value) {
    if (field !== "session" && field !== "sequence") return false
  }
  const { sequence, session } = value
  return isText(session) && session.length > 0 && session.length <= sessionLengthMax
    && session.isWellFormed() && isCount(sequence)
}

const isMark = (value: unknown): boolean => isText(value) && markPattern.test(value)

const isArguments = (value: unknown): boolean => Array.isArray(value) && value.every(isFiniteJson)

const isCall = (value: unknown): boolean => {
  if (!isObject(value)) return false
  for (const field in value) if (field !== "name" && field !== "args") return false
  return isText(value["name"]) && isArguments(value["args"])
}

const isList = (value: unknown, isItem: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length <= itemsMax && value.every(isItem)

/** Whether values are merged: the only common field that is a flag. */
const flagField = "merge"

/** Whether the schema takes a value of the common field with this name; none are others. */
const isCommonField = (name: string, json: Readonly<Record<string, unknown>>): boolean => {
  switch (name) {
    case "id":
      return Number.isSafeInteger(json["id"])
    case "key":
      return isFiniteJson(json["key"])
    case "fingerprint":
      return isText(json["fingerprint"])
    case "args":
      return isArguments(json["args"])
    case "calls":
      return isList(json["calls"], isCall)
    case "context":
      return isText(json["context"])
    case "after":
      return isList(json["after"], isText)
    case "operationId":
      return isOperationId(json["operationId"])
    case "mark":
      return isMark(json["mark"])
    case flagField:
      return typeof json[flagField] === "boolean"
    case "answerBytesMax":
      return isCount(json["answerBytesMax"])
    default:
      return false
  }
}

/**
 * Whether a value of `JSON.parse` is a request without the rarer settings.
 *
 * **Guarantees** that the schema takes each of these, and as it is.
 */
export const isCommonRequest = (json: unknown): json is RequestBody => {
  if (!isObject(json) || json["key"] === undefined) return false
  for (const field in json) if (!isCommonField(field, json)) return false
  return true
}

/** The request that a value of `JSON.parse` is, or why it is none. */
export const decodeRequest = (json: unknown): Result.Result<RequestBody, Schema.SchemaError> =>
  isCommonRequest(json) ? Result.succeed(json) : decodeBySchema(json)
