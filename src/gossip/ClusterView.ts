/**
 * Holds the beliefs of this node about its cluster: its members and their ring, which of them are
 * up, how far their clocks are ahead. Other rooms read it; only this room and the frames that come
 * in change it. The ring is a value that changes: its readers ask for it each time.
 */
import type { FormationStatus } from "../core/membership/Formation.ts"
import type { Belief } from "../core/membership/DetectorState.ts"
import type { MemberFacts, MemberStatus } from "../core/membership/MemberFacts.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Nodes } from "../core/quorum/Targets.ts"
import type { Member } from "../core/ring/Membership.ts"
import type { Ring } from "../core/ring/Ring.ts"
import * as RingState from "../core/ring/RingState.ts"
import type { Runtime } from "../core/Runtime.ts"
import { Liveness, type LivenessOptions } from "./Liveness.ts"
import { type PeerClockLimits, PeerClocks } from "./PeerClocks.ts"

export interface ClusterViewOptions {
  readonly runtime: Runtime
  readonly self: NodeId
  /** The ring at the start. */
  readonly ring: RingState.RingState
  readonly limits: PeerClockLimits & LivenessOptions["limits"]
}

/** Where a document is kept: its primaries in order, as nodes and as targets of a request. */
export interface DocumentNodes extends Nodes {
  readonly primaries: ReadonlyArray<NodeId>
}

/** The comparison of all documents that this node and another one hold. */
export interface ExchangeWith {
  readonly ageMillis: number
  readonly differences: number
  readonly repaired: number
}

export class ClusterView {
  readonly self: NodeId
  /** The nodes that are believed to be up. */
  readonly liveness: Liveness
  /** The standing of this node's store in the cluster, once it is known. */
  formation: () => FormationStatus | undefined = () => undefined
  /** What gossip tells of a member, once anything is known. */
  facts: (node: NodeId) => MemberFacts | undefined = () => undefined
  /** The last comparison of documents with a member, once there was one. */
  lastExchange: (node: NodeId) => ExchangeWith | undefined = () => undefined
  /** How far their clocks are ahead. */
  readonly clocks: PeerClocks
  readonly #runtime: Runtime
  readonly #listeners = new Set<(next: RingState.RingState) => void>()
  #state: RingState.RingState
  #members: ReadonlySet<NodeId>
  #clamps = 0

  constructor(options: ClusterViewOptions) {
    const { limits, ring, runtime, self } = options
    this.self = self
    this.liveness = new Liveness({ runtime, limits })
    this.clocks = new PeerClocks({ runtime, limits })
    this.#runtime = runtime
    this.#state = ring
    this.#members = membersOf(ring)
  }

  ringState(): RingState.RingState {
    return this.#state
  }

  /** The present ring. */
  get ring(): Ring {
    return this.#state.ring
  }

  /**
   * Serves another ring from now on, and tells all listeners.
   *
   * **Requires** a state that `RingState` made of the present one.
   */
  advance(next: RingState.RingState): void {
    if (next === this.#state) return
    this.#state = next
    this.#members = membersOf(next)
    this.liveness.retain(this.#members)
    this.clocks.retain(this.#members)
    for (const listener of this.#listeners) listener(next)
  }

  /** Calls `listener` after each change of the ring; the function that is returned ends that. */
  onRingChange(listener: (next: RingState.RingState) => void): () => void {
    // Each call has its own, so that closing one of two equal listeners leaves the other.
    const own = (next: RingState.RingState) => listener(next)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  members(): ReadonlyArray<Member> {
    return this.ring.members
  }

  /** What is known of the other members, for people. */
  peers(): ReadonlyArray<{
    readonly id: NodeId
    readonly suspect: boolean
    readonly lastFrameAgeMillis: number | null
    readonly belief: Belief
    readonly incarnation?: string
    readonly status?: MemberStatus
    readonly clockOffsetMillis?: number
    readonly lastExchange?: ExchangeWith
  }> {
    const offsets = this.clocks.offsets()
    return this.members().filter(({ id }) => id !== this.self).map(({ id }) => {
      const millis = this.liveness.sinceHeardMillis(id)
      const lastFrameAgeMillis = Number.isFinite(millis) ? Math.round(millis) : null
      const { status, version } = this.facts(id) ?? {}
      const offset = offsets.get(id)
      const lastExchange = this.lastExchange(id)
      return {
        id,
        suspect: !this.liveness.isUp(id),
        lastFrameAgeMillis,
        belief: this.liveness.belief(id),
        ...version === undefined ? {} : { incarnation: version.incarnation },
        ...status === undefined ? {} : { status },
        ...offset === undefined ? {} : { clockOffsetMillis: Math.round(offset) },
        ...lastExchange === undefined ? {} : { lastExchange }
      }
    })
  }

  isMember(node: NodeId): boolean {
    return this.#members.has(node)
  }

  /** All nodes in the order in which they are asked to hold a partition. */
  preferenceList(partition: number): ReadonlyArray<NodeId> {
    return RingState.preferenceList(this.#state, partition)
  }

  /** The same, with all other members as fallbacks, whether or not they are up. */
  placementWithFallbacks(partition: number, n: number): DocumentNodes {
    return RingState.placement(this.#state, { partition, n, withFallbacks: true })
  }

  /**
   * The targets of a request to a bucket with `n` replicas: one value until the ring changes. No
   * fallback stands in for a primary.
   */
  placement(partition: number, n: number): DocumentNodes {
    return RingState.placement(this.#state, { partition, n, withFallbacks: false })
  }

  /**
   * Notes that another member was heard, how far its wall clock is ahead of the own one, at least
   * and at most, and when the last frame was sent from here that it had got.
   */
  heard(
    from: NodeId,
    leastMillis: number,
    told: { readonly greatestMillis?: number; readonly reachedAt?: number } = {}
  ): void {
    if (from === this.self || !this.#members.has(from)) return
    const { greatestMillis = Infinity, reachedAt } = told
    this.liveness.heard(from, reachedAt)
    this.clocks.heard(from, { least: leastMillis, greatest: greatestMillis })
  }

  /** The time to stamp writes with: the own clock, unless the cluster's median disagrees. */
  agreedNow(): number {
    const correction = this.clocks.correction()
    if (correction !== 0) {
      this.#clamps++
      this.#runtime.mark("view: the own clock is set aside")
    }
    return this.#runtime.now() + correction
  }

  /** How often the own clock was set aside: an alarm, since it should not happen. */
  clockClamps(): number {
    return this.#clamps
  }
}

const membersOf = ({ ring }: RingState.RingState): ReadonlySet<NodeId> =>
  new Set(ring.members.map(({ id }) => id))
