/**
 * Joins two states of one document: the least state that contains both.
 *
 * Every write into a replica goes through here, from any sender: clients' operations as deltas,
 * replication, read repair, handoff and anti-entropy as states. So order, repetition and loss of
 * messages cannot matter.
 *
 * **Guarantees** commutative, associative, idempotent; `left` is returned itself, and so is each
 * part of it, where nothing changes, so that only changed rows are written.
 */
import { type Actor, compareDots } from "../clock/Dot.ts"
import * as DottedVersionVectorSet from "../clock/DottedVersionVectorSet.ts"
import { compareValues, type OnConflict, type Seen } from "../clock/DottedVersionVectorSet.ts"
import { invariant } from "../Invariant.ts"
import * as CounterTotal from "./CounterTotal.ts"
import { Children, type Put } from "./Children.ts"
import {
  type Counter,
  type DotStore,
  emptyTree,
  type LastWriterRegister,
  type PerActorTotal,
  type Tree,
  treeAfter
} from "./DotStore.ts"

/** One side of a join. */
export interface Side {
  readonly store: DotStore | undefined
  readonly seen: Seen
}

/** Whether `left` wins against `right`; ties break by actor, alike on every node. */
const isLater = (
  left: LastWriterRegister,
  right: LastWriterRegister,
  onConflict: OnConflict
): boolean => {
  if (left === right) return true
  const order = compareDots(left, right)
  const values = order === 0 ? compareValues(left.value, right.value) : 0
  if (order === 0 && (values !== 0 || left.stamp !== right.stamp)) onConflict?.()
  if (left.stamp !== right.stamp) return left.stamp > right.stamp
  return order === 0 ? values >= 0 : order > 0
}

const joinCounters = (left: Counter, right: Counter, onConflict: OnConflict): Counter => {
  let joined: Map<Actor, PerActorTotal> | undefined
  for (const [actor, total] of right.totals) {
    const mine = left.totals.get(actor)
    const both = mine === undefined ? total : CounterTotal.join(mine, total)
    if (mine !== undefined && onConflict !== undefined && CounterTotal.isConflict(mine, total)) {
      onConflict()
    }
    if (both !== mine) (joined ??= new Map(left.totals)).set(actor, both)
  }
  return joined === undefined ? left : { kind: "counter", totals: joined }
}

const joinTrees = (
  [left, leftSeen]: readonly [Tree, Seen],
  [right, rightSeen]: readonly [Tree, Seen],
  onConflict: OnConflict
): DotStore | undefined => {
  const puts: Array<Put> = []
  Children.diff(left.children, right.children, (key, child, other) => {
    const both = joinStores(
      { store: child, seen: leftSeen },
      { store: other, seen: rightSeen },
      onConflict
    )
    if (both !== child) puts.push([key, both])
  })
  return treeAfter(left, puts)
}

/** An empty store of the same shape as the other side's, so that each shape has one join. */
const emptyLike = (store: DotStore): DotStore => {
  switch (store.kind) {
    case "values":
      return { kind: "values", siblings: [] }
    case "tree":
      return emptyTree
    case "latest":
    case "counter":
      return store
  }
}

/**
 * Joins the stores of two sides; undefined is a store without entries. `onConflict` is called for
 * each dot that has one content on the left and another one on the right: the greater stays.
 *
 * **Requires** both of one kind: the kind is part of a child's key, and documents whose roots
 * differ are refused before they get here.
 */
export const joinStores = (
  left: Side,
  right: Side,
  onConflict?: OnConflict
): DotStore | undefined => {
  const shape = left.store ?? right.store
  if (shape === undefined) return undefined
  const mine = left.store ?? emptyLike(shape)
  const other = right.store ?? emptyLike(shape)
  switch (mine.kind) {
    case "latest":
      invariant(other.kind === "latest", "both sides of a join are of one kind")
      return isLater(mine, other, onConflict) ? mine : other
    case "values": {
      invariant(other.kind === "values", "both sides of a join are of one kind")
      const siblings = DottedVersionVectorSet.join(
        mine.siblings,
        left.seen,
        other.siblings,
        right.seen,
        { compare: DottedVersionVectorSet.compareContents, onConflict }
      )
      if (siblings === mine.siblings) return left.store
      return siblings.length === 0 ? undefined : { kind: "values", siblings }
    }
    case "counter":
      invariant(other.kind === "counter", "both sides of a join are of one kind")
      return joinCounters(mine, other, onConflict)
    case "tree":
      invariant(other.kind === "tree", "both sides of a join are of one kind")
      return joinTrees([mine, left.seen], [other, right.seen], onConflict)
  }
}
