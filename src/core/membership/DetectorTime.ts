/**
 * Decides what a node does about the others as time passes: whom it pings, whom it has others ping,
 * whom it suspects, and who is down.
 */
import type { NodeId } from "../model/Names.ts"
import {
  accused,
  belief,
  type DetectorLimits,
  type DetectorState,
  type DetectorStep,
  downAt,
  isProbed,
  nextAt,
  type Of,
  postponed,
  type Probe,
  quiet,
  timesOf,
  withHealth,
  withPeer
} from "./DetectorState.ts"
import { type Draws, drawsOf, sample, shuffled } from "./Draws.ts"
import type { Suspicion } from "./GossipMessage.ts"
import * as Version from "./Version.ts"

type Send = DetectorStep["sends"][number]

/** Time has passed. */
export const pass = (
  before: DetectorState,
  { at, heard, random }: Of<"Time">,
  limits: DetectorLimits
): DetectorStep => {
  const late = at - nextAt(before, limits)
  // It stood still, or had too much to do: the answers may be here and wait to be read.
  const kept = late > limits.ackMillis
    ? withHealth(postponed(before, late), 1, limits)
    : before
  const state = withHeard(kept, heard)
  const draws = drawsOf(random)
  const relayed = askOthers(state, at, draws, limits)
  const denied = deny(relayed.state, at, limits)
  const failed = fail(denied.state, at, limits)
  const settled = settle(failed.state, at, limits)
  const turned = takeTurn(settled, at, draws, limits)
  const sends = [...relayed.sends, ...denied.sends, ...turned.sends]
  return { state: turned.state, sends, suspicions: failed.suspicions }
}

const withHeard = (state: DetectorState, heard: ReadonlyMap<NodeId, number>): DetectorState => {
  if (heard.size === 0) return state
  let { peers } = state
  for (const [node, heardAt] of heard) {
    const peer = peers.get(node)
    if (peer !== undefined && peer.heardAt < heardAt) peers = peers.with(node, { ...peer, heardAt })
  }
  return { ...state, peers }
}

/** Has others ping those that have not answered for a while. */
const askOthers = (
  state: DetectorState,
  at: number,
  draws: Draws,
  limits: DetectorLimits
): DetectorStep => {
  const sends: Array<Send> = []
  const probes = new Map(state.probes)
  for (const [request, probe] of state.probes) {
    if (probe.isRelayed || at < timesOf(probe, state.health, limits).relaysAt) continue
    const { target } = probe
    const able = state.peers.nodes().filter((node) =>
      node !== target && belief(state, node) === "up"
    )
    const relays = sample(able, limits.pingRelays, draws)
    const message = { _tag: "PingFor", request, target, ...knownOf(state, target) } as const
    for (const to of relays) sends.push({ to, message })
    probes.set(request, { ...probe, relays: relays.length, isRelayed: true })
  }
  return { ...quiet({ ...state, probes }), sends }
}

const knownOf = ({ peers }: DetectorState, node: NodeId) => {
  const { doubt, version: known = Version.none } = peers.get(node) ?? {}
  return { known, isSuspect: doubt !== undefined }
}

/** Tells the askers which nodes have not answered. */
const deny = (state: DetectorState, at: number, { ackMillis }: DetectorLimits): DetectorStep => {
  const due = [...state.errands].filter(([, { sentAt }]) => at >= sentAt + ackMillis)
  if (due.length === 0) return quiet(state)
  const errands = new Map(state.errands)
  for (const [number] of due) errands.delete(number)
  const sends = due.map(([, { askedAs: request, asker: to, target: node }]): Send => ({
    to,
    message: { _tag: "Pong", request, node, version: undefined }
  }))
  return { ...quiet({ ...state, errands }), sends }
}

/** Suspects those that neither answered nor were reached by others. */
const fail = (before: DetectorState, at: number, limits: DetectorLimits): DetectorStep => {
  let state = before
  const suspicions: Array<Suspicion> = []
  for (const [request, probe] of before.probes) {
    if (at < timesOf(probe, before.health, limits).failsAt) continue
    const probes = new Map(state.probes)
    probes.delete(request)
    state = { ...state, probes }
    const peer = state.peers.get(probe.target)
    if (peer === undefined || peer.doubt?.isDown === true) continue
    // Where the others did not say either that they cannot reach it, the fault may be here.
    const isOwnFault = probe.relays === 0 || probe.denials < probe.relays
    if (isOwnFault) state = withHealth(state, 1, limits)
    if (peer.doubt?.accusers.has(state.self) === true) continue
    const { target: suspect } = probe
    const suspicion = { suspect, version: peer.version, accuser: state.self }
    state = accused(state, suspicion, at)
    suspicions.push(suspicion)
  }
  return { ...quiet(state), suspicions }
}

/** A suspicion that was not refuted in time makes its node down. */
const settle = (before: DetectorState, at: number, limits: DetectorLimits): DetectorState => {
  let state = before
  for (const [node, doubt] of before.peers.doubted()) {
    if (at < downAt(doubt, before.peers.size, limits)) continue
    const peer = state.peers.get(node)!
    state = withPeer(state, node, { ...peer, doubt: { ...doubt, isDown: true } })
  }
  return state
}

/** Pings the next one, and one that has said nothing for a while. */
const takeTurn = (
  before: DetectorState,
  at: number,
  draws: Draws,
  limits: DetectorLimits
): DetectorStep => {
  if (at < before.nextTurnAt) return quiet(before)
  const nextTurnAt = at + limits.pingMillis * (1 + before.health)
  if (before.peers.size === 0) return quiet({ ...before, nextTurnAt })
  const order = before.turns.length > 0
    ? before.turns
    : shuffled(before.peers.nodes(), draws)
  const [first, ...turns] = order
  const overdue = before.peers.entries().filter(([node, { doubt, heardAt }]) =>
    node !== first && doubt?.isDown !== true && at - heardAt > limits.pingMillis
    && !isProbed(before, node)
  ).map(([node]) => node)
  const targets = [first!, ...sample(overdue, 1, draws)]
  return targets.reduce(
    (step, target) => ping(step, target, at),
    quiet({ ...before, turns, nextTurnAt })
  )
}

const ping = (
  { sends, state, ...step }: DetectorStep,
  target: NodeId,
  at: number
): DetectorStep => {
  if (isProbed(state, target)) return { ...step, sends, state }
  const number = state.number + 1
  const probe: Probe = { target, sentAt: at, relays: 0, denials: 0, isRelayed: false }
  const message = { _tag: "Ping", request: number, ...knownOf(state, target) } as const
  const probes = new Map(state.probes).set(number, probe)
  return {
    ...step,
    state: { ...state, number, probes },
    sends: [...sends, { to: target, message }]
  }
}
