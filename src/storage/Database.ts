/**
 * Names the part of `node:sqlite` by which the tables are laid out, read and written, so that a
 * test can put them on another build of SQLite, whose disk it holds in its hands.
 */
import type { SQLInputValue, SQLOutputValue } from "node:sqlite"

type Row = Record<string, SQLOutputValue>

export interface Statement {
  readonly run: (...values: Array<SQLInputValue>) => unknown
  readonly get: (...values: Array<SQLInputValue>) => Row | undefined
  readonly all: (...values: Array<SQLInputValue>) => ReadonlyArray<Row>
  readonly setReturnArrays: (enabled: boolean) => void
}

export interface Database {
  readonly isTransaction: boolean
  /** The path of the file; null in memory. */
  readonly location: () => string | null
  readonly exec: (sql: string) => void
  readonly prepare: (sql: string) => Statement
}

/** Commits all that `act` did, or nothing of it where it throws. */
export const inTransaction = <A>(database: Database, act: () => A): A => {
  database.exec("BEGIN IMMEDIATE")
  try {
    const result = act()
    database.exec("COMMIT")
    return result
  } catch (error) {
    // Some errors, a full disk among them, have ended the transaction already.
    if (database.isTransaction) database.exec("ROLLBACK")
    throw error
  }
}
