/**
 * Describes one message of a request, and what is known of it: the decision is `SendDecision`'s.
 */
import type { NodeId } from "../core/model/Names.ts"

/**
 * How a request is named. A read changes nothing. A user's own id has no marks: the node that gets
 * it asks all owners. An id of the client goes with the marks of the nodes.
 */
export type Naming = "read" | "named" | "marked"

/** A message to a node, sent once or more often. */
export interface Attempt {
  /** Undefined where the broker chooses. */
  readonly node: NodeId | undefined
  /** The mark that it names: empty asks for one; undefined unless the client names the write. */
  readonly mark: string | undefined
  /** How often it was sent, but for sendings that reached no node. */
  readonly sendings: number
  /** Whether a node may have carried it out, or may still. */
  readonly isOpen: boolean
  /** Whether a node owes an answer to it. */
  readonly isAwaited: boolean
  /** Whether the broker says that nobody listens there. */
  readonly isUnreachable: boolean
  /** The node that answered it with a new mark. */
  readonly staleAt: NodeId | undefined
}

/** An attempt that goes out now. */
export const make = (
  naming: Naming,
  { mark, node }: { readonly node: NodeId | undefined; readonly mark: string | undefined }
): Attempt => ({
  node,
  mark,
  sendings: 1,
  // A node that is only asked for a mark does nothing else.
  isOpen: naming !== "read" && mark !== "",
  isAwaited: true,
  isUnreachable: false,
  staleAt: undefined
})
