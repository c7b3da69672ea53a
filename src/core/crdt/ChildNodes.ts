/**
 * Keeps the children of a tree in the nodes of a B+ tree that is never changed: a change makes new
 * nodes on the way from the root to the child, and shares all others with the version before.
 *
 * @see Driscoll, Sarnak, Sleator, Tarjan: Making Data Structures Persistent, 1989 (path copying)
 */
import { invariant } from "../Invariant.ts"
import type { BranchNode, DotStore, LeafNode, Node, Put } from "./StoreShapes.ts"
import * as Summary from "./Summary.ts"

/** Entries of a leaf node, nodes below a branch node, at most. */
const fanout = 32

/** A node with fewer is joined with the one beside it, if there is one. */
const sparse = 8

export const isLeafNode = (node: Node): node is LeafNode => node.height === 0

const leafNode = (
  keys: ReadonlyArray<string>,
  children: ReadonlyArray<DotStore>,
  summary?: Summary.Summary
): LeafNode => ({ height: 0, keys, size: keys.length, children, summary })

const sizeOf = (nodes: ReadonlyArray<Node>): number => {
  let size = 0
  for (const node of nodes) size += node.size
  return size
}

const branchNode = (nodes: ReadonlyArray<Node>): BranchNode => ({
  height: nodes[0]!.height + 1,
  keys: nodes.map(({ keys }) => keys[0]!),
  size: sizeOf(nodes),
  nodes,
  summary: undefined
})

export const emptyNode: Node = leafNode([], [], Summary.none)

/** The index of the last key that is at most `key`; -1 where all are greater. */
const indexOf = (keys: ReadonlyArray<string>, key: string): number => {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! <= key) low = middle + 1
    else high = middle
  }
  return low - 1
}

export const find = (root: Node, key: string): DotStore | undefined => {
  let node = root
  while (!isLeafNode(node)) {
    const index = indexOf(node.keys, key)
    if (index < 0) return undefined
    node = node.nodes[index]!
  }
  const index = indexOf(node.keys, key)
  return node.keys[index] === key ? node.children[index] : undefined
}

export const summaryOf = (node: Node): Summary.Summary =>
  node.summary ??= isLeafNode(node)
    ? Summary.ofEntries(node)
    : Summary.ofAll(node.nodes.map(summaryOf))

/** Makes nodes of consecutive ranges of about equal length, none longer than a node. */
const split = (count: number, make: (from: number, to: number) => Node): Array<Node> => {
  const parts = Math.ceil(count / fanout)
  const nodes: Array<Node> = []
  for (let i = 0; i < parts; i++) {
    nodes.push(make(Math.floor(i * count / parts), Math.floor((i + 1) * count / parts)))
  }
  return nodes
}

const leafNodes = ({ children, keys }: Summary.Entries): Array<Node> =>
  keys.length > 0 && keys.length <= fanout
    ? [leafNode(keys, children)]
    : split(keys.length, (from, to) => leafNode(keys.slice(from, to), children.slice(from, to)))

const branchNodes = (nodes: ReadonlyArray<Node>): Array<Node> =>
  nodes.length > 0 && nodes.length <= fanout
    ? [branchNode(nodes)]
    : split(nodes.length, (from, to) => branchNode(nodes.slice(from, to)))

const widthOf = (node: Node): number => node.keys.length

/** Two neighbours as one node, or as two of about equal width. */
const joined = (left: Node, right: Node): Array<Node> => {
  if (!isLeafNode(left)) {
    invariant(!isLeafNode(right), "neighbours are of one height")
    return branchNodes([...left.nodes, ...right.nodes])
  }
  invariant(isLeafNode(right), "neighbours are of one height")
  const children = [...left.children, ...right.children]
  return leafNodes({ keys: [...left.keys, ...right.keys], children })
}

/** The same nodes, of which each that is sparse is joined with a neighbour. */
const filled = (nodes: ReadonlyArray<Node>): ReadonlyArray<Node> => {
  if (nodes.every((node) => widthOf(node) >= sparse)) return nodes
  const all: Array<Node> = []
  for (const node of nodes) {
    const before = all.at(-1)
    const isApart = before === undefined || Math.min(widthOf(before), widthOf(node)) >= sparse
    if (isApart) all.push(node)
    else all.splice(-1, 1, ...joined(before, node))
  }
  return all
}

/** A range of sorted puts. */
interface Range {
  readonly puts: ReadonlyArray<Put>
  readonly from: number
  readonly to: number
}

/** Its summary, unless it costs less to begin anew once it is asked for. */
const changedLeaf = (
  before: LeafNode,
  entries: Summary.Entries,
  changes: ReadonlyArray<Summary.EntryChange>
): ReadonlyArray<Node> => {
  const { children, keys } = entries
  const isKept = keys.length <= fanout && 2 * changes.length <= keys.length
  if (before.summary === undefined || !isKept) return leafNodes(entries)
  return [leafNode(keys, children, Summary.afterChanges(before.summary, changes, entries))]
}

const afterPut = (node: LeafNode, [key, child]: Put): ReadonlyArray<Node> => {
  const index = indexOf(node.keys, key)
  const before = node.keys[index] === key ? node.children[index] : undefined
  if (before === child) return [node]
  const change = [{ key, before, after: child }]
  if (before !== undefined && child !== undefined) {
    return changedLeaf(
      node,
      { keys: node.keys, children: node.children.with(index, child) },
      change
    )
  }
  const [keys, children] = [node.keys.slice(), node.children.slice()]
  if (child === undefined) {
    keys.splice(index, 1)
    children.splice(index, 1)
  } else {
    keys.splice(index + 1, 0, key)
    children.splice(index + 1, 0, child)
  }
  return changedLeaf(node, { keys, children }, change)
}

const afterInLeaf = (node: LeafNode, { from, puts, to }: Range): ReadonlyArray<Node> => {
  if (to - from === 1) return afterPut(node, puts[from]!)
  const keys: Array<string> = []
  const children: Array<DotStore> = []
  const changes: Array<Summary.EntryChange> = []
  let at = 0
  const keep = () => {
    keys.push(node.keys[at]!)
    children.push(node.children[at++]!)
  }
  for (let i = from; i < to; i++) {
    const [key, after] = puts[i]!
    while (at < node.size && node.keys[at]! < key) keep()
    const before = node.keys[at] === key ? node.children[at++] : undefined
    if (before !== after) changes.push({ key, before, after })
    if (after === undefined) continue
    keys.push(key)
    children.push(after)
  }
  if (changes.length === 0) return [node]
  while (at < node.size) keep()
  return changedLeaf(node, { keys, children }, changes)
}

/** The end of the puts below one node, whose neighbour has the least key `next`. */
const endOf = ({ from, puts, to }: Range, next: string | undefined): number => {
  if (next === undefined) return to
  let end = from + 1
  while (end < to && puts[end]![0] < next) end++
  return end
}

const afterPutBelow = (node: BranchNode, range: Range): ReadonlyArray<Node> => {
  const index = Math.max(indexOf(node.keys, range.puts[range.from]![0]), 0)
  const below = node.nodes[index]!
  const made = after(below, range)
  const [only] = made
  if (only === below) return [node]
  if (only === undefined || made.length > 1 || widthOf(only) < sparse) {
    return branchNodes(filled(node.nodes.toSpliced(index, 1, ...made)))
  }
  const [key] = only.keys
  const keys = key === node.keys[index] ? node.keys : node.keys.with(index, key!)
  const size = node.size + only.size - below.size
  const nodes = node.nodes.with(index, only)
  return [{ height: node.height, keys, size, nodes, summary: undefined }]
}

const afterInBranch = (node: BranchNode, range: Range): ReadonlyArray<Node> => {
  const { from, puts, to } = range
  if (to - from === 1) return afterPutBelow(node, range)
  const nodes: Array<Node> = []
  let [isSame, isFull] = [true, true]
  let at = 0
  for (let begin = from; begin < to;) {
    const index = Math.max(indexOf(node.keys, puts[begin]![0]), 0)
    const below = node.nodes[index]!
    const end = endOf({ puts, from: begin, to }, node.keys[index + 1])
    nodes.push(...node.nodes.slice(at, index))
    for (const made of after(below, { puts, from: begin, to: end })) {
      isFull &&= widthOf(made) >= sparse
      nodes.push(made)
    }
    isSame &&= nodes[index] === below
    begin = end
    at = index + 1
  }
  if (isSame) return [node]
  nodes.push(...node.nodes.slice(at))
  return branchNodes(isFull ? nodes : filled(nodes))
}

/** Nodes of the same height. */
const after = (node: Node, range: Range): ReadonlyArray<Node> =>
  isLeafNode(node) ? afterInLeaf(node, range) : afterInBranch(node, range)

/** The root after sorted puts; itself where they change nothing. */
export const rootAfter = (root: Node, puts: ReadonlyArray<Put>): Node => {
  let nodes = after(root, { puts, from: 0, to: puts.length })
  while (nodes.length > 1) nodes = branchNodes(filled(nodes))
  let [top = emptyNode] = nodes
  while (!isLeafNode(top) && top.nodes.length === 1) top = top.nodes[0]!
  return top
}
