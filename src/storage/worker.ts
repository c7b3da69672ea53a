/**
 * Runs as the storage thread, which owns the only connection that writes. Groups that queued up
 * while the last commit was synced share the next one.
 */
import { DatabaseSync } from "node:sqlite"
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads"
import { invariant } from "../core/Invariant.ts"
import { type Committer, type FoldEvents, lossOf } from "./Committer.ts"
import { endLostMark, FileGuard, isMarkedLost } from "./FileGuard.ts"
import { openLogFiles } from "./LogFile.ts"
import { openStore } from "./OpenStore.ts"
import { remedyOf } from "./Remedy.ts"
import { messageOf } from "./SqliteError.ts"
import { type FromThread, type ThreadOptions, type ToThread } from "./WorkerProtocol.ts"

invariant(parentPort !== null, "this file runs as a thread")
const port = parentPort
const options: ThreadOptions = workerData
const tell = (message: FromThread, transfer: ReadonlyArray<ArrayBuffer> = []): void =>
  port.postMessage(message, transfer)

const events: FoldEvents = {
  frozen: () => tell({ _tag: "Frozen" }),
  folded: () => tell({ _tag: "Folded" }),
  failed: (failure) => tell({ _tag: "FoldFailed", failure })
}

const serve = (
  { committer, end, guard }: {
    readonly committer: Committer
    readonly guard: FileGuard
    readonly end: () => void
  }
): void => {
  let failedAttempt = -1
  const check = setInterval(() => {
    const failure = lossOf(guard)
    if (failure === undefined) return
    clearInterval(check)
    failedAttempt = Infinity
    tell({ _tag: "Failed", failure })
  }, options.fileCheckMillis)
  port.on("message", (first: ToThread) => {
    const groups: Array<Extract<ToThread, { readonly _tag: "Commit" }>> = []
    let next: ToThread | undefined = first
    while (next !== undefined) {
      if (next._tag === "Close") {
        clearInterval(check)
        // What cannot be folded stays in the log, for the next start.
        committer.settle()
        end()
        return port.close()
      }
      // After a failure the main thread has given up the rest of that attempt.
      if (next.attempt > failedAttempt) groups.push(next)
      next = receiveMessageOnPort(port)?.message
    }
    const last = groups.at(-1)
    if (last === undefined) return
    const packed = groups.map((group) => group.packed)
    const failure = committer.commit(packed)
    if (failure !== undefined) {
      failedAttempt = last.attempt
      return tell({ _tag: "Failed", failure })
    }
    const buffers = packed.map(({ buffer }) => buffer)
    const { isFolded, stats: log } = committer
    tell({ _tag: "Committed", id: last.id, buffers, isFolded, log }, buffers)
    committer.fold()
  })
}

try {
  const database = new DatabaseSync(options.databasePath)
  const { databasePath } = options
  const logs = openLogFiles(databasePath)
  let guard: FileGuard | undefined
  const { committer, store } = openStore(database, logs, {
    ...options,
    isLost: isMarkedLost(databasePath),
    guard: () => guard = new FileGuard(databasePath),
    events
  })
  invariant(guard !== undefined, "a store in files is guarded")
  endLostMark(databasePath)
  const end = () => {
    database.close()
    for (const file of logs) file.close()
  }
  serve({ committer, guard, end })
  tell({ _tag: "Ready", store })
} catch (error) {
  tell({ _tag: "OpenFailed", reason: messageOf(error), remedy: remedyOf(error) })
}
