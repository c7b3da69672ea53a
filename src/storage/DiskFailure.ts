/**
 * Makes a failure, which callers are told, of an error of the disk.
 */
import { failureOfLog, LogError } from "./LogFile.ts"
import { isBadPage, isSqliteError, sqliteFull } from "./SqliteError.ts"
import type { StorageFailure } from "./Storage.ts"

/** Any other error is a fault of ours and is thrown on. */
export const failureOf = (error: unknown): StorageFailure => {
  if (error instanceof LogError) return failureOfLog(error)
  if (!isSqliteError(error)) throw error
  return {
    kind: error.errcode === sqliteFull ? "full" : "failing",
    detail: `${error.message} (SQLite error ${error.errcode})`,
    ...isBadPage(error) ? { isLasting: true } : {}
  }
}
