/**
 * Makes the entry that an application gets of a node's answer.
 */
import type { Any } from "../core/strategy/Bucket.ts"
import type { BackendAnswer } from "./Backend.ts"
import { contextOf, type Unshown, type Written } from "./Entry.ts"

export type AnyEntry = Written<string, any, any>

/** Throws what the application's own merge throws. */
export const entryOf = (bucket: Any, key: unknown, answer: BackendAnswer): AnyEntry => {
  const { lost, replied, siblings, values } = answer
  const context = contextOf(bucket, answer.context)
  const told = lost === true ? { lost } : {}
  return values.length === 0
    ? { _tag: "Absent", bucket: bucket.name, key, context, replied, ...told }
    : {
      _tag: "Found",
      bucket: bucket.name,
      key,
      context,
      replied,
      value: bucket.code.decodeView(values),
      siblings,
      ...told
    }
}

/** Of a write that is done and whose answer has no value. */
export const unshown = (bucket: Any, key: unknown, answer: BackendAnswer): Unshown<string, any> => {
  const { context, lost, replied } = answer
  const told = lost === true ? { lost } : {}
  const { name } = bucket
  return {
    _tag: "Unshown",
    bucket: name,
    key,
    context: contextOf(bucket, context),
    replied,
    ...told
  }
}
