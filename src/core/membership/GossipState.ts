/**
 * The state of a node's gossip: what it knows, what is news, and how much it may send.
 */
import { invariant } from "../Invariant.ts"
import type { NodeLimits } from "../model/Limits.ts"
import type { NodeId } from "../model/Names.ts"
import type { GossipMessage, Suspicion } from "./GossipMessage.ts"
import * as Knowledge from "./GossipKnowledge.ts"
import type * as Facts from "./MemberFacts.ts"
import { accusersMax } from "./Suspicion.ts"
import * as Version from "./Version.ts"

export type GossipLimits = Pick<
  NodeLimits,
  "gossipBytesPerSecond" | "gossipMessageBytesMax" | "gossipFanOut"
>

/**
 * A suspicion, with how often it was sent. It is kept until it is refuted, though it was sent often
 * enough: else it would be new again when another node tells of it, and go round without end.
 */
export interface Rumour {
  readonly suspicion: Suspicion
  readonly sent: number
}

export interface GossipState {
  readonly self: NodeId
  /** The others. Nothing is believed of anybody else. */
  readonly others: ReadonlySet<NodeId>
  readonly known: Knowledge.Knowledge
  /** The members of which something new is told, with how often it was. */
  readonly news: ReadonlyMap<NodeId, number>
  readonly rumours: ReadonlyMap<string, Rumour>
  /** Bytes that may be sent, as of a time. */
  readonly allowance: { readonly bytes: number; readonly at: number }
}

/** At this time of the node's monotonic clock; `random` is in [0, 1). */
export interface Moment {
  readonly at: number
  readonly random: number
}

export type GossipEvent =
  /** It is time to compare with another node. */
  | { readonly _tag: "Round" } & Moment
  /** It is time to tell some others what is new. */
  | { readonly _tag: "Tell" } & Moment
  | {
    readonly _tag: "Received"
    readonly from: NodeId
    readonly message: GossipMessage
  } & Moment
  /** The own facts have changed. */
  | { readonly _tag: "Changed"; readonly own: Facts.MemberFacts }
  /** The node believes it of another. */
  | { readonly _tag: "Suspected"; readonly suspicion: Suspicion }
  /** The members have changed. */
  | { readonly _tag: "Members"; readonly others: ReadonlySet<NodeId> }

export interface GossipSend {
  readonly to: NodeId
  readonly message: GossipMessage
}

export interface GossipStep {
  readonly state: GossipState
  readonly sends: ReadonlyArray<GossipSend>
  /** The members of which more is known now; the node itself where others know more of it. */
  readonly learned: ReadonlyArray<NodeId>
  /** Suspicions that others told and that were new. */
  readonly told: ReadonlyArray<Suspicion>
}

/** The greatest version that is known of a member. */
export const versionOf = ({ known }: GossipState, node: NodeId): Version.Version =>
  Knowledge.factsOf(known, node)?.version ?? Version.none

export const quiet = (state: GossipState): GossipStep => ({
  state,
  sends: [],
  learned: [],
  told: []
})

/** Unsent bytes gather for a second at most. */
export const refilled = (state: GossipState, at: number, limits: GossipLimits): GossipState => {
  const { gossipBytesPerSecond: most } = limits
  const { allowance } = state
  const grown = allowance.bytes + (Math.max(0, at - allowance.at) / 1_000) * most
  return { ...state, allowance: { bytes: Math.min(most, grown), at } }
}

export const learn = (state: GossipState, facts: ReadonlyArray<Facts.MemberFacts>) => {
  const { others, self } = state
  const ofMembers = facts.filter(({ node }) => node === self || others.has(node))
  const { known, learned } = Knowledge.join(state.known, ofMembers)
  if (learned.length === 0) return { state, learned }
  const news = new Map(state.news)
  for (const node of learned) news.set(node, 0)
  return { state: pruned({ ...state, known, news }), learned }
}

/** Without the suspicions that are refuted. */
const pruned = (state: GossipState): GossipState => {
  const left = [...state.rumours].filter(([, { suspicion }]) => isOpen(state, suspicion))
  return left.length === state.rumours.size ? state : { ...state, rumours: new Map(left) }
}

/** A suspicion of a version holds until the suspect tells a greater one. */
export const isOpen = (state: GossipState, { suspect, version }: Suspicion): boolean =>
  !Version.isLess(version, versionOf(state, suspect))

/** Whether the suspicion is open and another accuser changes anything. */
export const isNew = (state: GossipState, suspicion: Suspicion): boolean => {
  if (!isOpen(state, suspicion) || state.rumours.has(nameOf(suspicion))) return false
  const shared = [...state.rumours.values()].filter(({ suspicion: { suspect } }) =>
    suspect === suspicion.suspect
  )
  return shared.length < accusersMax
}

const nameOf = ({ accuser, suspect, version }: Suspicion): string =>
  [suspect, accuser, version.term, version.incarnation, version.number].join(" ")

export const withRumour = (state: GossipState, suspicion: Suspicion): GossipState => {
  if (!isNew(state, suspicion)) return state
  const rumour = { suspicion, sent: 0 }
  return { ...state, rumours: new Map(state.rumours).set(nameOf(suspicion), rumour) }
}

export const withMembers = (state: GossipState, others: ReadonlySet<NodeId>): GossipState => {
  const all = new Set(others).add(state.self)
  const news = new Map([...state.news].filter(([node]) => all.has(node)))
  const rumours = new Map(
    [...state.rumours].filter(([, { suspicion: { suspect } }]) => all.has(suspect))
  )
  return { ...state, others, known: Knowledge.retain(state.known, all), news, rumours }
}

export const factsIn = (state: GossipState, node: NodeId): Facts.MemberFacts => {
  const facts = Knowledge.factsOf(state.known, node)
  invariant(facts !== undefined, "news is of a member of which something is known")
  return facts
}

export const empty = (state: GossipState): GossipMessage => ({
  asks: false,
  root: Knowledge.rootOf(state.known),
  groupCount: 0,
  facts: [],
  suspicions: [],
  groups: [],
  listings: []
})

/**
 * Bytes that the next message may have; 0 where none may go. A message goes when it may be a full
 * one: many small ones would be headers for the most part.
 */
export const roomOf = ({ allowance }: GossipState, limits: GossipLimits): number => {
  const room = limits.gossipMessageBytesMax
  return allowance.bytes < room ? 0 : room
}

/**
 * The same for news that is told at once, in messages as small as they are. Comparisons find what
 * such news does not bring, with fewer bytes: half is kept for them.
 */
export const roomBeyond = ({ allowance }: GossipState, limits: GossipLimits): number => {
  const { gossipBytesPerSecond, gossipMessageBytesMax } = limits
  return Math.min(gossipMessageBytesMax, allowance.bytes - gossipBytesPerSecond / 2)
}

export const spent = (state: GossipState, bytes: number): GossipState => {
  const { allowance } = state
  return { ...state, allowance: { ...allowance, bytes: allowance.bytes - bytes } }
}
