/**
 * Adds to a replica's document what open requests of its node hold of it in memory, for a reader
 * whose session has seen more than the replica has.
 *
 * A read that joined a document before the disk lost it brings it back when it ends. A replica that
 * said meanwhile that it has nothing would make dots count as lost that come again.
 */
import * as VersionVector from "../core/clock/VersionVector.ts"
import * as Document from "../core/crdt/Document.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import { documentOf, type LocalRead } from "./LocalDocument.ts"
import type { Reading } from "./ShownVersions.ts"

/** The join of all that open requests hold of a document, as replicas have shown it. */
export type HeldByRequests = (key: RowKey) => Document.Document

/** A version that may be shown here, with what open requests hold of it where that is needed. */
export const withHeld = (
  shown: LocalRead,
  { after, key }: Pick<Reading, "after" | "key">,
  held: HeldByRequests
): LocalRead => {
  // Of a damaged row nobody believes that it says all.
  if (shown._tag === "Damaged") return shown
  const own = documentOf(shown)
  if (VersionVector.covers(own.context, after)) return shown
  const more = held(key)
  if (!Document.canJoin(own, more)) return shown
  const document = Document.join(own, more)
  if (document === own) return shown
  return { _tag: "Found", document, digest: DocumentCodec.encode(document).digest, own: "" }
}
