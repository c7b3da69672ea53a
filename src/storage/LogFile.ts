/**
 * Reads, writes and syncs one file of the log. What a file is here a test can put on a disk that it
 * holds in its hands.
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  openSync,
  readSync,
  writeSync
} from "node:fs"
import { dirname } from "node:path"
import { messageOf } from "./SqliteError.ts"
import type { StorageFailure } from "./Storage.ts"
import { syncDirectory } from "./SyncDirectory.ts"

export interface LogFile {
  readonly size: () => number
  /** All that it holds. */
  readonly read: () => Uint8Array
  /** Writes all of the bytes; past the end the file grows. */
  readonly write: (offset: number, bytes: Uint8Array) => void
  /** All that was written is on disk from here on. */
  readonly sync: () => void
  readonly close: () => void
}

/** The two files that take turns. */
export type LogFiles = readonly [LogFile, LogFile]

/** The disk did not take what was to be written, or give what was to be read. */
export class LogError extends Error {
  override readonly name = "LogError"
  readonly kind: "full" | "failing"

  constructor(kind: "full" | "failing", detail: string) {
    super(detail)
    this.kind = kind
  }
}

/** No space, or no quota. */
const fullCodes = ["ENOSPC", "EDQUOT"]

const attempt = <A>(path: string, act: () => A): A => {
  try {
    return act()
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : ""
    const kind = fullCodes.includes(code) ? "full" : "failing"
    throw new LogError(kind, `${path}: ${messageOf(error)}`)
  }
}

export const failureOfLog = ({ kind, message: detail }: LogError): StorageFailure => ({
  kind,
  detail
})

/** Where the logs of a store lie. */
export const logPaths = (databasePath: string): readonly [string, string] => [
  `${databasePath}-log-0`,
  `${databasePath}-log-1`
]

/** Makes the file where there is none; it is readable by its owner only. */
const openLogFile = (path: string): LogFile => {
  const isNew = !existsSync(path)
  const file = attempt(path, () => openSync(path, isNew ? "wx+" : "r+", 0o600))
  if (isNew) attempt(path, () => syncDirectory(dirname(path)))
  const size = () => attempt(path, () => fstatSync(file).size)
  return {
    size,
    read: () => {
      const bytes = new Uint8Array(size())
      let at = 0
      while (at < bytes.length) {
        const count = attempt(path, () => readSync(file, bytes, at, bytes.length - at, at))
        if (count === 0) break
        at += count
      }
      return bytes.subarray(0, at)
    },
    write: (offset, bytes) => {
      let at = 0
      while (at < bytes.length) {
        const left = bytes.length - at
        at += attempt(path, () => writeSync(file, bytes, at, left, offset + at))
      }
    },
    sync: () => attempt(path, () => fdatasyncSync(file)),
    close: () => closeSync(file)
  }
}

export const openLogFiles = (databasePath: string): LogFiles => {
  const [first, second] = logPaths(databasePath)
  const one = openLogFile(first)
  try {
    return [one, openLogFile(second)]
  } catch (error) {
    one.close()
    throw error
  }
}

/** A file in memory, which outlives its storage as a real one outlives the process. */
export class MemoryLogFile implements LogFile {
  #bytes = new Uint8Array(0)

  readonly size = (): number => this.#bytes.length
  readonly read = (): Uint8Array => this.#bytes.slice()
  readonly write = (offset: number, bytes: Uint8Array): void => {
    const end = offset + bytes.length
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(end)
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    this.#bytes.set(bytes, offset)
  }
  readonly sync = (): void => {}
  readonly close = (): void => {}
}
