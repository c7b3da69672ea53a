/**
 * Looks after removals that wait for dots: where these are surely gone, the removals end, here and
 * at the other replicas. Otherwise each removal by an old context would stay in its document for
 * ever.
 *
 * A document with such removals is looked after whenever a write or a read of it ends, once at a
 * time. If it cannot be told whether the dots are gone, the next request tries again.
 */
import type { Document } from "../core/crdt/Document.ts"
import { awaitedDots, endDeferrals, endedBy } from "../core/strategy/EndDeferrals.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import { DotSearch, type SearchedDocument, type SearchResult } from "./DotSearch.ts"
import { owedHere } from "./SloppyTargets.ts"
import { repairMessage } from "./StoreMessage.ts"

/** Looks after a document as a request found it. */
export const checkDeferrals = (
  context: CoordinatorContext,
  searched: SearchedDocument,
  document: Document
): void => {
  const { checksUnderWay, limits: { readTimeoutMillis }, runtime } = context
  if (document.deferred.length === 0 || owedHere(context, searched) !== undefined) return
  if (!checksUnderWay.begin(searched.row)) return
  new DotSearch(context, {
    searched,
    sought: awaitedDots(document),
    known: document,
    deadline: runtime.elapsed() + readTimeoutMillis,
    serves: { fail: () => checksUnderWay.end(searched.row) },
    ended: (result) => {
      checksUnderWay.end(searched.row)
      end(context, searched, result)
    }
  }).start()
}

/** Ends the removals of the own document that wait for nothing else, and tells the others. */
const end = (
  context: CoordinatorContext,
  searched: SearchedDocument,
  { gone, joined, missing }: SearchResult
): void => {
  const { bucket, row } = searched
  const { counters, node: self, replica, runtime, send, view } = context
  if (!replica.writable()) return
  if (missing.size === 0 || gone.size > 0) replica.join({ key: row, document: joined }, () => {})
  if (gone.size === 0) return
  const newest = replica.read(row)
  if (newest._tag !== "Found" || endedBy(newest.document, gone).length === 0) return
  const calls = [{ operation: endDeferrals(gone), args: [] }]
  const update = { key: row, calls, seen: undefined, stampSeen: 0, id: undefined }
  const updated = replica.update(update, () => {})
  if (updated._tag !== "Updated") return
  counters.deferralsEnded += newest.document.deferred.length - updated.document.deferred.length
  runtime.mark("coordinator: a removal that waits for lost dots ends")
  const message = repairMessage(searched, updated.encoded.bytes)
  for (const { node } of view.placement(row.partition, bucket.definition.n).targets) {
    if (node !== self) send(node, message)
  }
}
