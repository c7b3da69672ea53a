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
  const newer = last(other).counter > last(mine).counter ? other : mine
  const { removed } = other.removed.counter > mine.removed.counter ? other : mine
  if (newer.removed.counter === removed.counter) return newer
  const first = newer.updates.findIndex(({ counter }) => counter > removed.counter)
  if (first === 0) return { ...newer, removed }
  return { removed, updates: first < 0 ? [] : newer.updates.slice(first), isCut: false }
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
