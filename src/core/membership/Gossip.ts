/**
 * Decides what a node tells others of the members, and when two have told each other enough.
 *
 * News travels as rumours: each node sends a fact that is new to it to a few others at once, and
 * with its next messages, as often as makes it likely that all have it. Whatever rumours missed is
 * found by comparison: once in a while a node sends one other a hash of all that it knows. If the
 * other knows anything else, it answers with hashes of groups of members, then the groups that
 * differ are listed, then facts are sent. So a comparison costs few bytes where nothing differs.
 *
 * A node sends no more than a number of bytes a second. What does not fit goes later: nothing is
 * lost that is not found again by a comparison.
 *
 * A state is a value: `step` never changes it, but returns the next.
 *
 * @see Demers et al., Epidemic Algorithms for Replicated Database Maintenance, PODC 1987
 */
import type { NodeId } from "../model/Names.ts"
import { drawsOf, sample } from "./Draws.ts"
import { answerTo } from "./GossipAnswer.ts"
import type { GossipMessage, Suspicion } from "./GossipMessage.ts"
import * as Knowledge from "./GossipKnowledge.ts"
import * as Size from "./GossipSize.ts"
import {
  empty,
  factsIn,
  type GossipEvent,
  type GossipLimits,
  type GossipSend,
  type GossipState,
  type GossipStep,
  isNew,
  learn,
  type Moment,
  quiet,
  refilled,
  roomBeyond,
  roomOf,
  type Rumour,
  spent,
  withMembers,
  withRumour
} from "./GossipState.ts"
import type * as Facts from "./MemberFacts.ts"

export const make = (options: {
  readonly own: Facts.MemberFacts
  readonly others: ReadonlySet<NodeId>
  readonly at: number
}): GossipState => {
  const { at, others, own } = options
  const { known } = Knowledge.join(Knowledge.nothing, [own])
  const news = new Map([[own.node, 0]])
  return {
    self: own.node,
    others,
    known,
    news,
    rumours: new Map(),
    allowance: { bytes: Infinity, at }
  }
}

export const step = (
  state: GossipState,
  event: GossipEvent,
  limits: GossipLimits
): GossipStep => {
  switch (event._tag) {
    case "Round":
      return tell(refilled(state, event.at, limits), event, { limits, count: 1, asks: true })
    case "Tell": {
      const count = limits.gossipFanOut
      if (!isUrgent(state, limits)) return quiet(state)
      return tell(refilled(state, event.at, limits), event, { limits, count, asks: false })
    }
    case "Received":
      return receive(refilled(state, event.at, limits), event, limits)
    case "Changed":
      return quiet(learn(state, [event.own]).state)
    case "Suspected":
      return quiet(withRumour(state, event.suspicion))
    case "Members":
      return quiet(withMembers(state, event.others))
  }
}

/** The suspicions that were not sent often enough yet. */
const openRumours = (state: GossipState): ReadonlyArray<readonly [string, Rumour]> => {
  const most = sendingsOf(state)
  return [...state.rumours].filter(([, { sent }]) => sent < most)
}

/**
 * Whether there is news to be told at once: little, and told so seldom that it may die out. Where
 * it is more than fits one message, as when all start together, comparisons need fewer bytes.
 */
export const isUrgent = (state: GossipState, limits: GossipLimits): boolean => {
  const { gossipFanOut, gossipMessageBytesMax } = limits
  if (state.others.size === 0) return false
  const packing = Size.packing(gossipMessageBytesMax)
  const fits = [...state.news.keys()].every((node) =>
    packing.takes(Size.ofFacts(factsIn(state, node)))
  )
  return fits && [...state.news.values(), ...openRumours(state).map(([, { sent }]) => sent)]
    .some((sent) => sent < 2 * gossipFanOut)
}

/** How often a fact is sent: each time those who know it about double, and some are lost. */
const sendingsOf = ({ others }: GossipState): number => 3 + Math.ceil(Math.log2(others.size + 1))

const tell = (
  state: GossipState,
  { random }: Moment,
  options: { readonly limits: GossipLimits; readonly count: number; readonly asks: boolean }
): GossipStep => {
  const { asks, count, limits } = options
  const targets = sample([...state.others], count, drawsOf(random))
  let next = state
  const sends: Array<GossipSend> = []
  for (const to of targets) {
    const sent = newsTo(next, to, { asks, limits })
    if (sent === undefined) break
    next = sent.state
    sends.push(sent.send)
  }
  return { state: next, sends, learned: [], told: [] }
}

/** The next message of news, the least told first, where bytes are left. */
const newsTo = (
  state: GossipState,
  to: NodeId,
  { asks, limits }: { readonly asks: boolean; readonly limits: GossipLimits }
) => {
  const room = asks ? roomOf(state, limits) : roomBeyond(state, limits)
  if (room <= 0) return undefined
  const packing = Size.packing(room)
  const rumours = byTelling(openRumours(state), ({ sent }) => sent).filter(([, { suspicion }]) =>
    packing.takes(Size.ofSuspicion(suspicion))
  )
  const news = byTelling(state.news, (sent) => sent).filter(([node]) =>
    packing.takes(Size.ofFacts(factsIn(state, node)))
  )
  if (!asks && news.length === 0 && rumours.length === 0) return undefined
  const message: GossipMessage = {
    ...empty(state),
    asks,
    facts: news.map(([node]) => factsIn(state, node)),
    suspicions: rumours.map(([, { suspicion }]) => suspicion)
  }
  const next = toldOnce(state, { news, rumours })
  return { state: spent(next, packing.bytes()), send: { to, message } }
}

/** Counts a telling of each; those that were told often enough are news no more. */
const toldOnce = (
  state: GossipState,
  told: {
    readonly news: ReadonlyArray<readonly [NodeId, number]>
    readonly rumours: ReadonlyArray<readonly [string, Rumour]>
  }
): GossipState => {
  const most = sendingsOf(state)
  const news = new Map(state.news)
  const rumours = new Map(state.rumours)
  for (const [node, sent] of told.news) {
    if (sent + 1 < most) news.set(node, sent + 1)
    else news.delete(node)
  }
  for (const [name, { sent, suspicion }] of told.rumours) {
    rumours.set(name, { suspicion, sent: sent + 1 })
  }
  return { ...state, news, rumours }
}

const byTelling = <K, V>(all: Iterable<readonly [K, V]>, sentOf: (value: V) => number) =>
  [...all].sort(([, left], [, right]) => sentOf(left) - sentOf(right))

/** That another knows all facts is as good as telling it once more. */
const knownToAnother = (state: GossipState): GossipState =>
  toldOnce(state, { news: [...state.news], rumours: [] })

type Received = Extract<GossipEvent, { readonly _tag: "Received" }>

const receive = (
  before: GossipState,
  event: Received,
  limits: GossipLimits
): GossipStep => {
  const { from, message, random } = event
  if (!before.others.has(from)) return quiet(before)
  const { learned, state } = learn(before, message.facts)
  const told = message.suspicions.filter((suspicion) => isOfMembers(state, suspicion))
    .filter((suspicion) => isNew(state, suspicion))
  const isSame = message.root === Knowledge.rootOf(state.known)
  const heard = told.reduce(withRumour, isSame ? knownToAnother(state) : state)
  const answer = answerTo(heard, message, drawsOf(random), limits)
  const step = { state: heard, sends: [], learned, told }
  if (answer === undefined) return step
  const sends = [{ to: from, message: answer.message }]
  return { ...step, state: spent(heard, answer.bytes), sends }
}

const isOfMembers = ({ others, self }: GossipState, { accuser, suspect }: Suspicion): boolean =>
  (suspect === self || others.has(suspect)) && others.has(accuser)
