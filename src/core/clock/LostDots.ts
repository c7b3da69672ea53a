/**
 * Decides which dots are surely gone: a client has seen them, and no node will show them again.
 *
 * A dot is where it was made, where it was sent, or nowhere. Every owner says which dots it has,
 * its commits under way and its open requests included; and the node that made the dot is in a
 * later incarnation, which has forgotten what the earlier one had in memory. So the dot is nowhere,
 * but for a message that is still on its way.
 */
import type { NodeId } from "../model/Names.ts"
import { namesOf } from "./Dot.ts"
import * as VersionVector from "./VersionVector.ts"

/** The entries of `seen` that `context` does not have. */
export const missing = (
  seen: VersionVector.VersionVector,
  context: VersionVector.VersionVector
): VersionVector.VersionVector => {
  if (VersionVector.covers(context, seen)) return VersionVector.empty
  const lacking = new Map<string, number>()
  for (const [actor, counter] of seen) {
    if (!VersionVector.contains(context, actor, counter)) lacking.set(actor, counter)
  }
  return lacking
}

/** `seen` without what is missing of it: of an actor with missing dots, what `context` has. */
export const without = (
  seen: VersionVector.VersionVector,
  lost: VersionVector.VersionVector,
  context: VersionVector.VersionVector
): VersionVector.VersionVector => {
  if (lost.size === 0) return seen
  const left = new Map(seen)
  for (const actor of lost.keys()) {
    const counter = context.get(actor)
    if (counter === undefined) left.delete(actor)
    else if (left.has(actor)) left.set(actor, counter)
  }
  return left
}

/** The answers to the question where dots are. */
export interface Search {
  /** Dots that no answer has. */
  readonly missing: VersionVector.VersionVector
  /** The nodes that are to keep the document. */
  readonly owners: ReadonlyArray<NodeId>
  readonly isMember: (node: string) => boolean
  /**
   * The nodes that said all that they have, each with its incarnation as it said so. A node that
   * cannot read its row is not among them.
   */
  readonly answered: ReadonlyMap<string, string>
}

/**
 * The dots that are surely gone.
 *
 * **Requires** that the nodes were asked after the dots had been seen: then an incarnation that is
 * not the one that made a dot is a later one.
 */
export const surelyGone = (search: Search): VersionVector.VersionVector => {
  const { answered, isMember, missing: dots, owners } = search
  if (!owners.every((node) => answered.has(node))) return VersionVector.empty
  const gone = new Map<string, number>()
  for (const [actor, counter] of dots) {
    const { incarnation, node } = namesOf(actor)
    const present = answered.get(node)
    const isOver = present === undefined ? !isMember(node) : present !== incarnation
    if (isOver) gone.set(actor, counter)
  }
  return gone
}

/** The nodes to ask where dots are: the owners, and the members that made the dots. */
export const nodesToAsk = (
  search: Pick<Search, "missing" | "owners"> & { readonly members: ReadonlyArray<NodeId> }
): ReadonlyArray<NodeId> => {
  const makers = new Set<string>()
  for (const actor of search.missing.keys()) makers.add(namesOf(actor).node)
  const { members, owners } = search
  return [...owners, ...members.filter((node) => makers.has(node) && !owners.includes(node))]
}
