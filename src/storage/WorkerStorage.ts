/**
 * Keeps the data through a thread of its own: the caller's thread never waits for the disk.
 *
 * The main thread gathers changes and reads through a connection that cannot write; the storage
 * thread commits. A reader sees a commit as soon as it is acknowledged, and the queue until then.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DatabaseSync } from "node:sqlite"
import type { Worker } from "node:worker_threads"
import { lan } from "../core/model/Limits.ts"
import { lanWatch } from "../core/model/WatchLimits.ts"
import { makeBufferedStorage } from "./BufferedStorage.ts"
import { badPage, CommitQueue } from "./CommitQueue.ts"
import { lossOf } from "./Committer.ts"
import { FileGuard } from "./FileGuard.ts"
import { Reader } from "./Reader.ts"
import { Storage, type StorageService, StorageUnavailable } from "./Storage.ts"
import type { WorkerOptions } from "./StorageOptions.ts"
import { type DirectoryLock, lockDirectory, unavailable } from "./StoreDirectory.ts"
import { type Started, startThread, StorageThread } from "./StorageThread.ts"
import { sharedPragmas } from "./Tables.ts"
import { UnfoldedWrites } from "./UnfoldedWrites.ts"
import { type FromThread, GroupBuffers, pack, type ThreadOptions } from "./WorkerProtocol.ts"

export interface WorkerStorage {
  readonly service: StorageService
  /** Waits until waiting writes are committed, then frees the directory. */
  readonly close: Effect.Effect<void>
  /** Ends the thread as a crash of the process would; no other one is started. */
  readonly crash: Effect.Effect<void>
  readonly onThread: (events: ThreadEvents) => void
  /** The one that commits now. */
  readonly thread: Worker
}

/** Of the thread of a storage, for the node that stands on it. */
export interface ThreadEvents {
  /** Another thread took the place of one that died; the writes that waited have failed. */
  readonly onRestart: (reason: string) => void
  /** No other one is started any more: nothing is written until another start of the process. */
  readonly onEnd: (reason: string) => void
}

const ended = (thread: Worker): Effect.Effect<void> => Effect.promise(() => thread.terminate())

const firstThread = (options: ThreadOptions): Effect.Effect<Started, StorageUnavailable> =>
  Effect.callback((resume) => {
    const thread = startThread(options, (started) =>
      resume(
        started instanceof StorageUnavailable ? Effect.fail(started) : Effect.succeed(started)
      ))
    return thread === undefined ? Effect.void : ended(thread)
  })

const openReader = (path: string): DatabaseSync => {
  const database = new DatabaseSync(path, { readOnly: true })
  database.exec(sharedPragmas)
  return database
}

/** A message of the thread at work. */
const hear = (message: FromThread, { buffers, queue, unfolded }: {
  readonly buffers: GroupBuffers
  readonly queue: CommitQueue
  readonly unfolded: UnfoldedWrites
}): void => {
  if (message._tag === "Committed") {
    buffers.giveBack(message.buffers)
    queue.committed(message.id, message.isFolded)
  } else if (message._tag === "Failed") queue.failed(message.failure)
  else if (message._tag === "Frozen") unfolded.freeze()
  else if (message._tag === "Folded") unfolded.folded()
  else if (message._tag === "FoldFailed") queue.troubled(message.failure)
}

const serve = (
  options: WorkerOptions,
  opened: {
    readonly started: Started
    readonly thread: ThreadOptions
    readonly lock: DirectoryLock
    readonly database: DatabaseSync
  }
): WorkerStorage => {
  const { database, lock, started, started: { store }, thread: threadOptions } = opened
  const limits = { ...lan.node, ...options.limits }
  const buffers = new GroupBuffers(limits)
  const guard = new FileGuard(threadOptions.databasePath)
  const unfolded = new UnfoldedWrites()
  let logStats = { logBytes: 0, foldSlices: 0 }
  const queue = new CommitQueue({
    unfolded,
    runtime: options.runtime,
    limits,
    epoch: store.epoch,
    commit: ({ attempt, bytes, id, writes }) => {
      const packed = pack(writes, bytes, buffers.take(bytes))
      thread.post({ _tag: "Commit", id, attempt, packed }, [packed.buffer])
    }
  })
  const listening: Array<ThreadEvents> = []
  const thread = new StorageThread({
    started,
    thread: threadOptions,
    runtime: options.runtime,
    limits: lanWatch,
    onMessage: (message) => {
      if (message._tag === "Committed") logStats = message.log
      hear(message, { buffers, queue, unfolded })
    },
    onDeath: (reason, isLast) => {
      // The reader has open the files that were there before.
      const lost = lossOf(guard)
      if (lost !== undefined) queue.breakDown(lost)
      const goesOn = queue.fault === undefined
      queue.stop(reason, goesOn && !isLast)
      return goesOn
    },
    onRestart: ({ changes, storeId }, reason) => {
      const had = store.changes + queue.changes
      if (storeId !== store.storeId || changes < had) return false
      // The new thread has folded all that the log held.
      unfolded.clear()
      queue.resume(changes - store.changes)
      for (const { onRestart } of listening) onRestart(reason)
      return true
    },
    onEnd: (reason) => {
      queue.stop(reason)
      for (const { onEnd } of listening) onEnd(reason)
    }
  })
  const onBadPage = (detail: string) => queue.breakDown(badPage(detail))
  const reader = new Reader(database, onBadPage)
  const sources = { reader, queue, unfolded, logStats: () => logStats }
  return {
    service: makeBufferedStorage(sources, store),
    close: closing({ queue, thread, database, lock }),
    crash: Effect.suspend(() => Effect.forEach(thread.prepareCrash(), ended, { discard: true })),
    onThread: (events) => void listening.push(events),
    get thread() {
      return thread.current
    }
  }
}

/** Ends all once the writes that wait are committed. */
const closing = ({ database, lock, queue, thread }: {
  readonly queue: CommitQueue
  readonly thread: StorageThread
  readonly database: DatabaseSync
  readonly lock: DirectoryLock
}): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    thread.prepareClose()
    queue.close(() => {
      // The writer closes last: then SQLite empties the log into the file and removes it.
      database.close()
      thread.close(() => {
        lock.release()
        resume(Effect.void)
      })
    })
  })

/** A start is asynchronous: the thread opens the file first, and says whether it may. */
export const openWorker = Effect.fnUntraced(function*(options: WorkerOptions) {
  const { directory, identity, runtime } = options
  const refuse = (error: unknown) => unavailable(directory, error)
  const lock = yield* Effect.try({ try: () => lockDirectory(directory), catch: refuse })
  const { databasePath } = lock
  const limits = { ...lan.node, ...options.limits }
  const { fileCheckMillis, storageBytesMax: fileBytesMax } = limits
  const { foldRowsMax, logBytesMax, logGrowthBytes, threadYoungBytesMax } = limits
  const open = Effect.gen(function*() {
    const newStoreId = runtime.id()
    const thread = {
      databasePath,
      identity,
      fileBytesMax,
      newStoreId,
      fileCheckMillis,
      limits: { foldRowsMax, logBytesMax, logGrowthBytes, threadYoungBytesMax }
    }
    const started = yield* firstThread(thread)
    return yield* Effect.try({
      try: () => serve(options, { started, thread, lock, database: openReader(databasePath) }),
      catch: refuse
    }).pipe(Effect.onError(() => Effect.promise(() => started.thread.terminate())))
  })
  return yield* open.pipe(Effect.onError(() => Effect.sync(lock.release)))
})

/** The storage on a thread of its own, closed with the scope. */
export const layerWorker = (options: WorkerOptions): Layer.Layer<Storage, StorageUnavailable> =>
  Layer.effect(
    Storage,
    Effect.acquireRelease(openWorker(options), (storage) => storage.close).pipe(
      Effect.map((storage) => storage.service)
    )
  )
