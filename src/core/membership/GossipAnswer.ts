/**
 * Decides the answer to a message of gossip: all that its sender lacks, as far as the message
 * shows, and where more of what differs may be.
 */
import type { NodeId } from "../model/Names.ts"
import { type Draws, shuffled } from "./Draws.ts"
import type { GossipMessage, Listing } from "./GossipMessage.ts"
import * as Knowledge from "./GossipKnowledge.ts"
import * as Size from "./GossipSize.ts"
import { empty, factsIn, type GossipLimits, type GossipState, roomOf } from "./GossipState.ts"
import * as Facts from "./MemberFacts.ts"

/** Undefined where nothing is to be said, or no bytes are left. */
export const answerTo = (
  state: GossipState,
  message: GossipMessage,
  draws: Draws,
  limits: GossipLimits
) => {
  const room = roomOf(state, limits)
  const differs = message.root !== Knowledge.rootOf(state.known)
  if (room === 0 || !differs) return undefined
  const packing = Size.packing(room)
  const facts = shuffled(lackedBy(state, message), draws).map((node) => factsIn(state, node))
    .filter((known) => packing.takes(Size.ofFacts(known)))
  const listings = shuffled(listingsFor(state, message), draws)
    .filter((listing) => packing.takes(Size.ofListing(listing)))
  const groups = groupsFor(state, message)
    .filter((_, __, all) => all.length * Size.ofHash <= packing.left())
  if (facts.length === 0 && listings.length === 0 && groups.length === 0) return undefined
  packing.takes(groups.length * Size.ofHash)
  const groupCount = message.groupCount > 0
    ? message.groupCount
    : Knowledge.groupCountOf(state.known)
  const answer: GossipMessage = { ...empty(state), groupCount, facts, listings, groups }
  return { message: answer, bytes: packing.bytes() }
}

/** The members of which the sender knows less, as far as its message shows. */
const lackedBy = (state: GossipState, message: GossipMessage): ReadonlyArray<NodeId> => {
  const stale = message.facts.filter((facts) => {
    const known = Knowledge.factsOf(state.known, facts.node)
    return known !== undefined && Facts.compare(facts, known) < 0
  })
  const { groupCount } = message
  const unlike = message.listings.flatMap((listing) =>
    Knowledge.unlike(state.known, listing, groupCount)
  )
  return [...new Set([...stale.map(({ node }) => node), ...unlike])]
}

const listingsFor = (state: GossipState, message: GossipMessage): ReadonlyArray<Listing> => {
  const { asks, groupCount, groups, listings } = message
  const list = (listed: ReadonlyArray<number>, count: number) =>
    Knowledge.listingsOf(state.known, { groups: listed, groupCount: count })
  // Few members are listed at once.
  if (asks) return Knowledge.groupCountOf(state.known) === 1 ? list([0], 1) : []
  if (groups.length > 0) {
    const own = Knowledge.groupsOf(state.known, groupCount)
    return list(own.flatMap((hash, at) => hash === groups[at] ? [] : [at]), groupCount)
  }
  const missing = new Set(
    [...state.others].filter((node) => !state.known.entries.has(node)).map(Knowledge.placeOf)
  )
  const wanted = listings.filter(({ members }) => members.some(([place]) => missing.has(place)))
  return list(wanted.map(({ group }) => group), groupCount)
}

const groupsFor = (state: GossipState, { asks }: GossipMessage): ReadonlyArray<number> => {
  const groupCount = Knowledge.groupCountOf(state.known)
  return asks && groupCount > 1 ? Knowledge.groupsOf(state.known, groupCount) : []
}
