/**
 * Runs as the storage thread, which owns the only connection that writes. Groups that queued up
 * while the last commit was synced share the next one.
 */
import { DatabaseSync } from "node:sqlite"
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads"
import { invariant } from "../core/Invariant.ts"
import { Committer, lossOf } from "./Committer.ts"
import { endLostMark, FileGuard, isMarkedLost } from "./FileGuard.ts"
import { remedyOf } from "./Remedy.ts"
import { messageOf } from "./SqliteError.ts"
import { prepareWriter } from "./Tables.ts"
import { type FromThread, type ThreadOptions, type ToThread, unpack } from "./WorkerProtocol.ts"

invariant(parentPort !== null, "this file runs as a thread")
const port = parentPort
const options: ThreadOptions = workerData
const tell = (message: FromThread, transfer: ReadonlyArray<ArrayBuffer> = []): void =>
  port.postMessage(message, transfer)

const serve = (database: DatabaseSync, guard: FileGuard): void => {
  const committer = new Committer(database, guard)
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
        database.close()
        return port.close()
      }
      // After a failure the main thread has given up the rest of that attempt.
      if (next.attempt > failedAttempt) groups.push(next)
      next = receiveMessageOnPort(port)?.message
    }
    const last = groups.at(-1)
    if (last === undefined) return
    const failure = committer.commit(groups.flatMap(({ packed }) => unpack(packed)))
    if (failure !== undefined) {
      failedAttempt = last.attempt
      return tell({ _tag: "Failed", failure })
    }
    const buffers = groups.map(({ packed }) => packed.buffer)
    tell({ _tag: "Committed", id: last.id, buffers }, buffers)
  })
}

try {
  const database = new DatabaseSync(options.databasePath)
  const { databasePath } = options
  const store = prepareWriter(database, { ...options, isLost: isMarkedLost(databasePath) })
  endLostMark(databasePath)
  serve(database, new FileGuard(databasePath))
  tell({ _tag: "Ready", store })
} catch (error) {
  tell({ _tag: "OpenFailed", reason: messageOf(error), remedy: remedyOf(error) })
}
