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
import { invariant } from "../core/Invariant.ts"
import type { CommitLog } from "./CommitLog.ts"
import { type Database, inTransaction } from "./Database.ts"
import { failureOf } from "./DiskFailure.ts"
import type { FileGuard } from "./FileGuard.ts"
import type { FoldTarget } from "./Fold.ts"
import { type Folder, type FoldOutcome, SlicedFolder } from "./Folder.ts"
import { contentBytesOf } from "./LogFormat.ts"
import { RecordedRows } from "./RecordedRows.ts"
import type { LogStats, StorageFailure } from "./Storage.ts"
import { StoreCounts } from "./StoreCounts.ts"
import { TableWriter } from "./TableWriter.ts"
import { countChanges, unpack } from "./WorkerProtocol.ts"

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
  /** Left out: this thread folds. */
  readonly folder?: Folder
}

const noEvents: FoldEvents = { frozen: () => {}, folded: () => {}, failed: () => {} }

export class Committer {
  readonly #database: Database
  readonly #guard: FileGuard | undefined
  readonly #log: CommitLog | undefined
  readonly #events: FoldEvents
  readonly #target: FoldTarget
  readonly #folder: Folder
  #isFolding = false
  /** Why the tables were not written when they were to be. */
  #foldFailure: StorageFailure | undefined
  /** Changes of documents that are committed. */
  #changes: number

  constructor(options: CommitterOptions) {
    const { changes = 0, database, events = noEvents, foldRowsMax = 1, guard, log } = options
    this.#database = database
    this.#guard = guard
    this.#log = log
    this.#events = events
    this.#target = {
      database,
      tables: new TableWriter(database),
      counts: new StoreCounts(database),
      rowsMax: foldRowsMax
    }
    this.#folder = options.folder ?? new SlicedFolder(this.#target)
    this.#changes = changes
  }

  /** Bytes of records that are not folded, and slices of folds so far. */
  get stats(): LogStats {
    return { logBytes: this.#log?.bytes ?? 0, foldSlices: this.#folder.slices }
  }

  /** Whether the tables have all that is committed. */
  get isFolded(): boolean {
    return (this.#log?.bytes ?? 0) === 0
  }

  /** Whether another thread folds: until it has ended nothing can be settled. */
  get isFoldingElsewhere(): boolean {
    return this.#isFolding && this.#folder.isElsewhere
  }

  /** Whether these groups can be committed only when another thread has ended its fold. */
  mustWait(groups: ReadonlyArray<Uint8Array>): boolean {
    if (!this.isFoldingElsewhere || this.#log === undefined) return false
    const bytes = contentBytesOf(groups)
    return !this.#log.fits(bytes) || !this.#log.hasRoom(bytes)
  }

  /** Commits all packed groups, synced, or none: then the failure says why. */
  commit(groups: ReadonlyArray<Uint8Array>): StorageFailure | undefined {
    const lost = lossOf(this.#guard)
    if (lost !== undefined) return lost
    try {
      const log = this.#log
      const bytes = contentBytesOf(groups)
      if (log === undefined || !this.#makeRoom(log, bytes)) this.#writeThrough(groups)
      else this.#append(log, { groups, bytes })
    } catch (error) {
      return failureOf(error)
    }
    // This commit is on no disk where the files went meanwhile.
    return lossOf(this.#guard)
  }

  #append(log: CommitLog, { bytes, groups }: {
    readonly groups: ReadonlyArray<Uint8Array>
    readonly bytes: number
  }): void {
    // Before it is in the log: a start could not read it.
    const added = groups.reduce((sum, group) => sum + countChanges(group), 0)
    log.append(groups, bytes)
    this.#changes += added
  }

  /** Whether the log takes so much now. The fold of the other file ends first where it must. */
  #makeRoom(log: CommitLog, contentBytes: number): boolean {
    if (this.#foldFailure !== undefined || !log.fits(contentBytes)) return false
    if (log.hasRoom(contentBytes)) return true
    this.#folder.finish()
    if (this.#foldFailure !== undefined) return false
    const end = { folded: log.last, changes: this.#changes }
    log.freeze()
    this.#events.frozen()
    this.#isFolding = true
    this.#folder.begin({ records: log.frozenRecords, end }, this.#endFold)
    return true
  }

  /** Folds on, between two commits. */
  fold(): void {
    if (this.#isFolding) this.#folder.goOn(this.#log?.usedShare ?? 0)
  }

  readonly #endFold = ({ failure, memory }: FoldOutcome): void => {
    this.#isFolding = false
    if (failure === undefined) {
      this.#log?.folded(memory)
      this.#events.folded()
      return
    }
    if (memory !== undefined) this.#log?.notFolded(memory)
    this.#foldFailure = failure
    this.#events.failed(failure)
  }

  /**
   * Writes the tables with all that is not folded, and then these groups. Where that fails, a power
   * cut may show it all the same, and with it a place in the log that no later record follows: so
   * the log takes nothing until the tables have been written.
   */
  #writeThrough(groups: ReadonlyArray<Uint8Array>): void {
    try {
      this.#writeTables(groups)
    } catch (error) {
      this.#foldFailure = failureOf(error)
      throw error
    }
  }

  #writeTables(groups: ReadonlyArray<Uint8Array>): void {
    invariant(!this.isFoldingElsewhere, "the tables have one writer at a time")
    const { counts, tables } = this.#target
    const log = this.#log
    const start = log?.nextStart()
    const batches = groups.flatMap(unpack)
    const added = batches.reduce((sum, { documents }) => sum + documents.length, 0)
    inTransaction(this.#database, () => {
      if (log !== undefined && !this.isFolded) {
        for (const batch of batches) tables.makeRoom(batch)
        for (const item of RecordedRows.of(log.frozenRecords).inKeyOrder()) tables.fold(item)
        for (const item of RecordedRows.of(log.records).inKeyOrder()) tables.fold(item)
      }
      for (const batch of batches) tables.write(batch)
      const changes = this.#changes + added
      if (added > 0 || !this.isFolded) counts.write("changes", changes)
      if (start !== undefined) counts.write("folded", start)
    })
    this.#changes += added
    if (start !== undefined) log?.restart(start)
    this.#folder.drop()
    this.#isFolding = false
    this.#foldFailure = undefined
  }

  /**
   * Writes all that is not folded into the tables; why not, where it cannot. **Requires** that no
   * other thread folds.
   */
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
