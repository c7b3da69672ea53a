/**
 * Recognises the errors of `node:sqlite`. https://sqlite.org/rescode.html lists the codes.
 */

export interface SqliteError extends Error {
  readonly errcode: number
}

export const sqliteBusy = 5
export const sqliteFull = 13
export const sqliteNotADatabase = 26

/** Of "database disk image is malformed", and of "file is not a database". */
const badPages = [11, 26]

export const isSqliteError = (error: unknown): error is SqliteError =>
  error instanceof Error && "errcode" in error && typeof error.errcode === "number"

/** Whether a page of the file is bad, so that it cannot be read however often it is tried. */
export const isBadPage = (error: unknown): boolean =>
  isSqliteError(error) && badPages.includes(error.errcode % 256)

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
