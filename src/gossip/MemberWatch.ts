/**
 * Keeps what this node knows of the other members, tells them what it knows, and watches which of
 * them are up. `core/membership` decides; this class has the time, the chance and the messages.
 */
import type {
  Gossip as GossipTold,
  PeerHandlers,
  PeerMessage,
  Ping,
  PingFor,
  Pong
} from "../../schemas/PeerMessage.ts"
import * as Detector from "../core/membership/Detector.ts"
import * as Opinion from "../core/membership/DetectorState.ts"
import * as Gossip from "../core/membership/Gossip.ts"
import * as Knowledge from "../core/membership/GossipKnowledge.ts"
import {
  type GossipEvent,
  type GossipLimits,
  type GossipState,
  versionOf
} from "../core/membership/GossipState.ts"
import * as Facts from "../core/membership/MemberFacts.ts"
import * as Version from "../core/membership/Version.ts"
import { invariant } from "../core/Invariant.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Cancel, Runtime } from "../core/Runtime.ts"
import { FormerIncarnations } from "./FormerIncarnations.ts"

export interface MemberWatchOptions {
  readonly runtime: Runtime
  readonly self: NodeId
  readonly members: () => ReadonlyArray<{ readonly id: NodeId }>
  readonly incarnation: () => string
  /** What others are to know of this node. */
  readonly tale: () => Facts.MemberTale
  readonly send: (to: NodeId, message: PeerMessage) => void
  /** Told of each opinion that changes. */
  readonly believe: (node: NodeId, belief: Opinion.Belief) => void
  readonly limits:
    & GossipLimits
    & Opinion.DetectorLimits
    & Pick<NodeLimits, "gossipAtOnceMillis" | "gossipMillis">
}

export interface MemberWatchStats {
  /** Messages of gossip that were sent. */
  readonly gossips: number
  readonly pings: number
  /** Suspicions that this node had first. */
  readonly suspicions: number
  /** Suspicions of this node that it refuted. */
  readonly refutations: number
  /** How often a node was believed down. */
  readonly downs: number
  /** By how many times this node waits longer for others, less one. */
  readonly health: number
}

type DetectorEvent = Parameters<typeof Detector.step>[1]

export class MemberWatch {
  readonly handlers: PeerHandlers<"Gossip" | "Ping" | "PingFor" | "Pong"> = {
    Gossip: (message, from) => this.#gossiped(from, message),
    Ping: (message, from) => this.#received(from, message),
    PingFor: (message, from) => this.#received(from, message),
    Pong: (message, from) => this.#received(from, message)
  }
  readonly #options: MemberWatchOptions
  readonly #formers = new FormerIncarnations()
  readonly #counts = { gossips: 0, pings: 0, suspicions: 0, refutations: 0, downs: 0 }
  /** When something came from nodes that are not doubted, since the detector last learned of it. */
  #heard = new Map<NodeId, number>()
  #gossip: GossipState
  #detector: Opinion.DetectorState
  #round: Cancel | undefined
  #telling: Cancel | undefined
  #wake: { readonly at: number; readonly cancel: Cancel } | undefined
  #toldAt = -Infinity
  #closed = false

  constructor(options: MemberWatchOptions) {
    const { incarnation, runtime, self, tale } = options
    this.#options = options
    const others = this.#others()
    const version = { term: 0, incarnation: incarnation(), number: 0 }
    const at = runtime.elapsed()
    this.#gossip = Gossip.make({ own: { ...tale(), node: self, version }, others, at })
    this.#detector = Detector.make({ self, own: version, others, at })
  }

  start(): void {
    const { limits: { gossipMillis }, runtime } = this.#options
    // Nodes that start together do not gossip together.
    this.#scheduleRound(runtime.random() * gossipMillis)
    this.#tell()
    this.#schedule()
  }

  close(): void {
    this.#closed = true
    this.#round?.()
    this.#telling?.()
    this.#wake?.cancel()
  }

  /** Notes that a frame of a member came. */
  heard(node: NodeId): void {
    // Nearly every frame is of a node that is not doubted: the detector need not know it at once.
    if (this.belief(node) === "up") this.#heard.set(node, this.#now())
    else this.#detect({ _tag: "Heard", node, at: this.#now() })
  }

  /** Takes the present members. */
  retainMembers(): void {
    const others = this.#others()
    this.#formers.retain(others)
    this.#step({ _tag: "Members", others })
    this.#detect({ _tag: "Members", others, at: this.#now() })
  }

  /** Whether the node had ended this incarnation when it got a frame that was sent at this time. */
  isFormer(node: NodeId, incarnation: string, sentAt: number): boolean {
    return this.#formers.has(node, incarnation, sentAt)
  }

  /** What is known of one member. */
  factsOf(node: NodeId): Facts.MemberFacts | undefined {
    return Knowledge.factsOf(this.#gossip.known, node)
  }

  /** All that is known, the own facts among it. */
  facts(): ReadonlyArray<Facts.MemberFacts> {
    return [...this.#gossip.known.entries.values()].map(({ facts }) => facts)
  }

  belief(node: NodeId): Opinion.Belief {
    return Opinion.belief(this.#detector, node)
  }

  stats(): MemberWatchStats {
    return { ...this.#counts, health: this.#detector.health }
  }

  #now(): number {
    return this.#options.runtime.elapsed()
  }

  #others(): ReadonlySet<NodeId> {
    const { members, self } = this.#options
    return new Set(members().map(({ id }) => id).filter((id) => id !== self))
  }

  #own(): Facts.MemberFacts {
    const own = Knowledge.factsOf(this.#gossip.known, this.#options.self)
    invariant(own !== undefined, "a node knows itself")
    return own
  }

  /** Brings the own facts, and the version under which others know them, up to date. */
  #refresh(): void {
    const { incarnation: incarnationOf, tale } = this.#options
    const before = this.#own()
    const incarnation = incarnationOf()
    let version = before.version
    if (version.incarnation !== incarnation) {
      version = Version.above({ term: version.term, incarnation, number: 0 }, version)
    }
    if (Version.isLess(version, this.#detector.own)) {
      version = Version.above({ ...version, incarnation }, this.#detector.own)
    }
    const own = Facts.tell({ ...before, version }, tale())
    if (own === before) return
    if (Version.compare(own.version, before.version) === 0) return
    this.#gossip = Gossip.step(this.#gossip, { _tag: "Changed", own }, this.#options.limits).state
    const event = { _tag: "Own", version: own.version, at: this.#now() } as const
    this.#detector = Detector.step(this.#detector, event, this.#options.limits).state
    this.#tell()
  }

  #gossiped(from: NodeId, message: GossipTold): void {
    this.#step({ _tag: "Received", from, message, ...this.#moment() })
  }

  #moment() {
    return { at: this.#now(), random: this.#options.runtime.random() }
  }

  /** Takes a step of gossip, and has the detector learn from it. */
  #step(event: GossipEvent): void {
    if (this.#closed) return
    const { limits, runtime, send, self } = this.#options
    const before = this.#gossip
    const { learned, sends, state, told } = Gossip.step(before, event, limits)
    this.#gossip = state
    for (const { message, to } of sends) {
      this.#counts.gossips++
      send(to, { _tag: "Gossip", request: 0, ...message })
    }
    if (event._tag === "Received" && sends.length > 0) {
      runtime.mark("gossip: another node is told what it lacks")
    }
    const at = this.#now()
    for (const node of learned) this.#learn(node, before, at)
    for (const suspicion of told) {
      if (suspicion.suspect === self) runtime.mark("failure detector: others suspect this node")
      this.#detect({ _tag: "Told", suspicion, at })
    }
    if (learned.length > 0 || told.length > 0) this.#tell()
  }

  #learn(node: NodeId, before: GossipState, at: number): void {
    const version = versionOf(this.#gossip, node)
    if (node !== this.#options.self) {
      this.#formers.follow(node, versionOf(before, node), version, at)
    } else {
      this.#options.runtime.mark("gossip: a former incarnation of this node is told of")
    }
    this.#detect({ _tag: "Learned", node, version, at })
  }

  #received(from: NodeId, message: Ping | PingFor | Pong): void {
    if (message._tag === "PingFor") {
      this.#options.runtime.mark("failure detector: a node is pinged for another")
    }
    if (message._tag === "Pong" && message.node !== from) {
      this.#options.runtime.mark("failure detector: a node answers through another")
    }
    this.#refresh()
    this.#detect({ _tag: "Received", from, message, at: this.#now() })
  }

  /** Takes a step of the detector, and tells others of what it suspects. */
  #detect(event: DetectorEvent): void {
    if (this.#closed) return
    const { limits, runtime, send } = this.#options
    const before = this.#detector
    const { sends, state, suspicions } = Detector.step(before, event, limits)
    this.#detector = state
    if (before.peers !== state.peers) this.#compare(before)
    if (before.own !== state.own) {
      this.#counts.refutations++
      runtime.mark("failure detector: a suspicion is refuted")
      this.#refresh()
    }
    for (const { message, to } of sends) {
      if (message._tag === "Ping") this.#counts.pings++
      send(to, message)
    }
    for (const suspicion of suspicions) {
      this.#counts.suspicions++
      this.#step({ _tag: "Suspected", suspicion })
    }
    if (suspicions.length > 0) this.#tell()
    this.#schedule()
  }

  /** Passes opinions on that have changed. */
  #compare(before: Opinion.DetectorState): void {
    const { believe, runtime } = this.#options
    for (const node of this.#detector.peers.changed(before.peers)) {
      const belief = Opinion.belief(this.#detector, node)
      if (belief === Opinion.belief(before, node)) continue
      if (belief === "down") this.#counts.downs++
      if (belief === "up") runtime.mark("failure detector: a suspect is believed up again")
      else if (belief === "down") runtime.mark("failure detector: a suspect is believed down")
      else runtime.mark("failure detector: a node is suspected")
      believe(node, belief)
    }
  }

  /** Tells some others what is new, soon and together. */
  #tell(): void {
    if (this.#telling !== undefined || this.#closed) return
    const { limits, runtime } = this.#options
    if (!Gossip.isUrgent(this.#gossip, limits)) return
    const millis = Math.max(0, this.#toldAt + limits.gossipAtOnceMillis - this.#now())
    this.#telling = runtime.after(millis, () => {
      this.#telling = undefined
      this.#toldAt = this.#now()
      this.#step({ _tag: "Tell", ...this.#moment() })
      this.#tell()
    })
  }

  #scheduleRound(millis: number): void {
    const { limits: { gossipMillis }, runtime } = this.#options
    this.#round = runtime.after(millis, () => {
      this.#refresh()
      this.#step({ _tag: "Round", ...this.#moment() })
      this.#scheduleRound(gossipMillis)
    })
  }

  /** Wakes when time alone changes an opinion next. */
  #schedule(): void {
    if (this.#closed) return
    const { limits, runtime } = this.#options
    const at = Opinion.nextAt(this.#detector, limits)
    if (this.#wake !== undefined) {
      if (this.#wake.at === at) return
      this.#wake.cancel()
    }
    const cancel = runtime.after(Math.max(0, at - this.#now()), () => {
      this.#wake = undefined
      const heard = this.#heard
      this.#heard = new Map()
      this.#detect({ _tag: "Time", heard, ...this.#moment() })
    })
    this.#wake = { at, cancel }
  }
}
