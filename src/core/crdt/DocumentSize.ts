/**
 * Measures documents, and decides whether a client's write may make one so large.
 *
 * A write that reduces a document is taken however large the document is: it is the way back.
 */
import type { NodeLimits } from "../model/Limits.ts"
import type { Document } from "./Document.ts"
import type { DotStore } from "./DotStore.ts"

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

/** Of a dot, or of an actor's sums: roughly. */
const entryContent = 16

/** Siblings are the most in one place; elements are the leaves of a tree. */
export const sizeOf = ({ context, store }: Document): DocumentSize => {
  let [siblings, elements, content] = [0, 0, 0]
  const visit = (here: DotStore): void => {
    if (here.kind === "tree") {
      for (const [name, child] of here.children) {
        content += name.length
        visit(child)
      }
      return
    }
    // A register whose value was deleted holds nothing.
    if (here.kind === "latest" && here.value === null) return
    elements++
    switch (here.kind) {
      case "latest":
        content += entryContent + (here.value?.length ?? 0)
        return
      case "values":
        siblings = Math.max(siblings, here.siblings.length)
        for (const { value } of here.siblings) content += entryContent + value.length
        return
      case "counter":
        content += entryContent * here.totals.size
    }
  }
  if (store !== undefined) visit(store)
  return { siblings, elements, actors: context.size, content }
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

/** The size of a document that a write starts from or ends in. */
interface Sized {
  readonly document: Document
  /** Of its encoding; asked for only where it is needed. */
  readonly bytes: () => number
}

/** Whether a client's write may make `after` of `before`. */
export const decide = (before: Sized, after: Sized, limits: GrowthLimits): Growth => {
  const size = { ...sizeOf(after.document), bytes: after.bytes() }
  const allowed = allowedOf(limits)
  const beyond = (share: number): ReadonlyArray<Excess> =>
    measures.filter((limit) => size[limit] > allowed[limit] * share)
      .map((limit) => ({ limit, had: size[limit], allowed: allowed[limit] }))
  const [near] = beyond(0.5)
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
