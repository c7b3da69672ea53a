/**
 * Measures documents, and decides whether a client's write may make one so large.
 *
 * A write that reduces a document is taken however large the document is: it is the way back.
 */
import type { NodeLimits } from "../model/Limits.ts"
import type { Document } from "./Document.ts"
import { contentOf, isElement } from "./Summary.ts"

export type GrowthLimits = Pick<
  NodeLimits,
  "documentActorsMax" | "documentBytesMax" | "elementsMax" | "siblingsMax"
>

export const measures = ["siblings", "elements", "actors", "bytes"] as const

/** A way in which a document is large. */
export type Measure = typeof measures[number]

export interface DocumentSize extends Readonly<Record<Exclude<Measure, "bytes">, number>> {
  /** Characters of names and values, with some for each value and each actor of a counter. */
  readonly content: number
}

/** Siblings are the most in one place; elements are the leaves of a tree. */
export const sizeOf = ({ context, store }: Document): DocumentSize => {
  const actors = context.size
  if (store === undefined) return { siblings: 0, elements: 0, actors, content: 0 }
  if (store.kind === "tree") {
    const { content, elements, siblings } = store.children.summary
    return { siblings, elements, actors, content }
  }
  return {
    siblings: store.kind === "values" ? store.siblings.length : 0,
    elements: Number(isElement(store)),
    actors,
    content: contentOf(store)
  }
}

/** Whether there is no more of anything but history. */
const isReduced = (before: DocumentSize, after: DocumentSize): boolean =>
  after.siblings <= before.siblings && after.elements <= before.elements
  && after.content <= before.content

/** A limit that a write would pass. */
export interface Excess {
  readonly limit: Measure
  /** What the document would have. */
  readonly had: number
  readonly allowed: number
}

export type Growth =
  /** The document stays far below its limits, or becomes smaller. */
  | { readonly _tag: "Small" }
  /** The document is beyond half of a limit, of which an operator should hear. */
  | { readonly _tag: "Large"; readonly near: Excess }
  | { readonly _tag: "Refused"; readonly excess: Excess }

const small: Growth = { _tag: "Small" }

const allowedOf = (limits: GrowthLimits): Readonly<Record<Measure, number>> => ({
  siblings: limits.siblingsMax,
  elements: limits.elementsMax,
  actors: limits.documentActorsMax,
  bytes: limits.documentBytesMax
})

/** Of a limit; beyond it a document is near the limit. */
const nearShare = 0.5

/** Whether no limit is near: nearly all writes end here, so it makes nothing on the way. */
const isFarBelow = (
  { actors, elements, siblings }: DocumentSize,
  bytes: number,
  limits: GrowthLimits
): boolean =>
  siblings <= limits.siblingsMax * nearShare && elements <= limits.elementsMax * nearShare
  && actors <= limits.documentActorsMax * nearShare && bytes <= limits.documentBytesMax * nearShare

/** The size of a document that a write starts from or ends in. */
interface Sized {
  readonly document: Document
  /** Of its encoding; asked for only where it is needed. */
  readonly bytes: () => number
}

/** Whether a client's write may make `after` of `before`. */
export const decide = (before: Sized, after: Sized, limits: GrowthLimits): Growth => {
  const grown = sizeOf(after.document)
  const bytes = after.bytes()
  if (isFarBelow(grown, bytes, limits)) return small
  const size = { ...grown, bytes }
  const allowed = allowedOf(limits)
  const beyond = (share: number): ReadonlyArray<Excess> =>
    measures.filter((limit) => size[limit] > allowed[limit] * share)
      .map((limit) => ({ limit, had: size[limit], allowed: allowed[limit] }))
  const [near] = beyond(nearShare)
  if (near === undefined) return small
  const passed = beyond(1)
  if (passed.length === 0) return { _tag: "Large", near }
  const smaller = sizeOf(before.document)
  if (isReduced(smaller, size)) return small
  const [excess] = passed.filter(({ had, limit }) =>
    had > (limit === "bytes" ? before.bytes() : smaller[limit])
  )
  return excess === undefined ? { _tag: "Large", near } : { _tag: "Refused", excess }
}
