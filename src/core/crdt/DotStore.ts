/**
 * Describes every state that a document can have, in four shapes that describe themselves. A node
 * joins them without knowing the bucket, so that one that lacks an application's code still stores,
 * repairs and forwards its documents.
 *
 * | shape | holds | used by |
 * | --- | --- | --- |
 * | latest | the entry with the greatest stamp | last-write-wins buckets |
 * | values | concurrent entries, each under its dot | siblings, registers, elements of sets |
 * | counter | totals for each actor | counters |
 * | tree | a state for each name | sets, maps, documents |
 *
 * Invariant: every dot in a state is in the context of its document.
 *
 * @see Almeida, Shoker, Baquero: Delta State Replicated Data Types, 2018 (dot stores, section 7)
 */
import type { Actor, Dot } from "../clock/Dot.ts"
import type { Sibling } from "../clock/DottedVersionVectorSet.ts"

/** The winner of a last-write-wins register; `value` is null after a delete. */
export interface LastWriterRegister extends Dot {
  readonly kind: "latest"
  readonly stamp: number
  readonly value: string | null
}

export interface MultiValue {
  readonly kind: "values"
  /** Invariant: sorted by dot, no dot twice, not empty. */
  readonly siblings: ReadonlyArray<Sibling>
}

/**
 * The sums that one actor added and took away, as of its dot `counter`, and their removed share.
 *
 * Each half only grows with its counter, so a removal concurrent with an increment leaves the
 * increment and nothing else (basho/riak_dt#98 shows the fault without the removed half).
 */
export interface PerActorTotal {
  readonly counter: number
  readonly added: number
  readonly taken: number
  /** Invariant: at most `counter`; 0 where nothing was removed. */
  readonly removedCounter: number
  readonly removedAdded: number
  readonly removedTaken: number
}

export interface Counter {
  readonly kind: "counter"
  readonly totals: ReadonlyMap<Actor, PerActorTotal>
}

export interface Tree {
  readonly kind: "tree"
  /** By `childKey`, so that one name under two types is two children and joins never clash. */
  readonly children: ReadonlyMap<string, DotStore>
}

export type DotStore = LastWriterRegister | MultiValue | Counter | Tree

const kindLetter = { latest: "l", values: "v", counter: "c", tree: "t" } as const

export const childKey = (kind: DotStore["kind"], name: string): string => kindLetter[kind] + name

/** The name in a child key. */
export const childName = (key: string): string => key.slice(1)

/** The kind that a child key promises, or undefined where it promises none. */
export const childKind = (key: string): DotStore["kind"] | undefined => {
  switch (key[0]) {
    case "l":
      return "latest"
    case "v":
      return "values"
    case "c":
      return "counter"
    case "t":
      return "tree"
    default:
      return undefined
  }
}

/** The store at `path`, or undefined. */
export const at = (
  store: DotStore | undefined,
  path: ReadonlyArray<string>
): DotStore | undefined => {
  let here = store
  for (const key of path) here = here?.kind === "tree" ? here.children.get(key) : undefined
  return here
}

/** A tree that holds only `leaf`, at `path`. */
export const nest = (path: ReadonlyArray<string>, leaf: DotStore): DotStore =>
  path.reduceRight<DotStore>(
    (inner, key) => ({ kind: "tree", children: new Map([[key, inner]]) }),
    leaf
  )

/** Whether a reader finds anything here: an element, a value, a count that was not removed. */
export const isLive = (store: DotStore | undefined): boolean => {
  switch (store?.kind) {
    case undefined:
      return false
    case "latest":
      return store.value !== null
    case "values":
      return store.siblings.length > 0
    case "counter":
      for (const total of store.totals.values()) {
        if (total.counter > total.removedCounter) return true
      }
      return false
    case "tree":
      for (const child of store.children.values()) if (isLive(child)) return true
      return false
  }
}
