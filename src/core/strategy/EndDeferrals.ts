/**
 * Ends removals that wait for dots which are surely gone: they count as seen. Nothing is removed by
 * it, since those dots will never be here.
 */
import * as LostDots from "../clock/LostDots.ts"
import * as VersionVector from "../clock/VersionVector.ts"
import type { Document } from "../crdt/Document.ts"
import * as Expiry from "../crdt/Expiry.ts"
import type { Deferral } from "../crdt/Removal.ts"
import type { Operation } from "./Strategy.ts"

/** The deferrals of a document that wait for nothing but dots of `gone`. */
export const endedBy = (
  { context, deferred }: Document,
  gone: VersionVector.VersionVector
): ReadonlyArray<Deferral> =>
  deferred.filter(({ seen }) => VersionVector.covers(gone, LostDots.missing(seen, context)))

/** The dots that the removals of a document wait for. */
export const awaitedDots = ({ context, deferred }: Document): VersionVector.VersionVector =>
  deferred.reduce<VersionVector.VersionVector>(
    (all, { seen }) => VersionVector.join(all, LostDots.missing(seen, context)),
    VersionVector.empty
  )

/** The operation, which is the node's own and no client's. */
export const endDeferrals = (gone: VersionVector.VersionVector): Operation => ({
  name: "end-deferrals",
  args: [],
  deletes: false,
  mutate: (mutation) => {
    const { dot, document } = mutation
    const delta = {
      seen: { vector: VersionVector.empty, dots: [dot] },
      store: undefined,
      deferred: [],
      expiry: Expiry.none,
      ended: endedBy(document, gone)
    }
    return { _tag: "Changed", delta }
  }
})
