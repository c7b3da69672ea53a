/**
 * Makes states, finds their parts by path and by key, and says what a reader finds in them.
 */
import { Children } from "./Children.ts"
import type { DotStore, Put, Tree } from "./StoreShapes.ts"
import { isLiveLeaf } from "./Summary.ts"

export type {
  Counter,
  CounterUpdate,
  DotStore,
  LastWriterRegister,
  Leaf,
  MultiValue,
  PerActorTotal,
  Tree
} from "./StoreShapes.ts"

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
