/**
 * Keeps the share of one actor in a counter, to which only that actor adds.
 *
 * An actor's updates are a list u1, u2, and so on. Removals see all updates of an actor up to one,
 * so all removals together have taken u1 to ur. An entry is a function of two numbers: c, the last
 * update, and r. As the actor makes uc, it writes down its last updates up to uc; no dot is made
 * twice, so that list is a function of c. The entry has ur as its baseline, and of the list those
 * after ur. Both numbers only grow, each along a chain, so entries are a product of two chains, and
 * the join takes the greater of each. It needs nothing but the two entries: the one with the
 * greater c has the list but for those up to its own baseline, which is at most the greater one.
 * Maxima are commutative, associative and idempotent, and so is the join.
 *
 * The join does not rest on that function alone. Where an actor's entry was changed by another than
 * its actor, entries may differ under one c or r. So the greater is that of a total order of
 * baselines, by counter, then sum, and of one of lists, from their last update to their first: the
 * one to cut off the updates up to a baseline never turns round.
 *
 * `isCut` is a function of them too: the actor writes it down with its list, and it holds until a
 * baseline is within the list. The number of updates that an actor keeps is its own affair.
 */
import type { CounterUpdate, PerActorTotal } from "./DotStore.ts"
import { minus, plus, type Sum } from "./Sum.ts"

const nothing: CounterUpdate = { counter: 0, sum: 0 }

/** The entry of an actor that has not added anything yet. */
export const none: PerActorTotal = { removed: nothing, updates: [], isCut: false }

/** The actor's last update, removed or not. */
export const last = ({ removed, updates }: PerActorTotal): CounterUpdate =>
  updates.at(-1) ?? removed

/** The sum of the amounts that were not removed. */
export const left = (total: PerActorTotal): Sum =>
  total.updates.length === 0 ? 0 : minus(last(total).sum, total.removed.sum)

/**
 * The entry after one more update of its actor, which keeps its last `updatesMax` for removals
 * whose clients have not seen the later ones.
 */
export const updated = (
  total: PerActorTotal,
  update: { readonly counter: number; readonly amount: number; readonly updatesMax: number }
): PerActorTotal => {
  const { amount, counter, updatesMax } = update
  const all = [...total.updates, { counter, sum: plus(last(total).sum, amount) }]
  const updates = all.slice(-updatesMax)
  return { ...total, updates, isCut: total.isCut || updates.length < all.length }
}

/** The least entry in which all up to `update` is removed. */
export const removedUpTo = (update: CounterUpdate): PerActorTotal => ({ ...none, removed: update })

export const join = (mine: PerActorTotal, other: PerActorTotal): PerActorTotal => {
  const { removed } = compareUpdates(other.removed, mine.removed) > 0 ? other : mine
  const [left, right] = [after(mine, removed), after(other, removed)]
  const order = compareLists(left, right)
  return order > 0 || order === 0 && left === mine ? left : right
}

/** Whether two entries contradict each other: one of them was changed by another than its actor. */
export const isConflict = (mine: PerActorTotal, other: PerActorTotal): boolean => {
  if (mine === other) return false
  const sums = new Map([mine.removed, ...mine.updates].map(({ counter, sum }) => [counter, sum]))
  for (const { counter, sum } of [other.removed, ...other.updates]) {
    if (sums.has(counter) && sums.get(counter) !== sum) return true
  }
  if (last(mine).counter !== last(other).counter) return false
  const { removed } = other.removed.counter > mine.removed.counter ? other : mine
  return compareLists(after(mine, removed), after(other, removed)) !== 0
}

/** The entry without what is removed up to `removed`. */
const after = (total: PerActorTotal, removed: CounterUpdate): PerActorTotal => {
  if (compareUpdates(total.removed, removed) === 0) return total
  const first = total.updates.findIndex(({ counter }) => counter > removed.counter)
  if (first === 0) return { ...total, removed }
  return { removed, updates: first < 0 ? [] : total.updates.slice(first), isCut: false }
}

const compareUpdates = (left: CounterUpdate, right: CounterUpdate): number =>
  left.counter - right.counter || (left.sum === right.sum ? 0 : left.sum < right.sum ? -1 : 1)

/** Orders lists by their last update, then the one before, and so on; at last by `isCut`. */
const compareLists = (left: PerActorTotal, right: PerActorTotal): number => {
  const [mine, other] = [left.updates, right.updates]
  for (let i = 1; i <= mine.length && i <= other.length; i++) {
    const order = compareUpdates(mine.at(-i)!, other.at(-i)!)
    if (order !== 0) return order
  }
  // Where the longer one is cut to the other's length, nothing is missing any more.
  return mine.length - other.length || Number(right.isCut) - Number(left.isCut)
}

/**
 * The last update that a removal takes away which has seen the actor up to `seen`; undefined where
 * it takes none. `too-old`: the update is not kept any more.
 */
export const taken = (
  total: PerActorTotal,
  seen: number
): CounterUpdate | "too-old" | undefined => {
  if (seen <= total.removed.counter) return undefined
  const update = total.updates.findLast(({ counter }) => counter <= seen)
  return update ?? (total.isCut ? "too-old" : undefined)
}
