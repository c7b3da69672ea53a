/**
 * Holds rows that wait, and leave in the order in which they came. To find one it looks through
 * all: for rows that are written with every change, and looked for only at a start.
 */
import { invariant } from "../core/Invariant.ts"
import type { EncodedRow } from "./AcceptedBatch.ts"

export class RowLine {
  #rows: Array<EncodedRow> = []
  /** Places before this one are of rows that have left. */
  #first = 0

  push(row: EncodedRow): void {
    this.#rows.push(row)
  }

  /** **Requires** that the row came before all others here. */
  leave(row: EncodedRow): void {
    invariant(this.#rows[this.#first] === row, "rows leave in the order in which they came")
    this.#first++
    // So each row is moved once at most, on average.
    if (this.#first * 2 < this.#rows.length) return
    this.#rows = this.#rows.slice(this.#first)
    this.#first = 0
  }

  clear(): void {
    this.#rows = []
    this.#first = 0
  }

  /** The last row of each key. */
  get all(): ReadonlyMap<string, EncodedRow> {
    return new Map(this.#rows.slice(this.#first).map((row) => [row.key, row]))
  }

  /** The last row with this key. */
  find(key: string): EncodedRow | undefined {
    for (let at = this.#rows.length - 1; at >= this.#first; at--) {
      const row = this.#rows[at]!
      if (row.key === key) return row
    }
    return undefined
  }
}
