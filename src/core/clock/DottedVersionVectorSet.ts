/**
 * Keeps concurrent values apart, each under the dot of the write that made it.
 *
 * With one clock for all values of a key, two clients that read and write in turns through one
 * coordinator look concurrent for ever, and the siblings explode. With a dot for each value, a
 * write removes just those its context covers: comparing dots, not vectors, is the whole idea.
 *
 * @see Gonçalves, Almeida, Baquero, Fonte: Concise Server-Wide Causality Management, 2014, and
 *   Preguiça et al.: Dotted Version Vectors, 2010
 */
import { type Actor, compareDots, type Dot } from "./Dot.ts"
import * as VersionVector from "./VersionVector.ts"

/** One of several concurrent values, with the dot of its write. */
export interface Sibling extends Dot {
  /** Hybrid logical time of the write, in microseconds; 0 where the type has no use for it. */
  readonly stamp: number
  /** Canonical JSON; empty where the presence of the dot says all. */
  readonly value: string
}

/**
 * A history that one side of a join has seen: a vector, and, for the small histories of deltas,
 * single dots beside it.
 */
export interface Seen {
  readonly vector: VersionVector.VersionVector
  readonly dots: ReadonlyArray<Dot>
}

export const hasSeen = (seen: Seen, actor: Actor, counter: number): boolean => {
  if (VersionVector.contains(seen.vector, actor, counter)) return true
  for (const dot of seen.dots) if (dot.counter === counter && dot.actor === actor) return true
  return false
}

const indexOfDot = (siblings: ReadonlyArray<Dot>, dot: Dot): number => {
  for (let i = 0; i < siblings.length; i++) {
    if (siblings[i]!.counter === dot.counter && siblings[i]!.actor === dot.actor) return i
  }
  return -1
}

/**
 * Joins the siblings that two sides hold: a sibling stays if both hold it, or if the side that
 * lacks it has not seen it. Sorted by dot. The rule looks at dots alone, so it serves any content
 * that is kept under them.
 *
 * **Guarantees** commutative, associative and idempotent; never drops a value whose dot the other
 * side has not seen. Returns `left` itself where nothing changes, `right` where only it is left.
 */
export const join = <A extends Dot>(
  left: ReadonlyArray<A>,
  leftSeen: Seen,
  right: ReadonlyArray<A>,
  rightSeen: Seen
): ReadonlyArray<A> => {
  const joined: Array<A> = []
  let shared = 0
  for (const sibling of left) {
    const isShared = indexOfDot(right, sibling) >= 0
    if (isShared) shared++
    if (isShared || !hasSeen(rightSeen, sibling.actor, sibling.counter)) joined.push(sibling)
  }
  const kept = joined.length
  for (const sibling of right) {
    if (hasSeen(leftSeen, sibling.actor, sibling.counter)) continue
    if (indexOfDot(left, sibling) < 0) joined.push(sibling)
  }
  if (kept === left.length && joined.length === kept) return left
  if (kept === shared && joined.length === right.length) return right
  return joined.length > 1 ? joined.sort(compareDots) : joined
}
