/**
 * Finds the children that differ between two versions of a tree, and passes over all that both
 * share: what a change costs to find is what it changed, and the way there.
 */
import { isLeafNode } from "./ChildNodes.ts"
import type { DotStore, LeafNode, Node } from "./StoreShapes.ts"

/** Takes a key with what is under it before and after, of which one at least is there. */
export type OnDifference = (
  key: string,
  before: DotStore | undefined,
  after: DotStore | undefined
) => void

/** A place in a tree: inside a leaf node, or before a node that is not opened yet. */
class Cursor {
  /** The nodes to come, the nearest one last. */
  readonly #ahead: Array<Node>
  leaf: LeafNode | undefined
  index = 0

  constructor(root: Node) {
    this.#ahead = [root]
  }

  /** The node before which it stands; undefined inside a leaf node, and at the end. */
  get node(): Node | undefined {
    return this.leaf === undefined ? this.#ahead.at(-1) : undefined
  }

  pass(): void {
    this.#ahead.pop()
  }

  open(): void {
    const node = this.#ahead.pop()!
    if (isLeafNode(node)) {
      if (node.size === 0) return
      this.leaf = node
      this.index = 0
    } else for (let i = node.nodes.length - 1; i >= 0; i--) this.#ahead.push(node.nodes[i]!)
  }

  /** Goes to an entry of the leaf node, or out of it at the end. */
  moveTo(index: number): void {
    this.index = index
    if (index === this.leaf?.size) this.leaf = undefined
  }
}

/** Goes on where at least one side stands before a node, or at the end. */
const approach = (left: Cursor, right: Cursor): void => {
  const [mine, other] = [left.node, right.node]
  if (mine === undefined) right.open()
  else if (other === undefined) left.open()
  else if (mine === other) {
    left.pass()
    right.pass()
  } else {
    if (mine.height >= other.height) left.open()
    if (other.height >= mine.height) right.open()
  }
}

/** Whether all in a leaf node that is left comes before the other side's next node. */
const isBefore = ({ index, leaf }: Cursor, other: Cursor): boolean => {
  if (leaf === undefined || other.leaf !== undefined) return false
  const next = other.node?.keys[0]
  return next === undefined || leaf.keys[index]! < next
}

/** Calls back for each child that is not the same object on both sides, in the order of keys. */
export const diff = (before: Node, after: Node, visit: OnDifference): void => {
  const [left, right] = [new Cursor(before), new Cursor(after)]
  for (;;) {
    const [mine, other] = [left.leaf, right.leaf]
    if (mine !== undefined && other !== undefined) meet(left, mine, right, other, visit)
    else if (isBefore(left, right)) {
      visit(mine!.keys[left.index]!, mine!.children[left.index], undefined)
      left.moveTo(left.index + 1)
    } else if (isBefore(right, left)) {
      visit(other!.keys[right.index]!, undefined, other!.children[right.index])
      right.moveTo(right.index + 1)
    } else if (left.node === undefined && right.node === undefined) return
    else approach(left, right)
  }
}

/** Goes through two leaf nodes until one of them ends. */
const meet = (
  left: Cursor,
  mine: LeafNode,
  right: Cursor,
  other: LeafNode,
  visit: OnDifference
): void => {
  let [i, j] = [left.index, right.index]
  while (i < mine.size && j < other.size) {
    const [key, otherKey] = [mine.keys[i]!, other.keys[j]!]
    if (key < otherKey) visit(key, mine.children[i++], undefined)
    else if (otherKey < key) visit(otherKey, undefined, other.children[j++])
    else {
      const [child, otherChild] = [mine.children[i++], other.children[j++]]
      if (child !== otherChild) visit(key, child, otherChild)
    }
  }
  left.moveTo(i)
  right.moveTo(j)
}
