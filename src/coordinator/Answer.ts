/**
 * Makes a client's answer of a document: its values, merged where that was asked for, and the
 * sealed context of all that was shown.
 */
import * as CausalContext from "../core/clock/CausalContext.ts"
import type * as Json from "../core/codec/Json.ts"
import type { Document } from "../core/crdt/Document.ts"
import * as CanonicalJson from "../core/model/CanonicalJson.ts"
import { Undecodable } from "../core/model/StoreError.ts"
import type { KnownBucket } from "../core/strategy/Buckets.ts"
import { undecodable } from "../core/strategy/MergeFault.ts"
import type { Answer } from "./Request.ts"
import type { ValidatedRequest, ValidatedWrite } from "./ValidatedRequest.ts"

const none: ReadonlyArray<never> = []

/**
 * One value of several, where this node has the code that makes it. The code is the application's,
 * and the values may have come by way of a node without it: neither may stop this node.
 */
export const mergedOf = (
  bucket: KnownBucket,
  values: ReadonlyArray<string>
): string | Undecodable | undefined => {
  const merge = bucket.code?.merge
  if (merge === undefined || values.length === 0) return undefined
  try {
    return merge(values)
  } catch (error) {
    return undecodable(bucket.definition.name, error)
  }
}

/** The values of a document, as the texts that are stored and as JSON. */
export interface ReadValues {
  readonly texts: ReadonlyArray<string>
  readonly values: ReadonlyArray<Json.Json>
}

/**
 * What `read` makes of the texts that a document shows at a time. Values are checked where they
 * enter a node; a replica without the bucket's code, or a faulty one, may still have stored other
 * text, and one text that is no JSON would spoil all answers in its message.
 */
const readTexts = <A>(
  { bucket, document, nowMillis }: {
    readonly bucket: KnownBucket
    readonly document: Document
    readonly nowMillis: number
  },
  read: (texts: ReadonlyArray<string>) => A
): A | Undecodable => {
  try {
    return read(bucket.strategy.view(document, nowMillis).values)
  } catch (error) {
    const problem = `it is no JSON: ${error instanceof Error ? error.message : String(error)}`
    return new Undecodable({ bucket: bucket.definition.name, path: "$", problem })
  }
}

/** The values that a document shows at a time. */
export const readValues = (
  bucket: KnownBucket,
  document: Document,
  nowMillis: number
): ReadValues | Undecodable =>
  readTexts(
    { bucket, document, nowMillis },
    (texts) => ({ texts, values: texts.map(CanonicalJson.decode) })
  )

/** Whether a text is the value that this request has written, and so was checked with it. */
const isWritten = (text: string, { calls = none }: Answerable): boolean => {
  if (calls.length !== 1) return false
  return calls[0]!.args.some((arg) => arg instanceof CanonicalJson.Canonical && arg.text === text)
}

/** A document to be shown, and the number of replicas that had answered. */
interface ToShow {
  readonly seal: CausalContext.TokenSeal
  readonly document: Document
  /** The time that the cluster agrees on, which says whether the document has expired. */
  readonly nowMillis: number
  readonly replied: number
}

/** The part of a request that its answer depends on. */
export type Answerable = Pick<ValidatedRequest, "after" | "bucket" | "key"> & {
  /** Of a write. */
  readonly calls?: ValidatedWrite["calls"]
}

/** The sealed context of a document that is shown. */
const contextOf = (
  { after, bucket, key }: Answerable,
  { document, seal }: Pick<ToShow, "document" | "seal">
): string => {
  const shown = { vector: document.context, stamp: bucket.strategy.stampOf(document) }
  const context = CausalContext.answered(shown, after)
  return CausalContext.encode(context, { bucket: bucket.definition.name, key, ...seal })
}

/** The answer to a write that was carried out, and of which the document cannot be shown. */
export const unshownOf = (
  request: ValidatedRequest,
  { replied, ...shown }: Pick<ToShow, "document" | "replied" | "seal">
): Answer => {
  const context = contextOf(request, shown)
  return { _tag: "Answer", values: [], context, replied, siblings: 0, unshown: true }
}

/** The answer that shows a document to the client of a request. */
export const answerOf = (
  request: Answerable,
  options: ToShow & {
    /** Whether siblings are merged into one value. */
    readonly merge: boolean
  }
): Answer | Undecodable => {
  const { bucket } = request
  const { document, merge, nowMillis, replied } = options
  const { kind } = bucket.strategy
  if (document.store !== undefined && document.store.kind !== kind) {
    const problem = "a state of another kind: was the bucket declared otherwise before?"
    return new Undecodable({ bucket: bucket.definition.name, path: "$", problem })
  }
  const values = readTexts({ bucket, document, nowMillis }, (texts) => {
    for (const text of texts) if (!isWritten(text, request)) CanonicalJson.decode(text)
    return texts
  })
  if (values instanceof Undecodable) return values
  const merged = merge && values.length > 1 ? mergedOf(bucket, values) : undefined
  if (merged instanceof Undecodable) return merged
  return {
    _tag: "Answer",
    values: merged === undefined ? values : [merged],
    context: contextOf(request, options),
    replied,
    siblings: values.length
  }
}
