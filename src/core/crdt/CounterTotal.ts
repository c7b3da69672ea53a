/**
 * Keeps the share of one actor in a counter, to which only that actor adds.
 *
 * An actor's updates are a list u1, u2, and so on, each a function of its dot, since no dot is made
 * twice. Removals see all updates of an actor up to one, so all removals together have taken u1 to
 * ur. An entry is a function of c, the last update, and r: it has ur as its baseline, and of the 16
 * updates up to uc those after ur. Both c and r only grow, each along a chain, so entries are a
 * product of two chains, and the join takes the greater c and the greater r. It needs nothing but
 * the two entries: the one with the greater c has those of its last 16 updates that come after its
 * own baseline, which is at most the greater one. Maxima are commutative, associative and
 * idempotent, and so is the join.
 *
 * `isCut` is a function of c and r too: before 16 kept updates there may be others, before fewer
 * there are none. Entries from before updates were kept keep one update instead of 16, and
 * their actors make no others.
 */
import type { CounterUpdate, PerActorTotal } from "./DotStore.ts"
import { minus, plus, type Sum } from "./Sum.ts"

/**
 * Updates that an entry keeps, for removals whose clients have not seen the later ones. A removal
 * that has seen less than the first of 16 is refused, and its client reads again. Every write of a
 * counter carries them, 2 to 4 bytes each. Equal contexts mean equal states, so that the number is
 * a part of the format.
 */
export const updatesMax = 16

const nothing: CounterUpdate = { counter: 0, sum: 0 }

/** The entry of an actor that has not added anything yet. */
export const none: PerActorTotal = { removed: nothing, updates: [], isCut: false }

/** The actor's last update, removed or not. */
export const last = ({ removed, updates }: PerActorTotal): CounterUpdate =>
  updates.at(-1) ?? removed

/** The sum of the amounts that were not removed. */
export const left = (total: PerActorTotal): Sum =>
  total.updates.length === 0 ? 0 : minus(last(total).sum, total.removed.sum)

/** The entry after one more update of its actor, under the dot `counter`. */
export const updated = (total: PerActorTotal, counter: number, amount: number): PerActorTotal => {
  const update = { counter, sum: plus(last(total).sum, amount) }
  const updates = [...total.updates, update].slice(-updatesMax)
  return { ...total, updates, isCut: total.isCut || updates.length === updatesMax }
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
