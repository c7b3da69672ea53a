/**
 * Opens a store for writing: folds what its logs hold beyond the tables, and begins its next epoch
 * with empty logs.
 *
 * A log that cannot be read to its end has lost commits that were acknowledged. The store is then
 * another one, with another id: it does not have all that it had.
 */
import { Committer, type FoldEvents } from "./Committer.ts"
import { CommitLog } from "./CommitLog.ts"
import { type Database, inTransaction } from "./Database.ts"
import type { FileGuard } from "./FileGuard.ts"
import { Fold } from "./Fold.ts"
import type { Folder } from "./Folder.ts"
import type { LogFiles } from "./LogFile.ts"
import { decodeHeader, type LogRecord, scanLog } from "./LogFormat.ts"
import { RecordedRows } from "./RecordedRows.ts"
import type { LogLimits } from "./StorageOptions.ts"
import { readChangeCount, readCount, StoreCounts } from "./StoreCounts.ts"
import { type OpenedStore, readStore } from "./StoreRow.ts"
import { prepareWriter, type WriterOptions } from "./Tables.ts"
import { TableWriter } from "./TableWriter.ts"

export interface OpenStoreOptions extends WriterOptions {
  readonly limits: LogLimits
  /** Of a store that lies in files. */
  readonly guard?: () => FileGuard
  readonly events?: FoldEvents
  /** Left out: this thread folds. */
  readonly folder?: Folder
}

interface Recovered {
  /** Whether the logs have lost anything. */
  readonly isLost: boolean
  /** A number at or above all that the logs have had. */
  readonly last: number
}

interface FoundRecords {
  /** Those beyond the tables, one after the other, up to the first that is missing. */
  readonly records: ReadonlyArray<LogRecord>
  readonly isLost: boolean
  readonly last: number
}

/** Records of another store's log are none of this one; their numbers are not given again. */
const find = (files: LogFiles, { folded, storeId }: {
  readonly folded: number
  /** Undefined where the store has forgotten it. */
  readonly storeId: string | undefined
}): FoundRecords => {
  const logs = files.map((file) => {
    const bytes = file.read()
    const header = decodeHeader(bytes)
    const isOurs = header !== undefined && (storeId === undefined || header === storeId)
    return { ...scanLog(bytes, folded), isOurs }
  })
  const all = logs.flatMap(({ isOurs, records }) => isOurs ? records : [])
    .filter(({ number }) => number > folded)
    .sort((a, b) => a.number - b.number)
  const records: Array<LogRecord> = []
  let last = folded
  for (const record of all) {
    if (record.previous !== last) break
    records.push(record)
    last = record.number
  }
  const isLost = records.length < all.length
    || logs.some(({ isDamaged, isOurs }) => isDamaged || !isOurs)
  return { records, isLost, last: Math.max(last, ...logs.map(({ greatest }) => greatest)) }
}

/** Writes the records' rows into the tables, where they are not yet. */
const replay = (
  database: Database,
  { last, records, rowsMax }: FoundRecords & { readonly rowsMax: number }
): void => {
  const rows = new RecordedRows()
  for (const { content } of records) rows.add(content)
  const target = {
    database,
    tables: new TableWriter(database),
    counts: new StoreCounts(database),
    rowsMax
  }
  const changes = readChangeCount(database) + rows.changes
  const fold = new Fold(target, rows, { folded: last, changes })
  while (!fold.slice());
}

const recover = (database: Database, files: LogFiles, rowsMax: number): Recovered => {
  const folded = readCount(database, "folded")
  const storeId = readStore(database)?.storeId
  const found = find(files, { folded: typeof folded === "number" ? folded : 0, storeId })
  // Before the first log begins there is nothing to lose.
  if (folded === "absent") return { isLost: false, last: found.last }
  // Nobody knows which records are in the tables: older rows could replace newer ones.
  if (folded === "damaged") return { isLost: true, last: found.last }
  if (found.last > folded) replay(database, { ...found, rowsMax })
  return found
}

/** The record of the log's beginning is on disk after the headers of its files. */
const begin = (database: Database, log: CommitLog, storeId: string): void => {
  log.begin(storeId)
  if (readCount(database, "folded") === log.last) return
  inTransaction(database, () => new StoreCounts(database).write("folded", log.last))
}

/** Throws where it cannot be opened. Closes no file. */
export const openStore = (
  database: Database,
  files: LogFiles,
  { events, folder, guard, limits, ...options }: OpenStoreOptions
): { readonly store: OpenedStore; readonly committer: Committer } => {
  const { foldRowsMax, logBytesMax } = limits
  let last = 0
  const store = prepareWriter(database, options, () => {
    const recovered = recover(database, files, foldRowsMax)
    last = recovered.last
    return recovered.isLost
  })
  const log = new CommitLog(files, { last, limits })
  begin(database, log, store.storeId)
  const committer = new Committer({
    database,
    guard: guard?.(),
    log: logBytesMax === 0 ? undefined : log,
    foldRowsMax,
    changes: store.changes,
    ...events === undefined ? {} : { events },
    ...folder === undefined ? {} : { folder }
  })
  return { store, committer }
}
