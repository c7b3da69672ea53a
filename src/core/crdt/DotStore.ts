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
import { Children, type Put } from "./Children.ts"
import type { Sum } from "./Sum.ts"
import { isLiveLeaf } from "./Summary.ts"

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

/** The sum of an actor's amounts, all from the first on, after its update `counter`. */
export interface CounterUpdate {
  readonly counter: number
  readonly sum: Sum
}

/**
 * The last updates of one actor to a counter, and the last one that removals took away, with all
 * before it. So a removal that comes late takes what it had seen and leaves what came after
 * (basho/riak_dt#98 shows the fault without the removed half).
 */
export interface PerActorTotal {
  /** Counter and sum are 0 where nothing was removed. */
  readonly removed: CounterUpdate
  /** Invariant: ascending, after `removed`; not empty where nothing was removed. */
  readonly updates: ReadonlyArray<CounterUpdate>
  /** Whether there may be updates after `removed` and before these; false where these are none. */
  readonly isCut: boolean
}

export interface Counter {
  readonly kind: "counter"
  readonly totals: ReadonlyMap<Actor, PerActorTotal>
}

export interface Tree {
  readonly kind: "tree"
  /** By `childKey`, so that one name under two types is two children and joins never clash. */
  readonly children: Children
}

/** A state without others inside. */
export type Leaf = LastWriterRegister | MultiValue | Counter

export type DotStore = Leaf | Tree

export const emptyTree: Tree = { kind: "tree", children: Children.empty }

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
    (inner, key) => ({ kind: "tree", children: Children.empty.with(key, inner) }),
    leaf
  )

/** A tree after a change of its children; itself if nothing changes, undefined if none is left. */
export const treeAfter = (tree: Tree, puts: ReadonlyArray<Put>): Tree | undefined => {
  const children = puts.length === 0 ? tree.children : tree.children.after(puts)
  if (children.size === 0) return undefined
  return children === tree.children ? tree : { kind: "tree", children }
}

/** Whether a reader finds anything here: an element, a value, a count that was not removed. */
export const isLive = (store: DotStore | undefined): boolean => {
  if (store === undefined) return false
  return store.kind === "tree" ? store.children.summary.live > 0 : isLiveLeaf(store)
}

export const hasCounter = (store: DotStore | undefined): boolean =>
  store?.kind === "tree" ? store.children.summary.counters > 0 : store?.kind === "counter"
