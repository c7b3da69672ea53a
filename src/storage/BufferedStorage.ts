/**
 * Answers as the storage service: from the queue first, from the disk second.
 */
import { invariant } from "../core/Invariant.ts"
import { textOf } from "../core/model/RowKey.ts"
import type { CommitQueue } from "./CommitQueue.ts"
import { decodeKey, encodeKey, rangeUnder } from "./FamilyKey.ts"
import { compareKeys } from "./KeyOrder.ts"
import { compareEncoded, type Overlay, type Pending } from "./PendingWrites.ts"
import type { Reader, StoredRow } from "./Reader.ts"
import type { Family, LogStats, RowKey, StorageService } from "./Storage.ts"
import type { OpenedStore } from "./StoreRow.ts"
import { laidOver, type UnfoldedWrites } from "./UnfoldedWrites.ts"

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
  readonly unfolded: UnfoldedWrites
  /** Of the log and its fold, as far as they are known here. */
  readonly logStats?: () => LogStats
}

/** What is not in the tables yet: committed, and on top of it what waits. */
const overlayOf = ({ queue, unfolded }: Sources, key: RowKey): Overlay | undefined =>
  laidOver(unfolded.overlay(key), queue.pending.overlay(key))

const rowOf = ({ queue, unfolded }: Sources, family: Family, key: string) =>
  queue.pending.row(family, key) ?? unfolded.row(family, key)

/** Of the lists, each in order, one in which the items of a later list replace equal keys. */
const newest = <K, A>(
  lists: ReadonlyArray<ReadonlyArray<Pending<K, A>>>,
  name: (key: K) => string,
  compare: (a: K, b: K) => number
): ReadonlyArray<Pending<K, A>> => {
  const filled = lists.filter(({ length }) => length > 0)
  if (filled.length < 2) return filled[0] ?? []
  const found = new Map(filled.flat().map((item) => [name(item.key), item]))
  return [...found.values()].sort((a, b) => compare(a.key, b.key))
}

/** The documents of a partition that wait or are not folded, after `after`, in key order. */
const keysAfter = (
  { queue, unfolded }: Sources,
  partition: number,
  after: RowKey | undefined
): ReadonlyArray<Pending<RowKey, RowKey>> =>
  newest(
    [
      ...unfolded.generations.map((generation) => generation.keysAfter(partition, after)),
      queue.pending.keysAfter(partition, after)
    ],
    textOf,
    compareKeys
  )

/** The rows of a family that wait or are not folded, and whose keys `includes` takes, in order. */
const rowsIn = (
  { queue, unfolded }: Sources,
  family: Family,
  includes: (key: string) => boolean
): ReadonlyArray<Pending<string, StoredRow>> =>
  newest<string, StoredRow>(
    [
      ...unfolded.generations.map((generation) => generation.rowsIncluded(family, includes)),
      queue.pending.rowsIn(family, includes)
    ],
    (key) => key,
    compareEncoded
  )

const scan = (sources: Sources): StorageService["scan"] => ({ after, limit, partition }) =>
  merge<RowKey, RowKey>({
    limit,
    after,
    waiting: keysAfter(sources, partition, after),
    storedAfter: (last) => {
      const key = sources.reader.keyAfter(partition, last)
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
  (sources: Sources): StorageService["scanRows"] => ({ after, family, limit, under }) => {
    const { before, from } = rangeUnder(family, under)
    const last = after === undefined ? "" : encodeKey(family, after)
    const first = last < from ? from : last
    const rows = merge<string, StoredRow>({
      limit,
      after: first,
      waiting: rowsIn(sources, family, (key) => key > first && key < before),
      storedAfter: storedRows(sources.reader, { family, first, before, limit }),
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
  const { logStats, queue, reader, unfolded } = sources
  return {
    storeId,
    committedChanges: () => changes + queue.changes,
    read: (key) => reader.read(key, overlayOf(sources, key)),
    readHeader: (key) => reader.header(key, overlayOf(sources, key)),
    readRow: (family, key) => {
      const encoded = encodeKey(family, key)
      const waiting = rowOf(sources, family, encoded)
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
    stats: () => ({
      ...queue.stats,
      ...logStats?.() ?? { logBytes: 0, foldSlices: 0 },
      unfoldedBytes: unfolded.bytes,
      unfoldedChanges: unfolded.changes,
      damaged: reader.damaged
    })
  }
}
