/**
 * Decides which other nodes a node believes to be up, as SWIM does, with the local health of
 * Lifeguard. It is the node's own opinion, and no ownership hangs on it.
 *
 * A node pings the others in turn, and sooner one that has said nothing for a while. If the answer
 * does not come, it has a few others ping the node; if that brings none, it suspects the node, and
 * says so. A suspicion is of a version of the suspect. Only the suspect ends it, by a greater
 * version: each ping of a suspect says that it is one. A suspicion that is not refuted in time
 * makes the node down; the more nodes share it, the shorter the time. Nodes that are down are
 * pinged too, in their turn, so that they learn to refute it.
 *
 * A node whose own pings fail often, that is suspected itself, or that wakes too late waits longer
 * for the others: it may be the one that is slow.
 *
 * A state is a value: `step` never changes it, but returns the next.
 *
 * @see Das, Gupta, Motivala, SWIM: Scalable Weakly-consistent Infection-style Process Group
 * Membership Protocol, DSN 2002
 * @see Dadgar, Phillips, Currey, Lifeguard: Local Health Awareness for More Accurate Failure
 * Detection, 2018
 */
import type { NodeId } from "../model/Names.ts"
import {
  accused,
  type DetectorEvent,
  type DetectorLimits,
  type DetectorMessage,
  type DetectorState,
  type DetectorStep,
  type Errand,
  isProbed,
  learned,
  type Of,
  type Probe,
  quiet,
  withHealth,
  withMembers,
  withPeer
} from "./DetectorState.ts"
import { pass } from "./DetectorTime.ts"
import { Peers } from "./Peers.ts"
import * as Version from "./Version.ts"

export const make = (options: {
  readonly self: NodeId
  readonly own: Version.Version
  readonly others: ReadonlySet<NodeId>
  readonly at: number
}): DetectorState => {
  const { at, others, own, self } = options
  const state = {
    self,
    own,
    health: 0,
    peers: Peers.of([]),
    turns: [],
    probes: new Map<number, Probe>(),
    errands: new Map<number, Errand>(),
    number: 0,
    nextTurnAt: at
  }
  return withMembers(state, others, at)
}

export const step = (
  state: DetectorState,
  event: DetectorEvent,
  limits: DetectorLimits
): DetectorStep => {
  switch (event._tag) {
    case "Time":
      return pass(state, event, limits)
    case "Heard":
      return quiet(heard(state, event.node, event.at))
    case "Learned":
      return quiet(learned(state, event.node, event.version))
    case "Received":
      return received(state, event, limits)
    case "Told":
      return told(state, event, limits)
    case "Own":
      return quiet({ ...state, own: event.version })
    case "Members":
      return quiet(withMembers(state, event.others, event.at))
  }
}

/** A peer that is doubted, and from which something comes, is to hear of it soon. */
const heard = (state: DetectorState, node: NodeId, at: number): DetectorState => {
  const peer = state.peers.get(node)
  if (peer === undefined) return state
  const next = withPeer(state, node, { ...peer, heardAt: at })
  if (peer.doubt === undefined || isProbed(state, node)) return next
  const turns = [node, ...state.turns.filter((other) => other !== node)]
  return { ...next, turns, nextTurnAt: Math.min(state.nextTurnAt, at) }
}

const told = (
  state: DetectorState,
  { at, suspicion }: Of<"Told">,
  limits: DetectorLimits
): DetectorStep =>
  suspicion.suspect === state.self
    ? quiet(refuted(state, suspicion.version, limits))
    : quiet(accused(state, suspicion, at))

/** Goes on under a greater version, since another node doubts this one. */
const refuted = (
  state: DetectorState,
  version: Version.Version,
  limits: DetectorLimits
): DetectorState =>
  Version.isLess(version, state.own)
    ? state
    : withHealth({ ...state, own: Version.above(state.own, version) }, 1, limits)

const received = (
  before: DetectorState,
  { at, from, message }: Of<"Received">,
  limits: DetectorLimits
): DetectorStep => {
  if (!before.peers.has(from)) return quiet(before)
  switch (message._tag) {
    case "Ping":
      return pinged(heard(before, from, at), from, message, limits)
    case "PingFor":
      return sentOnErrand(heard(before, from, at), { from, message, at }, limits)
    case "Pong":
      return answered(heard(before, from, at), { from, message, at }, limits)
  }
}

type MessageOf<Tag extends DetectorMessage["_tag"]> = Extract<
  DetectorMessage,
  { readonly _tag: Tag }
>

const pinged = (
  before: DetectorState,
  from: NodeId,
  { isSuspect, known, request }: MessageOf<"Ping">,
  limits: DetectorLimits
): DetectorStep => {
  const isBehind = Version.isLess(before.own, known)
  const state = isSuspect
    ? refuted(before, known, limits)
    : isBehind
    ? { ...before, own: Version.above(before.own, known) }
    : before
  const pong = { _tag: "Pong", request, node: state.self, version: state.own } as const
  return { ...quiet(state), sends: [{ to: from, message: pong }] }
}

interface Arrived<Tag extends DetectorMessage["_tag"]> {
  readonly from: NodeId
  readonly message: MessageOf<Tag>
  readonly at: number
}

const sentOnErrand = (
  state: DetectorState,
  { at, from, message }: Arrived<"PingFor">,
  { pingsForOthersMax }: DetectorLimits
): DetectorStep => {
  const { request: askedAs, target } = message
  if (!state.peers.has(target) || state.errands.size >= pingsForOthersMax) return quiet(state)
  const number = state.number + 1
  const errand: Errand = { asker: from, askedAs, target, sentAt: at }
  const { isSuspect, known } = message
  const ping = { _tag: "Ping", request: number, known, isSuspect } as const
  const errands = new Map(state.errands).set(number, errand)
  return { ...quiet({ ...state, number, errands }), sends: [{ to: target, message: ping }] }
}

const answered = (
  before: DetectorState,
  { at, from, message }: Arrived<"Pong">,
  limits: DetectorLimits
): DetectorStep => {
  const { node, request, version } = message
  const state = version === undefined ? before : learned(before, node, version)
  const errand = state.errands.get(request)
  if (errand?.target === from && version !== undefined) {
    const errands = new Map(state.errands)
    errands.delete(request)
    const pong = { ...message, request: errand.askedAs }
    return { ...quiet({ ...state, errands }), sends: [{ to: errand.asker, message: pong }] }
  }
  const probe = state.probes.get(request)
  if (probe?.target !== node) return quiet(state)
  const probes = new Map(state.probes)
  if (version === undefined) {
    probes.set(request, { ...probe, denials: probe.denials + 1 })
    return quiet({ ...state, probes })
  }
  probes.delete(request)
  const better = withHealth({ ...state, probes }, -1, limits)
  const peer = better.peers.get(node)
  return quiet(peer === undefined ? better : withPeer(better, node, { ...peer, heardAt: at }))
}
