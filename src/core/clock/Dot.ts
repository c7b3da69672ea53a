/**
 * Names events. A dot is one event, an actor's nth; an actor is one node, in one incarnation,
 * since one birth.
 *
 * Why a birth? A fallback that delivered a document and dropped it may take another blind write.
 * Continuing under its old actor, the second dot would seem to contain, and so to have removed,
 * the first. So a replica that holds no intact row of a document makes its next dot there under
 * a new birth. Births and counters come from one counter per incarnation, never issued twice;
 * the dots of an actor within a document therefore grow, but are not consecutive.
 */
import type { Incarnation } from "../model/Incarnation.ts"
import type { NodeId } from "../model/Names.ts"

/** `<node>.<incarnation>.<birth>`; compared as text, which orders ties alike on every node. */
export type Actor = string

export interface Dot {
  readonly actor: Actor
  /** From 1. Invariant: greater than every earlier counter of this actor in this document. */
  readonly counter: number
}

export const actor = (
  names: { readonly node: NodeId; readonly incarnation: Incarnation; readonly birth: number }
): Actor => `${names.node}.${names.incarnation}.${names.birth.toString(36)}`

/** The beginning of the actors of an incarnation of a node, and of no others. */
export const beginningOf = (
  of: { readonly node: NodeId; readonly incarnation: Incarnation }
): string => `${of.node}.${of.incarnation}.`

/** Whether an actor belongs to this incarnation of this node. */
export const isActorOf = (
  candidate: Actor,
  incarnation: { readonly node: NodeId; readonly incarnation: Incarnation }
): boolean => candidate.startsWith(beginningOf(incarnation))

/** The node that an actor belongs to, and the incarnation of it. */
export const namesOf = (
  of: Actor
): { readonly node: string; readonly incarnation: string } => {
  const end = of.indexOf(".")
  return { node: of.slice(0, end), incarnation: of.slice(end + 1, of.indexOf(".", end + 1)) }
}

/** The form that an actor must have when it comes from disk or wire. */
export const actorPattern = /^[a-z0-9][a-z0-9_-]{0,63}\.[0-9a-z]{15}\.[0-9a-z]{1,11}$/u

/** Orders by actor, then counter: the order in which siblings are listed and folded. */
export const compareDots = (left: Dot, right: Dot): number =>
  left.actor < right.actor
    ? -1
    : left.actor > right.actor
    ? 1
    : left.counter - right.counter
