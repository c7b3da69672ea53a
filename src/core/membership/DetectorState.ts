/**
 * The opinion of a node about the others: what it awaits, whom it doubts, and what others may learn
 * of it. `Detector` decides; here are the steps that change one peer.
 */
import type { NodeLimits } from "../model/Limits.ts"
import type { NodeId } from "../model/Names.ts"
import type { Suspicion } from "./GossipMessage.ts"
import { type Doubt, type Peer, Peers } from "./Peers.ts"
import * as SuspicionTime from "./Suspicion.ts"
import * as Version from "./Version.ts"

export type DetectorLimits =
  & SuspicionTime.SuspicionLimits
  & Pick<NodeLimits, "pingMillis" | "ackMillis" | "pingRelays" | "pingsForOthersMax" | "healthMax">

/** A node that is suspect may be asked; one that is down may not. */
export type Belief = "up" | "suspect" | "down"

/** A ping of this node's own whose answer is awaited. */
export interface Probe {
  readonly target: NodeId
  readonly sentAt: number
  /** The others that were asked to ping it. */
  readonly relays: number
  /** Those of them that said that it gave them no answer either. */
  readonly denials: number
  readonly isRelayed: boolean
}

/** A ping for another node. */
export interface Errand {
  readonly asker: NodeId
  readonly askedAs: number
  readonly target: NodeId
  readonly sentAt: number
}

export interface DetectorState {
  readonly self: NodeId
  readonly own: Version.Version
  /** From 0, the best, on. */
  readonly health: number
  readonly peers: Peers
  /** The others in the order of their turns. */
  readonly turns: ReadonlyArray<NodeId>
  readonly probes: ReadonlyMap<number, Probe>
  readonly errands: ReadonlyMap<number, Errand>
  /** Of the last ping. */
  readonly number: number
  readonly nextTurnAt: number
}

export type DetectorMessage =
  | {
    readonly _tag: "Ping"
    readonly request: number
    /** The greatest version of the receiver that the sender knows. */
    readonly known: Version.Version
    /** Whether the sender suspects that version. */
    readonly isSuspect: boolean
  }
  | {
    readonly _tag: "PingFor"
    readonly request: number
    readonly target: NodeId
    readonly known: Version.Version
    readonly isSuspect: boolean
  }
  | {
    readonly _tag: "Pong"
    readonly request: number
    readonly node: NodeId
    /** Undefined where the node gave no answer to the one that was asked to ping it. */
    readonly version: Version.Version | undefined
  }

/** `random` is in [0, 1); `at` is on the node's monotonic clock. */
export type DetectorEvent =
  & { readonly at: number }
  & (
    /** Time has passed; `heard` has the nodes from which something came meanwhile, and when. */
    | {
      readonly _tag: "Time"
      readonly random: number
      readonly heard: ReadonlyMap<NodeId, number>
    }
    /** Something came from a node that is doubted. */
    | { readonly _tag: "Heard"; readonly node: NodeId }
    /** Gossip told a greater version of a node, perhaps of this one. */
    | { readonly _tag: "Learned"; readonly node: NodeId; readonly version: Version.Version }
    | { readonly _tag: "Received"; readonly from: NodeId; readonly message: DetectorMessage }
    /** Another node's suspicion. */
    | { readonly _tag: "Told"; readonly suspicion: Suspicion }
    /** This node's own version has changed. */
    | { readonly _tag: "Own"; readonly version: Version.Version }
    | { readonly _tag: "Members"; readonly others: ReadonlySet<NodeId> }
  )

/** What a step did, for others to learn. */
export interface DetectorStep {
  readonly state: DetectorState
  readonly sends: ReadonlyArray<{ readonly to: NodeId; readonly message: DetectorMessage }>
  /** The suspicions that this node has now and had not. */
  readonly suspicions: ReadonlyArray<Suspicion>
}

export type Of<Tag extends DetectorEvent["_tag"]> = Extract<DetectorEvent, { readonly _tag: Tag }>

/** A step that tells nobody anything. */
export const quiet = (state: DetectorState): DetectorStep => ({ state, sends: [], suspicions: [] })

/** Whether the answer to a ping of the node is awaited. */
export const isProbed = ({ probes }: DetectorState, node: NodeId): boolean =>
  [...probes.values()].some(({ target }) => target === node)

/** The members have changed, or are told first. */
export const withMembers = (
  state: DetectorState,
  others: ReadonlySet<NodeId>,
  at: number
): DetectorState => {
  const stranger: Peer = { version: Version.none, heardAt: at, doubt: undefined }
  const peers = Peers.of([...others].map((node) => [node, state.peers.get(node) ?? stranger]))
  const turns = state.turns.filter((node) => others.has(node))
  const probes = new Map([...state.probes].filter(([, { target }]) => others.has(target)))
  const errands = new Map(
    [...state.errands].filter(([, { asker, target }]) => others.has(asker) && others.has(target))
  )
  return { ...state, peers, turns, probes, errands }
}

export const belief = ({ peers }: DetectorState, node: NodeId): Belief => {
  const doubt = peers.get(node)?.doubt
  if (doubt === undefined) return "up"
  return doubt.isDown ? "down" : "suspect"
}

export const withPeer = (state: DetectorState, node: NodeId, peer: Peer): DetectorState => ({
  ...state,
  peers: state.peers.with(node, peer)
})

/** A greater version of a peer ends the doubt of a lesser one. */
export const learned = (
  state: DetectorState,
  node: NodeId,
  version: Version.Version
): DetectorState => {
  if (node === state.self) return { ...state, own: Version.above(state.own, version) }
  const peer = state.peers.get(node)
  if (peer === undefined || !Version.isLess(peer.version, version)) return state
  const { doubt } = peer
  const isRefuted = doubt !== undefined && Version.isLess(doubt.version, version)
  return withPeer(state, node, { ...peer, version, doubt: isRefuted ? undefined : doubt })
}

/** The node is doubted by one more. Nothing changes where the suspicion is refuted already. */
export const accused = (
  before: DetectorState,
  { accuser, suspect, version }: Suspicion,
  at: number
): DetectorState => {
  const state = learned(before, suspect, version)
  const peer = state.peers.get(suspect)
  if (peer === undefined || Version.isLess(version, peer.version)) return state
  const { accusers = new Set<NodeId>(), isDown = false, since = at } = peer.doubt ?? {}
  if (accusers.has(accuser)) return state
  const doubt = { version, accusers: new Set(accusers).add(accuser), since, isDown }
  return withPeer(state, suspect, { ...peer, doubt })
}

/** Worse by one, or better: between 0 and the most. */
export const withHealth = (
  state: DetectorState,
  change: number,
  { healthMax }: Pick<DetectorLimits, "healthMax">
): DetectorState => ({
  ...state,
  health: Math.min(healthMax, Math.max(0, state.health + change))
})

/** When others are asked to ping the target, and when the ping has failed. */
export const timesOf = ({ sentAt }: Probe, health: number, limits: DetectorLimits) => ({
  relaysAt: sentAt + limits.ackMillis * (1 + health),
  failsAt: sentAt + limits.pingMillis * (1 + health)
})

/** When a doubted node is down; Infinity where it is already. */
export const downAt = (doubt: Doubt, others: number, limits: DetectorLimits): number =>
  doubt.isDown
    ? Infinity
    : doubt.since + SuspicionTime.millis({ accusers: doubt.accusers.size, others }, limits)

/** When time alone changes something next. */
export const nextAt = (state: DetectorState, limits: DetectorLimits): number => {
  let next = state.nextTurnAt
  for (const probe of state.probes.values()) {
    const { failsAt, relaysAt } = timesOf(probe, state.health, limits)
    next = Math.min(next, probe.isRelayed ? failsAt : relaysAt)
  }
  for (const { sentAt } of state.errands.values()) next = Math.min(next, sentAt + limits.ackMillis)
  for (const [, doubt] of state.peers.doubted()) {
    next = Math.min(next, downAt(doubt, state.peers.size, limits))
  }
  return next
}

/** All deadlines are put off, as if the time had not passed. */
export const postponed = (state: DetectorState, millis: number): DetectorState => {
  const later = <T extends { readonly sentAt: number }>(all: ReadonlyMap<number, T>) =>
    new Map([...all].map(([number, one]) => [number, { ...one, sentAt: one.sentAt + millis }]))
  const peers = Peers.of(
    state.peers.entries().map(([node, peer]) => {
      const heardAt = peer.heardAt + millis
      const { doubt } = peer
      return [node, {
        ...peer,
        heardAt,
        doubt: doubt && { ...doubt, since: doubt.since + millis }
      }]
    })
  )
  return { ...state, peers, probes: later(state.probes), errands: later(state.errands) }
}
