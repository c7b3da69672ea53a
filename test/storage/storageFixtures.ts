/**
 * Lends tests a directory to store in: it outlives the storages opened on it, as a disk outlives
 * processes, and can be reached by a raw connection, to damage what is stored or to make commits
 * fail.
 */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { MemoryDisk, openDirect } from "../../src/storage/DirectStorage.ts"
import type { StorageService } from "../../src/storage/Storage.ts"
import type { LogLimits, StorageIdentity, StorageLimits } from "../../src/storage/StorageOptions.ts"
import { openWorker } from "../../src/storage/WorkerStorage.ts"
import { liveRuntime } from "../tooling/runtimes.ts"

export const identity: StorageIdentity = { node: "n1", cluster: "test", partitionCount: 256 }

export interface OpenStorage {
  readonly service: StorageService
  /** Closes it the first time. */
  readonly close: () => Promise<void>
}

export interface OpenOptions {
  readonly identity?: StorageIdentity
  readonly limits?: Partial<StorageLimits & LogLimits>
}

export interface StorageFixture {
  readonly open: (options?: OpenOptions) => Promise<OpenStorage>
  readonly raw: <A>(use: (database: DatabaseSync) => A) => A
  /** Undefined in memory. */
  readonly directory: string | undefined
  readonly remove: () => void
}

/**
 * The input of a suite of the contract: the fixture of the test at hand, and the storage open on
 * it.
 */
export interface Fixture {
  readonly fixture: StorageFixture
  storage: OpenStorage
}

export type Suite = (at: () => Fixture) => void

/** Makes commits that touch documents' rows `when` fail, until the returned function is called. */
export const failCommits = (fixture: StorageFixture, when = "true"): () => void => {
  const refuse = (event: string, row: string) =>
    `CREATE TRIGGER refuse_${event} BEFORE ${event} ON documents WHEN ${
      when.replaceAll("row.", `${row}.`)
    }
     BEGIN SELECT RAISE(ABORT, 'injected'); END;`
  fixture.raw((database) => database.exec(refuse("INSERT", "new") + refuse("DELETE", "old")))
  return () =>
    fixture.raw((database) =>
      database.exec("DROP TRIGGER refuse_INSERT; DROP TRIGGER refuse_DELETE")
    )
}

const opened = (service: StorageService, close: () => Promise<void>): OpenStorage => {
  let closing: Promise<void> | undefined
  return { service, close: () => closing ??= close() }
}

const openDirectly = async (
  directory: string | MemoryDisk,
  options: OpenOptions
): Promise<OpenStorage> => {
  const storage = openDirect({ identity, runtime: liveRuntime, ...options, directory })
  return opened(storage.service, async () => storage.close())
}

const openThread = async (directory: string, options: OpenOptions): Promise<OpenStorage> => {
  const opening = openWorker({ identity, runtime: liveRuntime, ...options, directory })
  const storage = await Effect.runPromise(opening)
  return opened(storage.service, () => Effect.runPromise(storage.close))
}

const withLimits = (
  { limits, ...options }: OpenOptions,
  ours: Partial<LogLimits>
): OpenOptions => ({ ...options, limits: { ...ours, ...limits } })

const fileFixture = (
  open: typeof openThread,
  ours: Partial<LogLimits> = {}
): StorageFixture => {
  const parent = mkdtempSync(join(tmpdir(), "everwrite-storage-"))
  const directory = join(parent, "deep", "data")
  return {
    directory,
    open: (options = {}) => open(directory, withLimits(options, ours)),
    raw: (use) => {
      const database = new DatabaseSync(join(directory, "store.sqlite"))
      database.exec("PRAGMA busy_timeout = 5000")
      try {
        return use(database)
      } finally {
        database.close()
      }
    },
    remove: () => rmSync(parent, { recursive: true, force: true })
  }
}

/** `ours` are the limits of the log unless a test says otherwise. */
export const workerFixture = (ours?: Partial<LogLimits>): StorageFixture =>
  fileFixture(openThread, ours)

export const directFixture = (ours?: Partial<LogLimits>): StorageFixture =>
  fileFixture(openDirectly, ours)

export const memoryFixture = (ours: Partial<LogLimits> = {}): StorageFixture => {
  const disk = new MemoryDisk()
  return {
    directory: undefined,
    open: (options = {}) => openDirectly(disk, withLimits(options, ours)),
    raw: (use) => use(disk.database),
    remove: () => disk.database.close()
  }
}
