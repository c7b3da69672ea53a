/**
 * Describes a document as one replica holds it, and the outcome of looking for it.
 */
import type { Actor, Dot } from "../core/clock/Dot.ts"
import * as VersionVector from "../core/clock/VersionVector.ts"
import * as Document from "../core/crdt/Document.ts"
import type { Missing } from "../storage/Storage.ts"

/** A document as this replica holds it. */
export interface LocalDocument {
  readonly document: Document.Document
  readonly digest: string
  /** The actor under which this replica last made a dot here; empty where it made none. */
  readonly own: Actor
}

export interface FoundDocument extends LocalDocument {
  readonly _tag: "Found"
}

/** The state of this replica under a key; a damaged row counts as missing, but is known to be. */
export type LocalRead = FoundDocument | Missing

/** The document of a read; an empty one where none can be read. */
export const documentOf = (local: LocalRead): Document.Document =>
  local._tag === "Found" ? local.document : Document.empty

/** Whether a document has seen a dot. */
export const holds = ({ context }: Document.Document, { actor, counter }: Dot): boolean =>
  VersionVector.contains(context, actor, counter)
