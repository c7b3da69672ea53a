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
  /** The counters of `dots` by actor, where there are many dots. */
  readonly index?: ReadonlyMap<Actor, ReadonlySet<number>>
}

export const hasSeen = (seen: Seen, actor: Actor, counter: number): boolean => {
  if (VersionVector.contains(seen.vector, actor, counter)) return true
  if (seen.index !== undefined) return seen.index.get(actor)?.has(counter) === true
  for (const dot of seen.dots) if (dot.counter === counter && dot.actor === actor) return true
  return false
}

/** Dots that are looked through one by one in less time than an index takes. */
const fewDots = 8

/** The same history, which tells of any number of dots at once whether it has them. */
export const indexed = (seen: Seen): Seen => {
  if (seen.dots.length <= fewDots) return seen
  const index = new Map<Actor, Set<number>>()
  for (const { actor, counter } of seen.dots) {
    const counters = index.get(actor)
    if (counters === undefined) index.set(actor, new Set([counter]))
    else counters.add(counter)
  }
  return { ...seen, index }
}

/** Where a dot stands among siblings, or would: behind all lesser ones. */
const placeOf = (siblings: ReadonlyArray<Dot>, dot: Dot): number => {
  let [from, to] = [0, siblings.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    if (compareDots(siblings[middle]!, dot) < 0) from = middle + 1
    else to = middle
  }
  return from
}

/**
 * Orders what stands under one dot on two sides. No dot is made twice, so only a broken promise, as
 * bytes that changed on their way, makes it differ: then every join takes the greater.
 */
export interface Content<A> {
  readonly compare: (left: A, right: A) => number
  /** Called where it differs. */
  readonly onConflict: OnConflict
}

export type OnConflict = (() => void) | undefined

/** Which side of one dot has the greater content: below 0, the right one. */
const order = <A>(left: A, right: A, { compare, onConflict }: Content<A>): number => {
  const compared = left === right ? 0 : compare(left, right)
  if (compared !== 0) onConflict?.()
  return compared
}

/** Orders siblings of one dot. */
export const compareContents = (left: Sibling, right: Sibling): number =>
  left.stamp - right.stamp || compareValues(left.value, right.value)

/** Orders texts; null is the least. */
export const compareValues = (left: string | null, right: string | null): number => {
  if (left === right) return 0
  return left === null || (right !== null && left < right) ? -1 : 1
}

const isAmong = (siblings: ReadonlyArray<Dot>, dot: Dot): boolean => {
  const there = siblings[placeOf(siblings, dot)]
  return there !== undefined && compareDots(there, dot) === 0
}

/** Whether a side has seen its own siblings only: it takes none away from the other. */
const isBlind = (siblings: ReadonlyArray<Dot>, { dots, vector }: Seen): boolean =>
  vector.size === 0 && dots.every((dot) => isAmong(siblings, dot))

/** The join where the right side is blind: a thousand blind writes look at no sibling twice. */
const withBlind = <A extends Dot>(
  left: ReadonlyArray<A>,
  leftSeen: Seen,
  right: ReadonlyArray<A>,
  content: Content<A>
): ReadonlyArray<A> => {
  let joined = left
  for (const sibling of right) {
    const place = placeOf(joined, sibling)
    const mine = joined[place]
    if (mine !== undefined && compareDots(mine, sibling) === 0) {
      if (order(mine, sibling, content) < 0) joined = joined.with(place, sibling)
    } else if (!hasSeen(leftSeen, sibling.actor, sibling.counter)) {
      joined = joined.toSpliced(place, 0, sibling)
    }
  }
  return joined
}

/**
 * Joins the siblings that two sides hold: a sibling stays if both hold it, or if the side that
 * lacks it has not seen it. Sorted by dot. The rule looks at dots alone, so it serves any content
 * that is kept under them; of two contents of one dot it keeps the greater.
 *
 * **Requires** both sorted by dot, no dot twice.
 *
 * **Guarantees** commutative, associative and idempotent; never drops a value whose dot the other
 * side has not seen. Returns `left` itself where nothing changes, `right` where only it is left.
 */
export const join = <A extends Dot>(
  left: ReadonlyArray<A>,
  leftSeen: Seen,
  right: ReadonlyArray<A>,
  rightSeen: Seen,
  content: Content<A>
): ReadonlyArray<A> => {
  if (left.length > 0 && isBlind(right, rightSeen)) return withBlind(left, leftSeen, right, content)
  const joined: Array<A> = []
  let isLeft = true
  let isRight = true
  for (let i = 0, j = 0; i < left.length || j < right.length;) {
    const [mine, other] = [left[i], right[j]]
    const place = mine === undefined ? 1 : other === undefined ? -1 : compareDots(mine, other)
    if (place <= 0) i++
    if (place >= 0) j++
    const greater = place === 0 ? order(mine!, other!, content) : -place
    const sibling = greater >= 0 ? mine! : other!
    const isKept = place === 0
      || !hasSeen(place < 0 ? rightSeen : leftSeen, sibling.actor, sibling.counter)
    if (isKept) joined.push(sibling)
    // A side differs from the join by a sibling that it lacks, or has beyond it, or has otherwise.
    if (isKept ? greater < 0 : place < 0) isLeft = false
    if (isKept ? greater > 0 : place > 0) isRight = false
  }
  if (isLeft) return left
  return isRight ? right : joined
}
