/**
 * What a member tells of itself, for gossip to spread, and the join of two such tales.
 *
 * The join takes the greater one in a total order: it is commutative, associative and idempotent,
 * and never goes back.
 */
import type { NodeId } from "../model/Names.ts"
import * as Version from "./Version.ts"

export const statuses = ["serving", "stopping"] as const
export type MemberStatus = typeof statuses[number]

export interface MemberFacts {
  readonly node: NodeId
  readonly version: Version.Version
  /** The id of its store. */
  readonly store: string
  readonly status: MemberStatus
  /** The versions of frames that it takes. */
  readonly protocols: { readonly least: number; readonly greatest: number }
  /** Sixteen hexadecimal digits of the names and fingerprints of its buckets. */
  readonly buckets: string
}

/** All but the version: the member counts it up where any of this changes. */
export type MemberTale = Omit<MemberFacts, "version" | "node">

/** Equal for equal facts only. */
export const textOf = (facts: MemberFacts): string => {
  const { buckets, node, protocols: { greatest, least }, status, store, version } = facts
  const { incarnation, number, term } = version
  return [node, term, incarnation, number, store, status, least, greatest, buckets].join(" ")
}

/**
 * Negative where `left` is less. Of equal versions with different content, as two processes under
 * one id may tell, one is the greater everywhere.
 */
export const compare = (left: MemberFacts, right: MemberFacts): number => {
  const byVersion = Version.compare(left.version, right.version)
  if (byVersion !== 0) return byVersion
  const [one, other] = [textOf(left), textOf(right)]
  if (one === other) return 0
  return one < other ? -1 : 1
}

/** **Requires** facts of one member. */
export const join = (left: MemberFacts, right: MemberFacts): MemberFacts =>
  compare(left, right) < 0 ? right : left

/** The next facts of a member, from its present ones. */
export const tell = (known: MemberFacts, tale: MemberTale): MemberFacts => {
  const told = { ...known, ...tale }
  if (textOf(told) === textOf(known)) return known
  return { ...told, version: { ...known.version, number: known.version.number + 1 } }
}
