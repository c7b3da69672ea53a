/**
 * Finds what open requests hold in memory of a document, and will bring to the replicas: a node
 * that is asked what it has of the document has this, too.
 */
import * as Document from "../core/crdt/Document.ts"
import { type RowKey, textOf } from "../core/model/RowKey.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"

/** The join of what requests hold of a document. It looks at all requests, and is seldom needed. */
export const heldByRequests = (
  { inFlight, runtime }: Pick<CoordinatorContext, "inFlight" | "runtime">,
  key: RowKey
): Document.Document => {
  const name = textOf(key)
  let joined = Document.empty
  for (const request of inFlight.all()) {
    const held = request.held?.()
    if (held === undefined || textOf(held.row) !== name) continue
    if (Document.canJoin(joined, held.document)) joined = Document.join(joined, held.document)
  }
  if (joined !== Document.empty) runtime.mark("read: another one holds what its session has seen")
  return joined
}
