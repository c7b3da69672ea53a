/**
 * Says in an error which request failed: its bucket, key and operation, in the text, in the field
 * `request`, and in the first line of the stack.
 */
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import { EverwriteError, type RequestPlace, type StoreError } from "../core/model/StoreError.ts"
import { visibleJson } from "../core/model/VisibleText.ts"

/** Errors of a client or a node as a whole: no request has more to do with them than another. */
const general: ReadonlySet<string> = new Set(["Closed", "Cancelled", "Overloaded"])

const shownLengthMax = 80

/** A key that is refused may be one that JSON cannot hold, or that no stack can. */
const jsonOf = (key: unknown): string => {
  try {
    return visibleJson(key)
  } catch {
    return typeof key
  }
}

const keyText = (key: unknown): string => {
  const text = jsonOf(key)
  return text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}...` : text
}

/** A request's operation for people. Several operations are told by their number. */
export const operationInWords = (calls: RequestBody["calls"]): string => {
  if (calls === undefined) return "get"
  return calls.length === 1 ? calls[0]!.name : `edit of ${calls.length} operations`
}

/** Gives an error another text, in its stack too. */
export const retold = <E extends Error>(error: E, message: string, frames?: string): E => {
  const { name, stack = "" } = error
  const below = frames ?? stack.split("\n").filter((line) => /^\s+at /u.test(line)).join("\n")
  Object.defineProperty(error, "message", { value: message, configurable: true })
  const value = `${name}: ${message}\n${below}`
  return Object.defineProperty(error, "stack", { value, configurable: true })
}

/** One error may end several requests: then each has its own, with its own place. */
const ownOf = <E extends StoreError>(error: E): E =>
  error.request === undefined
    ? error
    : Object.create(Object.getPrototypeOf(error), Object.getOwnPropertyDescriptors(error))

/** The error with the request that failed. */
export const placed = <E extends StoreError>(error: E, request: RequestPlace): E => {
  if (!(error instanceof EverwriteError) || general.has(error._tag)) return error
  const own = ownOf(error)
  Object.defineProperty(own, "request", { value: request, enumerable: true, configurable: true })
  const { bucket, key, operation } = request
  return retold(own, `${plainText(own)} (${operation} of ${bucket} ${keyText(key)})`)
}

/** Its text by its class, without a place that it was given before. */
const plainText = (error: StoreError): string =>
  String(Reflect.get(Object.getPrototypeOf(error), "message", error))
