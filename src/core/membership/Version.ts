/**
 * Orders what is told of one member. Only the member itself makes versions, so that what is known
 * of it never goes back: a version is beaten by a greater one of the same member and by nothing
 * else.
 *
 * Incarnations alone order most of it. A wiped node with a slow clock may draw a lesser one than it
 * had before; it then goes on in a greater term than the one that it is told of.
 */

export interface Version {
  /** Grows where the member is told of an incarnation of its own that is greater. */
  readonly term: number
  readonly incarnation: string
  /** Grows with each change within the incarnation, and when the member refutes a suspicion. */
  readonly number: number
}

/** Less than any version that a member makes: of one of which nothing is known. */
export const none: Version = { term: 0, incarnation: "", number: 0 }

/** The greatest term and number; a version beyond is refused, so that each can be beaten. */
export const versionPartMax = 2 ** 48

/** Negative where `left` is less, 0 where both are the same. */
export const compare = (left: Version, right: Version): number => {
  if (left.term !== right.term) return left.term - right.term
  if (left.incarnation !== right.incarnation) return left.incarnation < right.incarnation ? -1 : 1
  return left.number - right.number
}

export const isLess = (left: Version, right: Version): boolean => compare(left, right) < 0

/** A version of the incarnation of `own` that is greater than both. */
export const above = (own: Version, told: Version): Version => {
  if (isLess(told, own)) return own
  const isSame = told.term === own.term && told.incarnation === own.incarnation
  if (isSame) return { ...own, number: told.number + 1 }
  return { term: told.term + 1, incarnation: own.incarnation, number: 0 }
}
