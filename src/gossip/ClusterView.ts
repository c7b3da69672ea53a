/**
 * Holds what this node believes about its cluster: who is in it, who holds what, whose clock says
 * what. Other rooms read it; only this one changes it. Membership is what the operator listed at
 * the start; being unreachable changes no ownership.
 */
import * as HybridClock from "../core/clock/HybridClock.ts"
import type { NodeId } from "../core/model/Names.ts"
import { replicasMax } from "../core/quorum/Quorum.ts"
import type * as Targets from "../core/quorum/Targets.ts"
import type { Member } from "../core/ring/MembershipLog.ts"
import * as Ring from "../core/ring/Ring.ts"
import type { Runtime } from "../core/Runtime.ts"

export interface ClusterViewOptions {
  readonly runtime: Runtime
  readonly self: NodeId
  readonly ring: Ring.Ring
  /** How far the own clock may be from the median of the cluster's before that is used. */
  readonly skewMillis: number
}

/** Where a document is kept: its primaries in order, as nodes and as targets of a request. */
export interface Placement extends Targets.Nodes {
  readonly primaries: ReadonlyArray<NodeId>
}

interface Peer {
  lastHeard: number
  clockOffsetMillis: number
}

export class ClusterView {
  readonly self: NodeId
  readonly ring: Ring.Ring
  readonly #runtime: Runtime
  readonly #skewMillis: number
  readonly #members: ReadonlySet<NodeId>
  readonly #peers = new Map<NodeId, Peer>()
  readonly #placements: Array<Placement | undefined> = []
  #clamps = 0

  constructor(options: ClusterViewOptions) {
    this.self = options.self
    this.ring = options.ring
    this.#members = new Set(options.ring.members.map(({ id }) => id))
    this.#runtime = options.runtime
    this.#skewMillis = options.skewMillis
  }

  members(): ReadonlyArray<Member> {
    return this.ring.members
  }

  /** All nodes in the order in which they are asked to hold a partition. */
  preferenceList(partition: number): ReadonlyArray<NodeId> {
    return Ring.preferenceList(this.ring, partition)
  }

  /**
   * The nodes that a request for a document of this partition concerns, where its bucket has `n`
   * replicas. Computed once per partition and n.
   */
  placement(partition: number, n: number): Placement {
    const index = partition * (replicasMax + 1) + n
    const known = this.#placements[index]
    if (known !== undefined) return known
    const primaries = this.preferenceList(partition).slice(0, n)
    const targets = primaries.map((node) => ({ node, primary: true, previous: false, up: true }))
    const placement = { primaries, targets, fallbacks: [] }
    this.#placements[index] = placement
    return placement
  }

  /** Notes that a member was heard, and how far its wall clock is ahead of the own one. */
  heard(from: NodeId, clockOffsetMillis: number): void {
    if (!this.#members.has(from)) return
    const peer = this.#peers.get(from)
    const lastHeard = this.#runtime.elapsed()
    if (peer === undefined) this.#peers.set(from, { lastHeard, clockOffsetMillis })
    else {
      peer.lastHeard = lastHeard
      peer.clockOffsetMillis = clockOffsetMillis
    }
  }

  /** Notes that a peer did not answer in time: others are asked first until it is heard again. */
  missed(node: NodeId): void {
    const peer = this.#peers.get(node)
    if (peer !== undefined) peer.lastHeard = -Infinity
  }

  /** Milliseconds since a peer was heard; Infinity where it never was, or was missed since. */
  silenceMillis(node: NodeId): number {
    const peer = this.#peers.get(node)
    return peer === undefined ? Infinity : this.#runtime.elapsed() - peer.lastHeard
  }

  /** The time to stamp writes with: the own clock, unless the cluster's median disagrees. */
  agreedNow(): number {
    const offsets: Array<number> = []
    for (const peer of this.#peers.values()) offsets.push(peer.clockOffsetMillis)
    const { clamped, nowMillis } = HybridClock.agreedNow({
      nowMillis: this.#runtime.now(),
      offsets,
      skewMillis: this.#skewMillis
    })
    if (clamped) {
      this.#clamps++
      this.#runtime.mark("view: the own clock is set aside")
    }
    return nowMillis
  }

  /** How often the own clock was set aside: an alarm, since it should not happen. */
  clockClamps(): number {
    return this.#clamps
  }
}
