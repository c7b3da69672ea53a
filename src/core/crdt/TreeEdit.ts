/**
 * Changes a state at many paths, and copies each tree on the way once, however often it is changed:
 * a set of ten thousand elements from which a thousand are taken is copied once, not a thousand
 * times. States that others hold stay as they are.
 */
import { invariant } from "../Invariant.ts"
import { at, type DotStore, type Tree } from "./DotStore.ts"

export class TreeEdit {
  #store: DotStore | undefined
  /** The children of each tree that was made here, and that nobody else holds. */
  readonly #own = new Map<DotStore, Map<string, DotStore>>()

  constructor(store: DotStore | undefined) {
    this.#store = store
  }

  /** The state so far, for a look: the next change may change it. */
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
    this.#store = this.#put(this.#store, { path, leaf, depth: 0 })
  }

  #put(
    here: DotStore | undefined,
    change: {
      readonly path: ReadonlyArray<string>
      readonly leaf: DotStore | undefined
      readonly depth: number
    }
  ): DotStore | undefined {
    const { depth, leaf, path } = change
    const key = path[depth]
    if (key === undefined) return leaf
    const trunk = here?.kind === "tree" ? here : undefined
    const before = trunk?.children.get(key)
    const after = this.#put(before, { path, leaf, depth: depth + 1 })
    if (after === before) return here
    invariant(trunk === here, "a path leads through trees")
    const tree = this.#owned(trunk)
    const children = this.#own.get(tree)!
    if (after === undefined) children.delete(key)
    else children.set(key, after)
    return children.size === 0 ? undefined : tree
  }

  #owned(tree: Tree | undefined): Tree {
    if (tree !== undefined && this.#own.has(tree)) return tree
    const children = new Map(tree?.children)
    const own: Tree = { kind: "tree", children }
    this.#own.set(own, children)
    return own
  }
}
