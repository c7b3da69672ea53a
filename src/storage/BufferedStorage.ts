/**
 * Answers as the storage service: from the queue first, from the disk second.
 */
import { invariant } from "../core/Invariant.ts"
import type { CommitQueue } from "./CommitQueue.ts"
import { decodeKey, encodeKey, rangeUnder } from "./FamilyKey.ts"
import { compareKeys } from "./KeyOrder.ts"
import { compareEncoded, type Pending } from "./PendingWrites.ts"
import type { Reader, StoredRow } from "./Reader.ts"
import type { Family, RowKey, StorageService } from "./Storage.ts"
import type { OpenedStore } from "./StoreRow.ts"

/** The first items of waiting and stored rows; a waiting row hides the stored one. */
const merge = <K, A>(options: {
  readonly limit: number
  readonly after: K | undefined
  readonly waiting: ReadonlyArray<Pending<K, A>>
  readonly storedAfter: (key: K | undefined) => { readonly key: K; readonly item: A } | undefined
  readonly compare: (a: K, b: K) => number
}): ReadonlyArray<A> => {
  const { after, compare, limit, storedAfter, waiting } = options
  const found: Array<A> = []
  let passed = 0
  let at = after
  while (found.length < limit) {
    const pending = waiting[passed]
    const stored = storedAfter(at)
    const isPending = stored === undefined
      || (pending !== undefined && compare(pending.key, stored.key) <= 0)
    const first = isPending ? pending : stored
    if (first === undefined) break
    if (isPending) passed++
    if (first.item !== undefined) found.push(first.item)
    at = first.key
  }
  return found
}

interface Sources {
  readonly reader: Reader
  readonly queue: CommitQueue
}

const scan =
  ({ queue, reader }: Sources): StorageService["scan"] => ({ after, limit, partition }) =>
    merge<RowKey, RowKey>({
      limit,
      after,
      waiting: queue.pending.keysAfter(partition, after),
      storedAfter: (last) => {
        const key = reader.keyAfter(partition, last)
        return key === undefined ? undefined : { key, item: key }
      },
      compare: compareKeys
    })

/** Finds the next stored row, and reads a page of them: a query for each takes far longer. */
const storedRows = (
  reader: Reader,
  { before, family, first, limit }: {
    readonly family: Family
    readonly first: string
    readonly before: string
    readonly limit: number
  }
) => {
  let page: ReadonlyArray<StoredRow> = []
  let at = 0
  return (after = first): { readonly key: string; readonly item: StoredRow } | undefined => {
    while (at < page.length && page[at]!.key <= after) at++
    if (at === page.length) {
      page = reader.rowsAfter(family, { after, before, limit })
      at = 0
    }
    const item = page[at]
    return item === undefined ? undefined : { key: item.key, item }
  }
}

const scanRows =
  ({ queue, reader }: Sources): StorageService["scanRows"] => ({ after, family, limit, under }) => {
    const { before, from } = rangeUnder(family, under)
    const last = after === undefined ? "" : encodeKey(family, after)
    const first = last < from ? from : last
    const rows = merge<string, StoredRow>({
      limit,
      after: first,
      waiting: queue.pending.rowsIn(family, (key) => key > first && key < before),
      storedAfter: storedRows(reader, { family, first, before, limit }),
      compare: compareEncoded
    })
    return rows.map(({ bytes, key: encoded }) => {
      const key = decodeKey(family, encoded)
      invariant(key !== undefined, "the reader passes over keys that are none")
      return { key, bytes }
    })
  }

export const makeBufferedStorage = (
  sources: Sources,
  { changes, storeId }: OpenedStore
): StorageService => {
  const { queue, reader } = sources
  return {
    storeId,
    committedChanges: () => changes + queue.changes,
    read: (key) => reader.read(key, queue.pending.overlay(key)),
    readHeader: (key) => reader.header(key, queue.pending.overlay(key)),
    readRow: (family, key) => {
      const encoded = encodeKey(family, key)
      const waiting = queue.pending.row(family, encoded)
      if (waiting === undefined) return reader.row(family, encoded)
      const { bytes } = waiting
      return bytes === undefined ? { _tag: "Absent" } : { _tag: "Found", bytes }
    },
    write: (batch, done) => queue.write(batch, done),
    barrier: (done) => queue.barrier(done),
    scan: scan(sources),
    scanRows: scanRows(sources),
    healthy: () => queue.healthy,
    fault: () => queue.fault?.detail,
    trouble: () => queue.trouble,
    stats: () => ({ ...queue.stats, damaged: reader.damaged })
  }
}
