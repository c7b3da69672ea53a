/**
 * Commits batches, and folds what is committed into the tables. The only code that writes callers'
 * data; both implementations use it, one on a thread of its own.
 *
 * A commit appends to the log and syncs it once. Its record then stays in memory, and in the log,
 * until a fold has written its rows into the tables: this is a log-structured merge (O'Neil et al.,
 * Acta Informatica 1996) whose lower level is a B-tree.
 *
 * Where the tables take no more, or there is no log, a commit writes the tables itself, with all
 * that is not folded, in one transaction: so a write that makes room is taken, and others are
 * refused.
 */
import { ByteWriter } from "../core/codec/Bytes.ts"
import type { CommitLog } from "./CommitLog.ts"
import { type Database, inTransaction } from "./Database.ts"
import type { FileGuard } from "./FileGuard.ts"
import { Fold, type FoldTarget } from "./Fold.ts"
import { failureOfLog, LogError } from "./LogFile.ts"
import { isBadPage, isSqliteError, sqliteFull } from "./SqliteError.ts"
import { RecordedRows, rowsOf } from "./RecordedRows.ts"
import type { LogStats, StorageFailure } from "./Storage.ts"
import { StoreCounts } from "./StoreCounts.ts"
import { TableWriter } from "./TableWriter.ts"
import { unpack } from "./WorkerProtocol.ts"

/** An error of the disk; any other error is a fault of ours and is thrown on. */
const failureOf = (error: unknown): StorageFailure => {
  if (error instanceof LogError) return failureOfLog(error)
  if (!isSqliteError(error)) throw error
  return {
    kind: error.errcode === sqliteFull ? "full" : "failing",
    detail: `${error.message} (SQLite error ${error.errcode})`,
    ...isBadPage(error) ? { isLasting: true } : {}
  }
}

/** The failure of a store whose files are not those that it has open. */
export const lossOf = (guard: FileGuard | undefined): StorageFailure | undefined => {
  const detail = guard?.lost()
  return detail === undefined ? undefined : { kind: "failing", detail, isLasting: true }
}

/** Told as it happens, in this order: a generation is frozen, and later it is in the tables. */
export interface FoldEvents {
  readonly frozen: () => void
  readonly folded: () => void
  /** A slice was not written. The log has its rows, and the next commit tries again. */
  readonly failed: (failure: StorageFailure) => void
}

export interface CommitterOptions {
  readonly database: Database
  /** Of a store that lies in files. */
  readonly guard?: FileGuard | undefined
  /** Left out: each commit writes the tables. */
  readonly log?: CommitLog | undefined
  readonly foldRowsMax?: number
  /** Changes of documents that the tables have. */
  readonly changes?: number
  readonly events?: FoldEvents
}

/** A fold is ahead of the log by this much, so that it has ended before the log is full. */
const foldLead = 1.25

const noEvents: FoldEvents = { frozen: () => {}, folded: () => {}, failed: () => {} }

/** The content of a record: groups as they are packed. */
const contentOf = (packed: ReadonlyArray<Uint8Array>): Uint8Array => {
  const writer = new ByteWriter(packed.reduce((sum, { length }) => sum + length + 8, 0))
  for (const group of packed) writer.bytes(group)
  return writer.view()
}

export class Committer {
  readonly #database: Database
  readonly #guard: FileGuard | undefined
  readonly #log: CommitLog | undefined
  readonly #events: FoldEvents
  readonly #target: FoldTarget
  /** Committed to the log at hand, and to the other one, which is being folded. */
  #recorded = new RecordedRows()
  #folding: RecordedRows | undefined
  #fold: Fold | undefined
  #foldFailure: StorageFailure | undefined
  /** Changes of documents that the tables have, and those with the log. */
  #changes: number
  #slices = 0

  constructor({ changes = 0, database, events, foldRowsMax = 1, guard, log }: CommitterOptions) {
    this.#database = database
    this.#guard = guard
    this.#log = log
    this.#events = events ?? noEvents
    this.#target = {
      database,
      tables: new TableWriter(database),
      counts: new StoreCounts(database),
      rowsMax: foldRowsMax
    }
    this.#changes = changes
  }

  /** Bytes of records that are not folded, and slices of folds so far. */
  get stats(): LogStats {
    return { logBytes: this.#log?.bytes ?? 0, foldSlices: this.#slices }
  }

  /** Whether the tables have all that is committed. */
  get isFolded(): boolean {
    return this.#recorded.size === 0 && this.#folding === undefined
  }

  /** Commits all packed groups, synced, or none: then the failure says why. */
  commit(groups: ReadonlyArray<Uint8Array>): StorageFailure | undefined {
    const lost = lossOf(this.#guard)
    if (lost !== undefined) return lost
    try {
      const content = this.#log === undefined || this.#foldFailure !== undefined
        ? undefined
        : contentOf(groups)
      if (content === undefined || !this.#makeRoom(content.length)) this.#writeThrough(groups)
      else this.#append(content)
    } catch (error) {
      return failureOf(error)
    }
    // This commit is on no disk where the files went meanwhile.
    return lossOf(this.#guard)
  }

  #append(content: Uint8Array): void {
    const before = this.#recorded.changes
    // Before it is in the log: a start could not read it.
    const rows = rowsOf(content)
    this.#log?.append(content)
    this.#recorded.add(rows)
    this.#changes += this.#recorded.changes - before
  }

  /** Whether the log takes so much now. The fold of the other file ends first where it must. */
  #makeRoom(contentBytes: number): boolean {
    const log = this.#log
    if (log === undefined || !log.fits(contentBytes)) return false
    if (log.hasRoom(contentBytes)) return true
    while (this.#fold !== undefined) if (!this.#slice()) return false
    log.freeze()
    this.#folding = this.#recorded
    this.#recorded = new RecordedRows()
    this.#events.frozen()
    const end = { folded: log.last, changes: this.#changes }
    this.#fold = new Fold(this.#target, this.#folding, end)
    return true
  }

  /** Folds on, between two commits: as far as the log is used up meanwhile, and some more. */
  fold(): void {
    if (this.#foldFailure !== undefined) return
    do {
      if (this.#fold === undefined || !this.#slice()) return
    } while (this.#fold !== undefined && this.#isBehind(this.#fold))
  }

  #isBehind({ share }: Fold): boolean {
    return share < foldLead * (this.#log?.usedShare ?? 0)
  }

  /** Whether the next slice of the fold is written. */
  #slice(): boolean {
    try {
      const isLast = this.#fold?.slice() === true
      this.#slices++
      if (!isLast) return true
      this.#fold = undefined
      this.#log?.folded()
      this.#folding = undefined
      this.#events.folded()
      return true
    } catch (error) {
      this.#foldFailure = failureOf(error)
      this.#events.failed(this.#foldFailure)
      return false
    }
  }

  /** Writes the tables with all that is not folded, and then these groups. */
  #writeThrough(groups: ReadonlyArray<Uint8Array>): void {
    const { counts, tables } = this.#target
    const start = this.#log?.nextStart()
    const batches = groups.flatMap(unpack)
    const added = batches.reduce((sum, { documents }) => sum + documents.length, 0)
    inTransaction(this.#database, () => {
      if (!this.isFolded) {
        for (const batch of batches) tables.makeRoom(batch)
        for (const item of this.#folding?.inKeyOrder() ?? []) tables.fold(item)
        for (const item of this.#recorded.inKeyOrder()) tables.fold(item)
      }
      for (const batch of batches) tables.write(batch)
      const changes = this.#changes + added
      if (added > 0 || !this.isFolded) counts.write("changes", changes)
      if (start !== undefined) counts.write("folded", start)
    })
    this.#changes += added
    if (start !== undefined) this.#log?.restart(start)
    this.#fold = undefined
    this.#foldFailure = undefined
    this.#recorded = new RecordedRows()
    this.#folding = undefined
  }

  /** Writes all that is not folded into the tables; why not, where it cannot. */
  settle(): StorageFailure | undefined {
    if (this.isFolded) return undefined
    try {
      this.#writeThrough([])
      return undefined
    } catch (error) {
      return failureOf(error)
    }
  }
}
