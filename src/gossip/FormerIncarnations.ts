/**
 * Knows the incarnations that other members have ended, as far as they told of later ones: a late
 * frame of one of these says nothing of its sender any more.
 *
 * Of two processes under one id either may be the one that goes on. So an incarnation has not ended
 * whose frames show that it got some which were sent after the later one was told of.
 */
import type { Version } from "../core/membership/Version.ts"
import type { NodeId } from "../core/model/Names.ts"

/** Frames are late by seconds, and a node starts less often. */
const rememberedMax = 8

interface Ended {
  readonly incarnation: string
  /** When the later one was told of, on the monotonic clock. */
  readonly at: number
}

export class FormerIncarnations {
  readonly #ended = new Map<NodeId, ReadonlyArray<Ended>>()

  /** Notes that a member went on from one version to another. */
  follow(node: NodeId, before: Version, now: Version, at: number): void {
    const { incarnation } = before
    if (incarnation === now.incarnation || incarnation === "") return
    const others = (this.#ended.get(node) ?? []).filter((ended) =>
      ended.incarnation !== now.incarnation && ended.incarnation !== incarnation
    )
    this.#ended.set(node, [...others, { incarnation, at }].slice(-rememberedMax))
  }

  /** Whether it had ended when it got a frame that was sent from here at this time. */
  has(node: NodeId, incarnation: string, sentAt: number): boolean {
    const ended = this.#ended.get(node)?.find((one) => one.incarnation === incarnation)
    return ended !== undefined && sentAt <= ended.at
  }

  /** Forgets all other nodes. */
  retain(nodes: ReadonlySet<NodeId>): void {
    for (const node of this.#ended.keys()) if (!nodes.has(node)) this.#ended.delete(node)
  }
}
