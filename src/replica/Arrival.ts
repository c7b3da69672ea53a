/**
 * Joins what another replica sent into a document: its document, or changes of it. Changes are
 * joined only where their base is here; otherwise nothing is joined, and the sender is told what is
 * here.
 */
import * as VersionVector from "../core/clock/VersionVector.ts"
import * as Document from "../core/crdt/Document.ts"
import type { EncodedDocument } from "../core/crdt/DocumentCodec.ts"
import * as Edit from "../core/crdt/Edit.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import type { Runtime } from "../core/Runtime.ts"
import { otherKind } from "./AppliedCalls.ts"
import type { Owed } from "./Hints.ts"
import { documentOf, type LocalRead } from "./LocalDocument.ts"
import type { AppliedOperation } from "./OperationRow.ts"
import type { Joined } from "./Update.ts"

export interface ArrivedDocument {
  readonly document: Document.Document
  /** Spares encoding it. */
  readonly encoded?: EncodedDocument
}

export interface ArrivedEdits {
  readonly edits: ReadonlyArray<Edit.Edit>
  /** Of these edits; they are kept. */
  readonly bytes: Uint8Array
}

export type Arrival = (ArrivedDocument | ArrivedEdits) & {
  readonly key: RowKey
  /** Whether it is acknowledged before it is on disk: then readers see it at once. */
  readonly fromMemory?: boolean
  /** The operation that made it, if the sender carried one out. */
  readonly operation?: AppliedOperation | undefined
  /** The nodes for which this replica keeps it; none where it keeps it for itself. */
  readonly owed?: Owed | undefined
}

export type JoinedArrival =
  | {
    readonly _tag: "Document"
    readonly document: Document.Document
    /** Whether one of two concurrent last writes is lost. */
    readonly discards: boolean
  }
  | Exclude<Joined, { readonly _tag: "Joined" }>

const refused: JoinedArrival = { _tag: "Refused", reason: otherKind }

/** Where a change is of a tree, its path says so. */
const isOfKind = ({ store }: Document.Document, delta: Document.Delta): boolean => {
  const kind = (delta.path ?? []).length > 0 ? "tree" : delta.store?.kind
  return store === undefined || kind === undefined || store.kind === kind
}

/** The document after changes, each of which needs its base there. */
export const joinEdits = (
  before: Document.Document,
  { edits }: Pick<ArrivedEdits, "edits">,
  onConflict: () => void
): JoinedArrival => {
  let document = before
  for (const edit of edits) {
    if (!VersionVector.covers(document.context, edit.base)) {
      return { _tag: "NeedsBase", context: before.context }
    }
    if (!edit.deltas.every((delta) => isOfKind(document, delta))) return refused
    document = Edit.apply(document, edit, onConflict)
  }
  return { _tag: "Document", document, discards: false }
}

const join = (local: LocalRead, arrival: Arrival, onConflict: () => void): JoinedArrival => {
  const before = documentOf(local)
  if ("edits" in arrival) {
    // A damaged row is not mended by a change alone: the rest of it would be lost here, unseen.
    return local._tag === "Damaged"
      ? { _tag: "NeedsBase", context: before.context }
      : joinEdits(before, arrival, onConflict)
  }
  const { document: incoming } = arrival
  if (!Document.canJoin(before, incoming)) return refused
  const document = Document.joinTelling(before, incoming, onConflict)
  return { _tag: "Document", document, discards: Document.discards(before, incoming) }
}

/** The document after an arrival; `onConflict` is called for each dot with another content. */
export const joinArrival = (
  local: LocalRead,
  arrival: Arrival,
  { onConflict, runtime }: {
    readonly onConflict: () => void
    readonly runtime: Pick<Runtime, "mark">
  }
): JoinedArrival => {
  const joined = join(local, arrival, onConflict)
  if (joined._tag === "NeedsBase") runtime.mark("replica: the base of a change is missing")
  if (joined._tag !== "Document") return joined
  const { deferred } = documentOf(local)
  if ("edits" in arrival) runtime.mark("replica: a change is joined on its base")
  if (joined.discards) runtime.mark("replica: one of two last writes is discarded")
  if (joined.document.deferred.length < deferred.length) runtime.mark("replica: a deferral ends")
  if (local._tag === "Damaged") runtime.mark("replica: a damaged row is mended by a join")
  return joined
}
