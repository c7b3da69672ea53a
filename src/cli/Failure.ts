/**
 * Turns the failure of a command into one or two lines for people and an exit code for scripts: 1
 * for an error that the caller can mend, 2 for an absent document, 3 for an outage, 70 for a node
 * that cannot go on.
 */
import * as Schema from "effect/Schema"
import { visibleJson, visibleLines } from "../core/model/VisibleText.ts"
import { EverwriteError, StoreError } from "../core/model/StoreError.ts"

/** The end of a command, ready to be shown. */
export class Failure extends Schema.TaggedError<Failure>()("Failure", {
  code: Schema.Int,
  text: Schema.String
}) {}

/** A command line that does not fit. */
export class Misuse extends Schema.TaggedError<Misuse>()("Misuse", { problem: Schema.String }) {
  override get message(): string {
    return this.problem
  }
}

export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", {
  bucket: Schema.String,
  key: Schema.String
}) {
  override get message(): string {
    return `there is nothing under ${this.key} in ${this.bucket}`
  }
}

export interface TypedError {
  readonly _tag: string
  readonly message: string
}

const isStoreError = Schema.is(StoreError)
const encodeError = Schema.encodeSync(StoreError)

export const misuseCode = 1
const notFoundCode = 2
const unavailableCode = 3
/** The node can not go on here, as after a fault of its own. */
export const faultCode = 70

/** Errors of a start after which another try may succeed, with nothing changed about it. */
const passing: ReadonlySet<string> = new Set([
  "BrokerUnavailable",
  "HttpUnavailable",
  "StorageUnavailable"
])

const isPassing = (error: TypedError): boolean =>
  passing.has(error._tag) || (error instanceof EverwriteError && error.isTransient)

/** Advice as a command line takes it. */
const asFlags = (message: string): string =>
  message.replace("with consistency available", "with --consistency available")
    .replace("; sloppy: false lets", "; --no-sloppy lets")

const codeOf = (error: TypedError): number => {
  const { _tag } = error
  if (_tag === "AnotherProcess" || _tag === "StorageEnded") return faultCode
  // A directory that an operator is to mend is a wrong setting, not an outage.
  if ("remedy" in error && error.remedy !== undefined) return misuseCode
  if ("isDenied" in error && error.isDenied === true) return misuseCode
  return _tag === "NotFound" ? notFoundCode : isPassing(error) ? unavailableCode : misuseCode
}

/** With `json`, for programs, which get an error of the store with all its fields. */
export const fromError = (
  error: TypedError,
  options: {
    readonly json: boolean
    /** How to mend it, where the error does not say so itself. */
    readonly advice?: string | undefined
  }
): Failure => {
  const { _tag } = error
  const advice = options.advice === undefined ? "" : `; ${options.advice}`
  const message = asFlags(error.message) + advice
  const fields = isStoreError(error) ? encodeError(error) : { _tag }
  const text = options.json ? visibleJson({ error: { ...fields, message } }) : visibleLines(message)
  return new Failure({ code: codeOf(error), text })
}
