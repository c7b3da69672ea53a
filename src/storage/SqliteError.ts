/**
 * Recognises the errors of `node:sqlite`. https://sqlite.org/rescode.html lists the codes.
 */

export interface SqliteError extends Error {
  readonly errcode: number
}

export const sqliteBusy = 5
export const sqliteFull = 13
export const sqliteNotADatabase = 26

export const isSqliteError = (error: unknown): error is SqliteError =>
  error instanceof Error && "errcode" in error && typeof error.errcode === "number"

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
