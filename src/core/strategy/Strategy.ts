/**
 * Defines the interface of a strategy: operations that make deltas, and a view of the state. The
 * join is no part of it: it is the same for all (`core/crdt/Join`), so that a node joins the states
 * of buckets whose code it lacks.
 *
 * This room and `core/crdt` are the only ones that know the families. Everything else handles
 * documents, deltas and contexts.
 */
import type { CausalContext } from "../clock/CausalContext.ts"
import type { Dot } from "../clock/Dot.ts"
import type { Delta, Document } from "../crdt/Document.ts"
import type { DotStore } from "../crdt/DotStore.ts"

/** The kind of an operation's argument, for callers without the bucket's code. */
export type ArgumentKind = "value" | "key" | "integer"

/** All that a mutator may look at. */
export interface Mutation {
  readonly document: Document
  /** The dot of this change; never used before. */
  readonly dot: Dot
  readonly nowMillis: number
  /** The history that the client has seen; undefined without a context. */
  readonly seen: CausalContext | undefined
  /** The greatest stamp that the client has seen, by its context or in its session. */
  readonly stampSeen: number
  /** Updates of its own that this node keeps of a counter, at least 1. */
  readonly counterUpdatesMax: number
  /** JSON values; a `Canonical` for one that is known to be. */
  readonly args: ReadonlyArray<unknown>
}

/**
 * The reason why an operation changes nothing: arguments that do not fit; a client that has seen
 * more than this replica, which must catch up before it can carry out the removal; or a client that
 * read a counter so long ago that the sum which it had seen is not kept any more.
 */
export type Unchanged =
  | { readonly _tag: "InvalidArguments"; readonly path: string; readonly problem: string }
  | { readonly _tag: "ContextAhead" }
  | { readonly _tag: "ContextTooOld" }

export type Mutated = { readonly _tag: "Changed"; readonly delta: Delta } | Unchanged

export interface Operation {
  readonly name: string
  readonly args: ReadonlyArray<ArgumentKind>
  /** Whether the operation ends the document, as `delete` does. */
  readonly deletes: boolean
  /**
   * **Guarantees** an inflation: the delta contains `dot`, and joining it again changes nothing.
   */
  readonly mutate: (mutation: Mutation) => Mutated
}

/** An operation of a leaf: `path` is where it stands, `args` the rest of the arguments. */
export interface LeafOperation {
  readonly name: string
  readonly args: ReadonlyArray<ArgumentKind>
  readonly mutate: (mutation: Mutation, path: ReadonlyArray<string>) => Mutated
}

/** The view: the values for a reader. */
export interface View {
  /** Canonical JSON. One value, none where nothing is there, or all siblings in dot order. */
  readonly values: ReadonlyArray<string>
}

export interface Strategy {
  readonly name: string
  /** Bumped when the meaning of the states or operations changes. */
  readonly version: number
  /** The shape of its states. A state of another shape is not of a bucket with this strategy. */
  readonly kind: DotStore["kind"]
  readonly operations: ReadonlyMap<string, Operation>
  /**
   * The view at `nowMillis`, which hides a document from the moment it expires. May throw where a
   * stored value is no JSON.
   */
  readonly view: (document: Document, nowMillis: number) => View
  /** The greatest hybrid stamp in a document, for its context; 0 where there is none. */
  readonly stampOf: (document: Document) => number
}
