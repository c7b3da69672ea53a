/**
 * Tells operators how to mend a directory that a store cannot use. Errors that may pass by
 * themselves, such as a full disk, have no remedy here.
 */
import { isSqliteError } from "./SqliteError.ts"

/** The setting's name as its users know it. */
const elsewhere = "give another directory with --data (EVERWRITE_DATA_DIR)"
/** The files beside it are its logs: a store without them would lack commits, or get another's. */
const moveAway =
  "move this file away, with those beside it whose names begin with its own, to begin "
  + "with an empty store, which other nodes do not count as complete, or "
const notOurs = `${moveAway}${elsewhere}`

/** It cannot be mended in place: a page that is bad may hide others. */
const badPage =
  "a page of it is bad, and the disk may be. The other replicas have its documents, and "
  + `an empty store gets each of them when it is read: ${notOurs}. Keep the files where no other `
  + "node has its documents"

/** By the codes of the file system. */
const byCode: Readonly<Record<string, string>> = {
  EACCES: `let this user write there, or ${elsewhere}`,
  EEXIST: `remove the file that stands there, or ${elsewhere}`,
  EINVAL: elsewhere,
  EISDIR: elsewhere,
  ELOOP: elsewhere,
  ENAMETOOLONG: elsewhere,
  ENOENT: `no directory can be made there: ${elsewhere}`,
  ENOTDIR: `a file stands where a directory is needed: ${elsewhere}`,
  EPERM: `let this user write there, or ${elsewhere}`,
  EROFS: `make the file system writable, or ${elsewhere}`
}

/** By the primary result codes of SQLite: the lower eight bits of any. */
const byResult: Readonly<Record<number, string>> = {
  // SQLITE_READONLY
  8: `let this user write it, or ${elsewhere}`,
  // SQLITE_CORRUPT
  11: badPage,
  // SQLITE_CANTOPEN
  14: `let this user read and write it as a file, or ${elsewhere}`,
  // SQLITE_NOTADB
  26: notOurs
}

/** Undefined where the same start may succeed later with nothing changed. */
export const remedyOf = (error: unknown): string | undefined => {
  if (isSqliteError(error)) return byResult[error.errcode & 0xff]
  if (!(error instanceof Error)) return undefined
  if ("code" in error) return byCode[String(error.code)]
  // Our own checks: another node's, another cluster's, or another program's file.
  return notOurs
}
