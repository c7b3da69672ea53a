/**
 * Claims a directory for one process. The lock is SQLite's on a file of its own: the system drops
 * it when the process dies, however it dies, so that none is ever stale.
 *
 * The lock is a POSIX record lock, which is lost when its process closes any descriptor of the
 * file. Hence nothing here, or in this process, opens a file of the store that exists already.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { isSqliteError, messageOf, sqliteBusy } from "./SqliteError.ts"
import { StorageUnavailable } from "./Storage.ts"

export interface DirectoryLock {
  readonly databasePath: string
  readonly release: () => void
}

const syncDirectory = (path: string): void => {
  const descriptor = openSync(path, "r")
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

// Synced up to the first directory that existed, or a power cut could take it with all it holds.
const makeDirectory = (directory: string): void => {
  const first = mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = directory; made.length >= first.length; made = dirname(made)) {
    syncDirectory(dirname(made))
  }
}

// SQLite would make it readable for all; files that it makes beside it later have the same mode.
const makePrivateFile = (path: string): void => {
  if (existsSync(path)) return
  closeSync(openSync(path, "wx", 0o600))
  syncDirectory(dirname(path))
}

const lock = (path: string): DatabaseSync => {
  makePrivateFile(path)
  const database = new DatabaseSync(path)
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE")
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

export const unavailable = (path: string, error: unknown): StorageUnavailable => {
  if (error instanceof StorageUnavailable) return error
  return new StorageUnavailable({ path, reason: messageOf(error) })
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
