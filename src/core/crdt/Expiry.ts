/**
 * Says when a document ends by itself, and joins the expiries that two replicas know.
 *
 * The expiry is a register of its own beside the state: an entry under the dot of the write that
 * set or lifted it, replaced by the next write that has seen it. Of concurrent entries the one that
 * keeps the document longest wins, since data that is gone too early does not come back.
 */
import * as DottedVersionVectorSet from "../clock/DottedVersionVectorSet.ts"
import type { Dot } from "../clock/Dot.ts"
import type { OnConflict, Seen } from "../clock/DottedVersionVectorSet.ts"

/** The statement of one write about the end of its document. */
export interface ExpiryEntry extends Dot {
  /** Milliseconds since 1970, an integer from 0; null where the write lifted the expiry. */
  readonly at: number | null
}

/** Invariant: sorted by dot, no dot twice, every dot in the context of the document. */
export type Expiry = ReadonlyArray<ExpiryEntry>

/** The expiry of a document without any: one array, so that it costs nothing. */
export const none: Expiry = []

/**
 * Joins the entries of two sides, by the rule of siblings: an entry stays if both hold it, or if
 * the side without it has not seen it.
 *
 * **Guarantees** commutative, associative and idempotent. Returns `left` itself where nothing
 * changes, `right` where only it is left.
 */
export const join = (
  left: Expiry,
  leftSeen: Seen,
  right: Expiry,
  rightSeen: Seen,
  onConflict?: OnConflict
): Expiry =>
  left.length + right.length === 0
    ? left
    : DottedVersionVectorSet.join(left, leftSeen, right, rightSeen, { compare, onConflict })

/** Of one dot the one that keeps the document longest. */
const compare = ({ at: left }: ExpiryEntry, { at: right }: ExpiryEntry): number => {
  if (left === right) return 0
  if (left === null) return 1
  return right === null ? -1 : left - right
}

/** When the document ends, in milliseconds since 1970; undefined where it does not. */
export const expiresAt = (expiry: Expiry): number | undefined => {
  let latest: number | undefined
  for (const { at } of expiry) {
    if (at === null) return undefined
    if (latest === undefined || at > latest) latest = at
  }
  return latest
}
