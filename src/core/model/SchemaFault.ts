/**
 * Says in one line where a value does not fit a schema, and what was expected there.
 */
import type * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"

export interface SchemaFault {
  /** Names and indexes from the whole value to the fault; none where it is the whole. */
  readonly path: ReadonlyArray<string | number>
  /** The values that fit there, in words. */
  readonly expected: string
}

const format = SchemaIssue.makeFormatterStandardSchemaV1()

const stepOf = (step: unknown): string | number => {
  const key: unknown = typeof step === "object" && step !== null && "key" in step ? step.key : step
  return typeof key === "number" ? key : String(key)
}

/** The first fault. */
export const schemaFault = ({ issue }: Schema.SchemaError): SchemaFault => {
  const first = format(issue).issues[0]
  const message = first?.message ?? "another value"
  return {
    path: (first?.path ?? []).map(stepOf),
    expected: message.replace(/^Expected /u, "").replaceAll(/\s+/gu, " ")
  }
}

/** A path as `r`, `calls[2].name`; empty for the whole value. */
export const stepsText = (path: SchemaFault["path"]): string =>
  path.map((step, at) => typeof step === "number" ? `[${step}]` : at === 0 ? step : `.${step}`)
    .join("")

const valueAt = (json: unknown, path: SchemaFault["path"]): unknown => {
  let part = json
  for (const step of path) {
    if (typeof part !== "object" || part === null || !Object.hasOwn(part, step)) return undefined
    part = Reflect.get(part, step)
  }
  return part
}

const shownLengthMax = 80

/** The part of a value at a path, short enough for a message; `missing` where there is none. */
export const shownAt = (json: unknown, path: SchemaFault["path"]): string => {
  const text = JSON.stringify(valueAt(json, path)) ?? "missing"
  return text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}...` : text
}
