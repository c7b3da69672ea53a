/**
 * Writes documents again that a node has in memory, and whose rows its disk has lost, or changed:
 * such a copy may be the last one. It is a join, so nothing that a row has gets lost.
 */
import { keyOfText, type RowKey } from "../core/model/RowKey.ts"
import type { Arrival } from "./Arrival.ts"
import type { DocumentCache } from "./DocumentCache.ts"
import type { FoundDocument, LocalRead } from "./LocalDocument.ts"

export interface LostRowsOptions {
  readonly cache: DocumentCache<FoundDocument>
  /** The document in its row. */
  readonly stored: (key: RowKey) => LocalRead
  readonly join: (arrival: Arrival) => void
}

/** Looks at the documents of a partition whose rows turned out to be other than they were. */
export const writeLostRows = (
  partition: number,
  { cache, join, stored }: LostRowsOptions
): void => {
  for (const name of cache.namesIn(partition)) {
    const key = keyOfText(name)
    const held = cache.get(key)
    const row = stored(key)
    if (held === undefined || row._tag === "Found" && row.digest === held.digest) continue
    // The join is with the row, and not with itself.
    cache.delete(key)
    join({ key, document: held.document })
  }
}
