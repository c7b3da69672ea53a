/**
 * Claims a directory for one process. The lock is SQLite's on a file of its own: the system drops
 * it when the process dies, however it dies, so that none is ever stale.
 *
 * The lock is a POSIX record lock, which is lost when its process closes any descriptor of the
 * file. Hence nothing here, or in this process, opens a file of the store that exists already.
 */
import { closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { remedyOf } from "./Remedy.ts"
import { isSqliteError, messageOf, sqliteBusy, sqliteNotADatabase } from "./SqliteError.ts"
import { StorageUnavailable } from "./Storage.ts"
import { syncDirectory } from "./SyncDirectory.ts"

export interface DirectoryLock {
  readonly databasePath: string
  readonly release: () => void
}

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/**
 * Each is synced into the one above it, or a power cut could take it with all it holds. One after
 * the other, since Node's recursive way never returns where a file system takes no directories.
 */
const makeDirectory = (directory: string): void => {
  if (isDirectory(directory)) return
  const above = dirname(directory)
  if (above !== directory) makeDirectory(above)
  try {
    mkdirSync(directory, { mode: 0o700 })
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!isDirectory(directory)) throw error
  }
  syncDirectory(above)
}

// SQLite would make it readable for all; files that it makes beside it later have the same mode.
const makePrivateFile = (path: string): void => {
  if (existsSync(path)) return
  closeSync(openSync(path, "wx", 0o600))
  syncDirectory(dirname(path))
}

const notALock = (path: string) =>
  new StorageUnavailable({
    path,
    reason: "this lock file holds something else",
    remedy: "remove it if no other process uses this directory; it never holds data"
  })

const openLock = (path: string): DatabaseSync => {
  try {
    return new DatabaseSync(path)
  } catch (error) {
    throw unavailable(path, error)
  }
}

const lock = (path: string): DatabaseSync => {
  makePrivateFile(path)
  const database = openLock(path)
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE")
    return database
  } catch (error) {
    database.close()
    if (!isSqliteError(error) || error.errcode === sqliteBusy) throw error
    throw error.errcode === sqliteNotADatabase ? notALock(path) : unavailable(path, error)
  }
}

export const unavailable = (path: string, error: unknown): StorageUnavailable => {
  if (error instanceof StorageUnavailable) return error
  const remedy = remedyOf(error)
  const reason = messageOf(error)
  return new StorageUnavailable(remedy === undefined ? { path, reason } : { path, reason, remedy })
}

/** Throws `StorageUnavailable` where another process, or this one, uses the directory already. */
export const lockDirectory = (path: string): DirectoryLock => {
  const directory = resolve(path)
  try {
    makeDirectory(directory)
    const held = lock(join(directory, "lock"))
    const databasePath = join(directory, "store.sqlite")
    makePrivateFile(databasePath)
    return { databasePath, release: () => held.close() }
  } catch (error) {
    if (isSqliteError(error) && error.errcode === sqliteBusy) {
      const reason = "another process, or another storage of this process, uses it"
      throw new StorageUnavailable({ path: directory, reason })
    }
    throw unavailable(directory, error)
  }
}
