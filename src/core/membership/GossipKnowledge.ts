/**
 * What a node knows of all members, with the hashes by which two nodes find where they differ.
 */
import { md5Halves } from "../Hash.ts"
import type { NodeId } from "../model/Names.ts"
import type { Listing } from "./GossipMessage.ts"
import * as Facts from "./MemberFacts.ts"

interface Entry {
  readonly facts: Facts.MemberFacts
  readonly high: number
  readonly low: number
  readonly place: number
}

export interface Knowledge {
  readonly entries: ReadonlyMap<NodeId, Entry>
  /** The hashes of all entries, added by exclusive or. */
  readonly high: number
  readonly low: number
}

export const nothing: Knowledge = { entries: new Map(), high: 0, low: 0 }

export const factsOf = (known: Knowledge, node: NodeId): Facts.MemberFacts | undefined =>
  known.entries.get(node)?.facts

export const rootOf = ({ high, low }: Knowledge): string => hexOf(high) + hexOf(low)

const hexOf = (half: number): string => (half >>> 0).toString(16).padStart(8, "0")

/** Joins all facts into what is known. The members of which more is known now are `learned`. */
export const join = (
  known: Knowledge,
  told: ReadonlyArray<Facts.MemberFacts>
): { readonly known: Knowledge; readonly learned: ReadonlyArray<NodeId> } => {
  const news = told.filter((facts) => {
    const before = factsOf(known, facts.node)
    return before === undefined || Facts.compare(before, facts) < 0
  })
  if (news.length === 0) return { known, learned: [] }
  const entries = new Map(known.entries)
  let { high, low } = known
  for (const facts of news) {
    const before = entries.get(facts.node)
    const joined = before === undefined ? facts : Facts.join(before.facts, facts)
    const hash = md5Halves(Facts.textOf(joined))
    high ^= hash.high ^ (before?.high ?? 0)
    low ^= hash.low ^ (before?.low ?? 0)
    const place = before?.place ?? placeOf(facts.node)
    entries.set(facts.node, { facts: joined, ...hash, place })
  }
  return { known: { entries, high, low }, learned: [...new Set(news.map(({ node }) => node))] }
}

/** Forgets all other members. */
export const retain = (known: Knowledge, nodes: ReadonlySet<NodeId>): Knowledge => {
  const facts = [...known.entries].flatMap(([node, entry]) => nodes.has(node) ? [entry.facts] : [])
  return facts.length === known.entries.size ? known : join(nothing, facts).known
}

/** How many groups suit so many members: of some sixteen each. */
export const groupCountOf = ({ entries }: Knowledge): number =>
  Math.max(1, Math.ceil(entries.size / groupSize))

const groupSize = 16

/** A hash of a member's id. */
export const placeOf = (node: NodeId): number => md5Halves(node).low

/** A hash of each group. */
export const groupsOf = ({ entries }: Knowledge, groupCount: number): ReadonlyArray<number> => {
  const hashes = Array.from({ length: groupCount }, () => 0)
  for (const { low, place } of entries.values()) {
    const group = place % groupCount
    hashes[group] = (hashes[group]! ^ low) >>> 0
  }
  return hashes
}

/** Of some groups, in one walk through the members. */
export const listingsOf = (
  { entries }: Knowledge,
  { groupCount, groups }: { readonly groups: ReadonlyArray<number>; readonly groupCount: number }
): ReadonlyArray<Listing> => {
  const listed = new Map(groups.map((group) => [group, new Array<Listing["members"][number]>()]))
  for (const { low, place } of entries.values()) {
    listed.get(place % groupCount)?.push([place, low])
  }
  return [...listed].map(([group, members]) => ({ group, members }))
}

/** The members of a listed group of which the lister knows something else, or nothing. */
export const unlike = (
  { entries }: Knowledge,
  { group, members }: Listing,
  groupCount: number
): ReadonlyArray<NodeId> => {
  const theirs = new Map(members)
  return [...entries].flatMap(([node, { low, place }]) =>
    place % groupCount === group && theirs.get(place) !== low ? [node] : []
  )
}
