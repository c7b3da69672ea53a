/**
 * Changes a state at many paths, each along its path: what is beside it is shared with the state
 * before, which stays as it is.
 */
import { invariant } from "../Invariant.ts"
import { at, type DotStore, emptyTree, treeAfter } from "./DotStore.ts"

export class TreeEdit {
  #store: DotStore | undefined

  constructor(store: DotStore | undefined) {
    this.#store = store
  }

  /** The state so far. */
  get store(): DotStore | undefined {
    return this.#store
  }

  at(path: ReadonlyArray<string>): DotStore | undefined {
    return at(this.#store, path)
  }

  /**
   * Puts a state at the end of a path; undefined is one without entries, and leaves no empty tree
   * behind.
   *
   * **Requires** that the path leads through trees.
   */
  put(path: ReadonlyArray<string>, leaf: DotStore | undefined): void {
    this.#store = putAt(this.#store, { path, leaf, depth: 0 })
  }
}

const putAt = (
  here: DotStore | undefined,
  change: {
    readonly path: ReadonlyArray<string>
    readonly leaf: DotStore | undefined
    readonly depth: number
  }
): DotStore | undefined => {
  const { depth, leaf, path } = change
  const key = path[depth]
  if (key === undefined) return leaf
  const trunk = here?.kind === "tree" ? here : undefined
  const before = trunk?.children.get(key)
  const after = putAt(before, { path, leaf, depth: depth + 1 })
  if (after === before) return here
  invariant(trunk === here, "a path leads through trees")
  return treeAfter(trunk ?? emptyTree, [[key, after]])
}
