/**
 * Sums up the children of a tree: a hash, sizes and counts of all that is below them. A change of
 * one child changes the summary by the difference, so nobody looks at the others.
 *
 * The hash is the sum of the hashes of the entries, each over its key and its state: of a leaf its
 * content, of a tree the sum of its own entries. So it depends on the content alone, and not on the
 * way to it.
 *
 * @see Bellare, Micciancio: A New Paradigm for Collision-free Hashing, 1997 (incremental hashes)
 */
import { textLength, varintLength } from "../codec/EncodedLength.ts"
import { Mix64 } from "../Mix64.ts"
import { mixLeaf } from "./LeafHash.ts"
import { leafLength, leafMemory, mentions, treeMemory } from "./LeafSize.ts"
import type { DotStore, Leaf, Summary } from "./StoreShapes.ts"

export type { Summary } from "./StoreShapes.ts"

type Tally = { -readonly [K in keyof Summary]: number }

const zero = (): Tally => ({
  high: 0,
  low: 0,
  bytes: 0,
  mentions: 0,
  content: 0,
  memory: 0,
  leaves: 0,
  elements: 0,
  live: 0,
  counters: 0,
  siblings: 0,
  stamp: 0
})

export const none: Summary = zero()

/** Of a dot, or of an actor's sums: roughly. */
const entryContent = 16

const hashOf = (key: string, child: DotStore): readonly [high: number, low: number] => {
  const mix = new Mix64().text(key)
  if (child.kind !== "tree") return mixLeaf(mix, child).finish()
  const { high, low } = child.children.summary
  return mix.word(high).word(low).finish()
}

/** Counts `sign` times what is in a leaf, but for the greatest of anything. */
const countLeaf = (into: Tally, leaf: Leaf, sign: 1 | -1): void => {
  into.bytes += sign * leafLength(leaf)
  into.mentions += sign * mentions(leaf)
  into.memory += sign * leafMemory(leaf)
  into.leaves += sign
  into.content += sign * contentOf(leaf)
  if (isElement(leaf)) into.elements += sign
  if (isLiveLeaf(leaf)) into.live += sign
  if (leaf.kind === "counter") into.counters += sign
}

/** Whether a leaf holds anything: a register whose value was deleted does not. */
export const isElement = (leaf: Leaf): boolean => leaf.kind !== "latest" || leaf.value !== null

/** Whether a reader finds anything in a leaf: a value, or a count that was not removed. */
export const isLiveLeaf = (leaf: Leaf): boolean => {
  switch (leaf.kind) {
    case "latest":
      return leaf.value !== null
    case "values":
      return leaf.siblings.length > 0
    case "counter":
      for (const { updates } of leaf.totals.values()) if (updates.length > 0) return true
      return false
  }
}

/** Characters of the values of a leaf, with some for each value and each actor of a counter. */
export const contentOf = (leaf: Leaf): number => {
  switch (leaf.kind) {
    case "latest":
      return leaf.value === null ? 0 : entryContent + leaf.value.length
    case "values":
      return leaf.siblings.reduce((sum, { value }) => sum + entryContent + value.length, 0)
    case "counter":
      return entryContent * leaf.totals.size
  }
}

/** Counts `sign` times what can be summed up of all that is below. */
const countSums = (into: Tally, below: Summary, sign: 1 | -1): void => {
  into.bytes += sign * below.bytes
  into.mentions += sign * below.mentions
  into.content += sign * below.content
  into.memory += sign * below.memory
  into.leaves += sign * below.leaves
  into.elements += sign * below.elements
  into.live += sign * below.live
  into.counters += sign * below.counters
}

const countEntry = (into: Tally, key: string, child: DotStore, sign: 1 | -1): void => {
  const [high, low] = hashOf(key, child)
  into.high = (into.high + sign * high) >>> 0
  into.low = (into.low + sign * low) >>> 0
  into.bytes += sign * textLength(key)
  into.content += sign * key.length
  if (child.kind !== "tree") {
    countLeaf(into, child, sign)
    into.memory += sign * treeMemory.child
    return
  }
  into.bytes += sign * (1 + varintLength(child.children.size))
  into.memory += sign * (treeMemory.child + treeMemory.children)
  countSums(into, child.children.summary, sign)
}

/** Sees the greatest of what is in an entry. */
const seeGreatest = (into: Tally, child: DotStore): void => {
  if (child.kind === "tree") return seeGreatestOf(into, child.children.summary)
  if (child.kind !== "values") return
  const { siblings } = child
  if (siblings.length > into.siblings) into.siblings = siblings.length
  for (const { stamp } of siblings) if (stamp > into.stamp) into.stamp = stamp
}

const seeGreatestOf = (into: Tally, { siblings, stamp }: Summary): void => {
  if (siblings > into.siblings) into.siblings = siblings
  if (stamp > into.stamp) into.stamp = stamp
}

/** The entries of one node, in the order of their keys. */
export interface Entries {
  readonly keys: ReadonlyArray<string>
  readonly children: ReadonlyArray<DotStore>
}

/** The summary of entries, from the start. */
export const ofEntries = ({ children, keys }: Entries): Summary => {
  const into = zero()
  for (let i = 0; i < keys.length; i++) {
    countEntry(into, keys[i]!, children[i]!, 1)
    seeGreatest(into, children[i]!)
  }
  return into
}

/** An entry that a change takes away, puts, or replaces. */
export interface EntryChange {
  readonly key: string
  readonly before: DotStore | undefined
  readonly after: DotStore | undefined
}

/** The summary of `entries`, which came of those with the summary `before` by `changes`. */
export const afterChanges = (
  before: Summary,
  changes: ReadonlyArray<EntryChange>,
  { children }: Entries
): Summary => {
  const into: Tally = { ...before, siblings: 0, stamp: 0 }
  for (const change of changes) {
    if (change.before !== undefined) countEntry(into, change.key, change.before, -1)
    if (change.after !== undefined) countEntry(into, change.key, change.after, 1)
  }
  for (const child of children) seeGreatest(into, child)
  return into
}

/** The summary of the entries of several nodes. */
export const ofAll = (summaries: Iterable<Summary>): Summary => {
  const into = zero()
  for (const below of summaries) {
    into.high = (into.high + below.high) >>> 0
    into.low = (into.low + below.low) >>> 0
    countSums(into, below, 1)
    seeGreatestOf(into, below)
  }
  return into
}
