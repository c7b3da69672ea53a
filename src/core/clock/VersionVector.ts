/**
 * Summarises a causal history: for each actor, the greatest counter that was seen.
 *
 * That is exact, without a list of single dots, because a state that contains a dot of an actor
 * contains or has superseded every earlier dot of that actor in that document. States and deltas
 * are only ever joined in ways that keep this so.
 *
 * @see Parker et al., Detection of Mutual Inconsistency in Distributed Systems, 1983
 */
import { sortedKeys } from "../codec/SortedKeys.ts"
import type { Actor, Dot } from "./Dot.ts"

/** Invariant: no counter is 0. */
export type VersionVector = ReadonlyMap<Actor, number>

export const empty: VersionVector = new Map<Actor, number>()

/** Whether the event is part of this history. */
export const contains = (self: VersionVector, actor: Actor, counter: number): boolean =>
  (self.get(actor) ?? 0) >= counter

/** Whether every event of `other` is part of `self`. */
export const covers = (self: VersionVector, other: VersionVector): boolean => {
  if (self === other) return true
  for (const [actor, counter] of other) {
    if ((self.get(actor) ?? 0) < counter) return false
  }
  return true
}

/** The history of both; one of the two themselves where it covers the other. */
export const join = (left: VersionVector, right: VersionVector): VersionVector => {
  if (covers(left, right)) return left
  if (covers(right, left)) return right
  const joined = new Map(left)
  for (const [actor, counter] of right) {
    if (counter > (joined.get(actor) ?? 0)) joined.set(actor, counter)
  }
  return joined
}

/** The history with one more event. */
export const withDot = (self: VersionVector, dot: Dot): VersionVector =>
  contains(self, dot.actor, dot.counter) ? self : new Map(self).set(dot.actor, dot.counter)

export type Order = "equal" | "before" | "after" | "concurrent"

/** How `left` stands to `right`; `before` means that `right` has seen all of `left`, and more. */
export const compare = (left: VersionVector, right: VersionVector): Order => {
  const seesRight = covers(left, right)
  const seenByRight = covers(right, left)
  if (seesRight) return seenByRight ? "equal" : "after"
  return seenByRight ? "before" : "concurrent"
}

/** The entries by actor: the canonical order of every encoding. */
export const sorted = (self: VersionVector): ReadonlyArray<readonly [Actor, number]> =>
  sortedKeys(self).map((actor) => [actor, self.get(actor)!])
