/**
 * Writes the rows of a log into the tables, in slices, and with the last one how far the tables
 * have the log: all in one transaction, so that no start takes records for folded that are not.
 *
 * The slices before the last one are not synced. A power cut may take them: the log has them still.
 */
import { type Database, inTransaction } from "./Database.ts"
import type { FoldItem, RecordedRows } from "./RecordedRows.ts"
import type { StoreCounts } from "./StoreCounts.ts"
import type { TableWriter } from "./TableWriter.ts"

export interface FoldTarget {
  readonly database: Database
  readonly tables: TableWriter
  readonly counts: StoreCounts
  readonly rowsMax: number
}

/** How far the tables will be. */
export interface FoldEnd {
  /** The number of the last record. */
  readonly folded: number
  /** Changes of documents that the tables will have. */
  readonly changes: number
}

const rowsOf = (item: FoldItem): number =>
  item._tag === "Document" ? 1 + item.document.elements.size : 1

export class Fold {
  readonly #target: FoldTarget
  readonly #end: FoldEnd
  readonly #items: Iterator<FoldItem>
  readonly #count: number
  /** Taken, and not in the tables yet: a slice that failed is tried again. */
  #slice: ReadonlyArray<FoldItem> = []
  #next: IteratorResult<FoldItem>
  #written = 0

  constructor(target: FoldTarget, rows: RecordedRows, end: FoldEnd) {
    this.#target = target
    this.#end = end
    this.#items = rows.inKeyOrder()
    this.#count = rows.size
    this.#next = this.#items.next()
  }

  /** The part that is written, from 0 to 1. */
  get share(): number {
    return this.#count === 0 ? 1 : this.#written / this.#count
  }

  /** Writes the next slice; whether it was the last one. Throws SQLite's errors. */
  slice(): boolean {
    if (this.#slice.length === 0) this.#slice = this.#take()
    const { counts, database, tables } = this.#target
    const isLast = this.#next.done === true
    database.exec(`PRAGMA synchronous = ${isLast ? "FULL" : "NORMAL"}`)
    try {
      inTransaction(database, () => {
        for (const item of this.#slice) tables.fold(item)
        if (!isLast) return
        counts.write("changes", this.#end.changes)
        counts.write("folded", this.#end.folded)
      })
    } finally {
      if (!isLast) database.exec("PRAGMA synchronous = FULL")
    }
    for (const { versions } of this.#slice) this.#written += versions
    this.#slice = []
    return isLast
  }

  #take(): ReadonlyArray<FoldItem> {
    const slice: Array<FoldItem> = []
    let rows = 0
    while (this.#next.done !== true && rows < this.#target.rowsMax) {
      slice.push(this.#next.value)
      rows += rowsOf(this.#next.value)
      this.#next = this.#items.next()
    }
    return slice
  }
}
