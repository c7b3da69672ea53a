/**
 * Says which nodes this one believes to be up. It is an opinion, formed from the frames that come,
 * the answers that do not, and the verdict of the failure detector; ownership never hangs on it
 * (Dynamo, section 4.8.3: a node is failed for another where it does not answer that one, though it
 * answers others).
 */
import type { Belief } from "../core/membership/DetectorState.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"

export interface LivenessOptions {
  readonly runtime: Runtime
  readonly limits: Pick<NodeLimits, "suspectMillis" | "greetMillis" | "greetingsMax">
}

/** On the monotonic clock. */
interface Peer {
  /** -Infinity where no frame of it ever came. */
  heardAt: number
  /** When the first question was sent after the last frame; undefined without one. */
  askedAt: number | undefined
  /** An answer has not come in the time that its request gave it, since the node was heard. */
  late: boolean
  /** The opinion of the failure detector. */
  belief: Belief
}

export class Liveness {
  readonly #runtime: Runtime
  readonly #limits: LivenessOptions["limits"]
  readonly #peers = new Map<NodeId, Peer>()

  constructor(options: LivenessOptions) {
    this.#runtime = options.runtime
    this.#limits = options.limits
  }

  /**
   * Notes that a frame of the node came. It is up, unless it had got only such frames from here as
   * were sent before the question that it owes an answer to: then it may be out of reach.
   */
  heard(node: NodeId, reachedAt = Infinity): void {
    const peer = this.#peer(node)
    peer.heardAt = this.#runtime.elapsed()
    if (peer.askedAt !== undefined && reachedAt <= peer.askedAt) return
    peer.askedAt = undefined
    peer.late = false
  }

  /** Notes that something was sent which the node answers if it is up. */
  expects(node: NodeId): void {
    this.#peer(node).askedAt ??= this.#runtime.elapsed()
  }

  /** Notes that an answer did not come in its time. Others are asked first until one comes. */
  unanswered(node: NodeId): void {
    this.expects(node)
    this.#peer(node).late = true
  }

  /** Notes the opinion of the failure detector. */
  believe(node: NodeId, belief: Belief): void {
    this.#peer(node).belief = belief
  }

  /** The opinion of the failure detector, which also reaches nodes through others. */
  belief(node: NodeId): Belief {
    return this.#peers.get(node)?.belief ?? "up"
  }

  /** Whether a question to the node may be expected to be answered. A stranger is believed up. */
  isUp(node: NodeId): boolean {
    const peer = this.#peers.get(node)
    if (peer?.belief === "down") return false
    const askedAt = peer?.askedAt
    return askedAt === undefined || this.#runtime.elapsed() - askedAt <= this.#limits.suspectMillis
  }

  /**
   * Whether nothing has come for long from a node that was heard before, asked or not. A node
   * greets a few others at a time: among many, it may say nothing to one of them for some turns.
   */
  isQuiet(node: NodeId): boolean {
    const { greetMillis, greetingsMax, suspectMillis } = this.#limits
    const turns = Math.ceil(this.#peers.size / greetingsMax)
    const quietMillis = Math.max(suspectMillis, 2 * turns * greetMillis)
    const heardAt = this.#peers.get(node)?.heardAt ?? -Infinity
    return heardAt !== -Infinity && this.#runtime.elapsed() - heardAt > quietMillis
  }

  /** The nodes that are believed down. */
  suspects(): ReadonlyArray<NodeId> {
    return [...this.#peers.keys()].filter((node) => !this.isUp(node))
  }

  /** The age of the node's last frame; Infinity where none ever came, or an answer is overdue. */
  sinceHeardMillis(node: NodeId): number {
    const peer = this.#peers.get(node)
    return peer === undefined || peer.late ? Infinity : this.#runtime.elapsed() - peer.heardAt
  }

  /**
   * For how long nothing has come from the node, or a question to it is unanswered; Infinity where
   * nothing ever came.
   */
  unreachableMillis(node: NodeId): number {
    const peer = this.#peers.get(node)
    if (peer === undefined) return Infinity
    const now = this.#runtime.elapsed()
    return Math.max(now - peer.heardAt, now - (peer.askedAt ?? now))
  }

  /** Forgets all other nodes. */
  retain(nodes: ReadonlySet<NodeId>): void {
    for (const node of this.#peers.keys()) if (!nodes.has(node)) this.#peers.delete(node)
  }

  #peer(node: NodeId): Peer {
    let peer = this.#peers.get(node)
    if (peer === undefined) {
      peer = { heardAt: -Infinity, askedAt: undefined, late: false, belief: "up" }
      this.#peers.set(node, peer)
    }
    return peer
  }
}
