/**
 * Keeps the data through a thread of its own: the caller's thread never waits for the disk.
 *
 * The main thread gathers changes and reads through a connection that cannot write; the storage
 * thread commits. A reader sees a commit as soon as it is acknowledged, and the queue until then.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DatabaseSync } from "node:sqlite"
import { Worker } from "node:worker_threads"
import { lan } from "../core/model/Limits.ts"
import { makeBufferedStorage } from "./BufferedStorage.ts"
import { badPage, CommitQueue } from "./CommitQueue.ts"
import { Reader } from "./Reader.ts"
import { Storage, type StorageService, StorageUnavailable } from "./Storage.ts"
import type { StorageOptions } from "./StorageOptions.ts"
import { type DirectoryLock, lockDirectory, unavailable } from "./StoreDirectory.ts"
import type { OpenedStore } from "./StoreRow.ts"
import { sharedPragmas } from "./Tables.ts"
import { missingThread, threadFile } from "./ThreadFile.ts"
import {
  type FromThread,
  GroupBuffers,
  pack,
  type ThreadOptions,
  type ToThread
} from "./WorkerProtocol.ts"

export interface WorkerStorage {
  readonly service: StorageService
  /** Waits until waiting writes are committed, then frees the directory. */
  readonly close: Effect.Effect<void>
  readonly thread: Worker
}

interface Started {
  readonly thread: Worker
  readonly store: OpenedStore
}

const openFailed = (
  path: string,
  { reason, remedy }: Extract<FromThread, { readonly _tag: "OpenFailed" }>
): StorageUnavailable =>
  new StorageUnavailable(remedy === undefined ? { path, reason } : { path, reason, remedy })

const startThread = (options: ThreadOptions): Effect.Effect<Started, StorageUnavailable> =>
  Effect.callback((resume) => {
    const file = threadFile()
    if (file === undefined) {
      const { databasePath: path } = options
      return resume(Effect.fail(new StorageUnavailable({ path, ...missingThread })))
    }
    // None of the options of this process: `--eval`, `--inspect-brk` and others do not fit a file.
    const execArgv = ["--disable-warning=ExperimentalWarning"]
    const thread = new Worker(file, { workerData: options, name: "storage", execArgv })
    const refuse = (error: unknown) => {
      resume(Effect.fail(unavailable(options.databasePath, error)))
    }
    const path = options.databasePath
    thread.once("error", refuse)
    thread.once("message", (message: FromThread) => {
      thread.off("error", refuse)
      if (message._tag === "Ready") resume(Effect.succeed({ thread, store: message.store }))
      else refuse(message._tag === "OpenFailed" ? openFailed(path, message) : "its thread broke")
    })
    return Effect.promise(() => thread.terminate())
  })

const openReader = (path: string): DatabaseSync => {
  const database = new DatabaseSync(path, { readOnly: true })
  database.exec(sharedPragmas)
  return database
}

const serve = (
  options: StorageOptions,
  opened: Started & {
    readonly lock: DirectoryLock
    readonly database: DatabaseSync
  }
): WorkerStorage => {
  const { thread, lock, database, store } = opened
  const tell = (message: ToThread, transfer: ReadonlyArray<ArrayBuffer>): void =>
    thread.postMessage(message, transfer)
  const limits = { ...lan.node, ...options.limits }
  const buffers = new GroupBuffers(limits)
  const queue = new CommitQueue({
    runtime: options.runtime,
    limits,
    epoch: store.epoch,
    commit: ({ attempt, bytes, id, writes }) => {
      const packed = pack(writes, bytes, buffers.take(bytes))
      tell({ _tag: "Commit", id, attempt, packed }, [packed.buffer])
    }
  })
  thread.on("message", (message: FromThread) => {
    if (message._tag === "Committed") {
      buffers.giveBack(message.buffers)
      queue.committed(message.id)
    } else if (message._tag === "Failed") queue.failed(message.failure)
  })
  let running = true
  let idle = false
  let closed: (() => void) | undefined
  let cause = ""
  thread.on("error", (error) => void (cause = `: ${String(error)}`))
  thread.on("exit", () => {
    running = false
    if (idle) closed?.()
    else queue.stop(`the storage thread stopped${cause}`)
  })
  const close = Effect.callback<void>((resume) => {
    closed = () => {
      lock.release()
      resume(Effect.void)
    }
    queue.close(() => {
      idle = true
      // The writer closes last: then SQLite empties the log into the file and removes it.
      database.close()
      if (running) tell({ _tag: "Close" }, [])
      else closed?.()
    })
  })
  const onBadPage = (detail: string) => queue.breakDown(badPage(detail))
  const service = makeBufferedStorage({ reader: new Reader(database, onBadPage), queue }, store)
  return { service, close, thread }
}

/** A start is asynchronous: the thread opens the file first, and says whether it may. */
export const openWorker = Effect.fnUntraced(function*(options: StorageOptions) {
  const { directory, identity, runtime } = options
  const refuse = (error: unknown) => unavailable(directory, error)
  const lock = yield* Effect.try({ try: () => lockDirectory(directory), catch: refuse })
  const { databasePath } = lock
  const { fileCheckMillis, storageBytesMax: fileBytesMax } = { ...lan.node, ...options.limits }
  const open = Effect.gen(function*() {
    const newStoreId = runtime.id()
    const started = yield* startThread({
      databasePath,
      identity,
      fileBytesMax,
      newStoreId,
      fileCheckMillis
    })
    return yield* Effect.try({
      try: () => serve(options, { ...started, lock, database: openReader(databasePath) }),
      catch: refuse
    }).pipe(Effect.onError(() => Effect.promise(() => started.thread.terminate())))
  })
  return yield* open.pipe(Effect.onError(() => Effect.sync(lock.release)))
})

/** The storage on a thread of its own, closed with the scope. */
export const layerWorker = (options: StorageOptions): Layer.Layer<Storage, StorageUnavailable> =>
  Layer.effect(
    Storage,
    Effect.acquireRelease(openWorker(options), (storage) => storage.close).pipe(
      Effect.map((storage) => storage.service)
    )
  )
