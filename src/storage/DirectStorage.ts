/**
 * Keeps the data on the caller's own thread: for the simulator, whose runs must repeat, and for
 * small deployments. A commit happens at the end of the turn and blocks it for one sync.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DatabaseSync } from "node:sqlite"
import { lan } from "../core/model/Limits.ts"
import { makeBufferedStorage } from "./BufferedStorage.ts"
import { badPage, CommitQueue } from "./CommitQueue.ts"
import { endLostMark, FileGuard, isMarkedLost } from "./FileGuard.ts"
import { type LogFiles, MemoryLogFile, openLogFiles } from "./LogFile.ts"
import { openStore } from "./OpenStore.ts"
import { Reader } from "./Reader.ts"
import { Storage, type StorageService, StorageUnavailable } from "./Storage.ts"
import type { StorageOptions } from "./StorageOptions.ts"
import { lockDirectory, unavailable } from "./StoreDirectory.ts"
import { UnfoldedWrites } from "./UnfoldedWrites.ts"
import { pack } from "./WorkerProtocol.ts"

/**
 * A disk in memory, which outlives the storage as a real one outlives the process: what was
 * committed is there at the next opening, and nothing else.
 */
export class MemoryDisk {
  readonly database = new DatabaseSync(":memory:")
  readonly logs: LogFiles = [new MemoryLogFile(), new MemoryLogFile()]
  inUse = false
}

export interface DirectOptions extends Omit<StorageOptions, "directory"> {
  readonly directory: string | MemoryDisk
}

export interface DirectStorage {
  readonly service: StorageService
  /** Commits waiting writes, then frees the directory. */
  readonly close: () => void
  /** Frees the directory at once and calls no callback, as the death of the process would. */
  readonly abandon: () => void
}

interface LockedStore {
  readonly database: DatabaseSync
  readonly logs: LogFiles
  readonly release: () => void
}

const nameOf = (directory: string | MemoryDisk): string =>
  typeof directory === "string" ? directory : ":memory:"

const lockMemory = (disk: MemoryDisk): LockedStore => {
  if (disk.inUse) {
    throw new StorageUnavailable({ path: nameOf(disk), reason: "another storage uses it" })
  }
  disk.inUse = true
  return { database: disk.database, logs: disk.logs, release: () => void (disk.inUse = false) }
}

const openLogsOf = (databasePath: string, database: DatabaseSync): LogFiles => {
  try {
    return openLogFiles(databasePath)
  } catch (error) {
    database.close()
    throw error
  }
}

const lockFile = (directory: string): LockedStore => {
  const lock = lockDirectory(directory)
  try {
    const database = new DatabaseSync(lock.databasePath)
    const logs = openLogsOf(lock.databasePath, database)
    const release = () => {
      database.close()
      for (const file of logs) file.close()
      lock.release()
    }
    return { database, logs, release }
  } catch (error) {
    lock.release()
    throw unavailable(directory, error)
  }
}

/** Throws `StorageUnavailable`. */
export const openDirect = (options: DirectOptions): DirectStorage => {
  const { directory, identity, runtime } = options
  const limits = { ...lan.node, ...options.limits }
  const { database, logs, release } = typeof directory === "string"
    ? lockFile(directory)
    : lockMemory(directory)
  try {
    const { storageBytesMax: fileBytesMax } = limits
    const path = database.location()
    const isLost = path !== null && isMarkedLost(path)
    const newStoreId = runtime.id()
    const unfolded = new UnfoldedWrites()
    const { committer, store } = openStore(database, logs, {
      identity,
      fileBytesMax,
      newStoreId,
      isLost,
      limits,
      ...path === null ? {} : { guard: () => new FileGuard(path) },
      events: {
        frozen: () => unfolded.freeze(),
        folded: () => unfolded.folded(),
        failed: (failure) => queue.troubled(failure)
      }
    })
    if (path !== null) endLostMark(path)
    const queue = new CommitQueue({
      unfolded,
      runtime,
      limits,
      epoch: store.epoch,
      commit: (group) => {
        const failure = committer.commit([pack(group.writes, group.bytes)])
        if (failure !== undefined) return queue.failed(failure)
        queue.committed(group.id, committer.isFolded)
        committer.fold()
      }
    })
    const onBadPage = (detail: string) => queue.breakDown(badPage(detail))
    const reader = new Reader(database, onBadPage)
    const sources = { reader, queue, unfolded, logStats: () => committer.stats }
    return {
      service: makeBufferedStorage(sources, store),
      close: () =>
        queue.close(() => {
          // What cannot be folded stays in the log, for the next start.
          committer.settle()
          release()
        }),
      abandon: () => {
        queue.abandon()
        release()
      }
    }
  } catch (error) {
    release()
    throw unavailable(nameOf(directory), error)
  }
}

/** The storage on this thread, closed with the scope. */
export const layerDirect = (options: DirectOptions): Layer.Layer<Storage, StorageUnavailable> =>
  Layer.effect(
    Storage,
    Effect.acquireRelease(
      Effect.try({
        try: () => openDirect(options),
        catch: (error) => unavailable(nameOf(options.directory), error)
      }),
      (storage) => Effect.sync(storage.close)
    ).pipe(Effect.map((storage) => storage.service))
  )
