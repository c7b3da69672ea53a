/**
 * The children of a tree, by key: a map that is never changed. To put or remove one child of n
 * costs O(log n), in time and in memory, and the version before shares the rest.
 *
 * Keys are in the order of their UTF-16 units, which is that of all encodings.
 */
import * as ChildNodes from "./ChildNodes.ts"
import { diff, type OnDifference } from "./ChildrenDiff.ts"
import type { ChildMap, DotStore, Node, Put, Summary } from "./StoreShapes.ts"

export type { OnDifference } from "./ChildrenDiff.ts"
export type { Put } from "./StoreShapes.ts"

const compareKeys = ([left]: Put, [right]: Put): number => {
  if (left === right) return 0
  return left < right ? -1 : 1
}

/** The puts by ascending key, of each key the last one; themselves if they are so already. */
const inOrder = (puts: ReadonlyArray<Put>): ReadonlyArray<Put> => {
  const isAscending = puts.every((put, i) => i === 0 || puts[i - 1]![0] < put[0])
  if (isAscending) return puts
  const sorted = puts.toSorted(compareKeys)
  return sorted.filter(([key], i) => key !== sorted[i + 1]?.[0])
}

export class Children implements ChildMap {
  readonly #root: Node

  private constructor(root: Node) {
    this.#root = root
  }

  static readonly empty = new Children(ChildNodes.emptyNode)

  /** In linear time where the keys ascend; of entries with one key the last one stays. */
  static of(entries: Iterable<readonly [key: string, child: DotStore]>): Children {
    return Children.empty.after([...entries])
  }

  /** No part of the content: equal children may lie in other nodes. */
  get root(): Node {
    return this.#root
  }

  get size(): number {
    return this.#root.size
  }

  /** Of all that is below; it is kept, and a change costs as much as finding the child. */
  get summary(): Summary {
    return ChildNodes.summaryOf(this.#root)
  }

  get(key: string): DotStore | undefined {
    return ChildNodes.find(this.#root, key)
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  with(key: string, child: DotStore): Children {
    return this.after([[key, child]])
  }

  without(key: string): Children {
    return this.after([[key, undefined]])
  }

  /** The children after all of these puts, of each key the last one; itself if nothing changes. */
  after(puts: ReadonlyArray<Put>): Children {
    const root = ChildNodes.rootAfter(this.#root, inOrder(puts))
    return root === this.#root ? this : new Children(root)
  }

  /** Calls back for each child that is not the same object in both, in the order of keys. */
  static diff(before: ChildMap, after: ChildMap, visit: OnDifference): void {
    if (before !== after) diff(before.root, after.root, visit)
  }

  *[Symbol.iterator](): IterableIterator<[key: string, child: DotStore]> {
    const ahead: Array<Node> = [this.#root]
    for (let node = ahead.pop(); node !== undefined; node = ahead.pop()) {
      if (ChildNodes.isLeafNode(node)) {
        for (let i = 0; i < node.size; i++) yield [node.keys[i]!, node.children[i]!]
      } else for (let i = node.nodes.length - 1; i >= 0; i--) ahead.push(node.nodes[i]!)
    }
  }

  *keys(): IterableIterator<string> {
    for (const [key] of this) yield key
  }

  *values(): IterableIterator<DotStore> {
    for (const [, child] of this) yield child
  }
}
