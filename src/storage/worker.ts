/**
 * Runs as the storage thread, which commits, and as the thread that folds behind it. Groups that
 * queued up while the last commit was synced share the next one.
 */
import { flushCompileCache } from "node:module"
import { DatabaseSync } from "node:sqlite"
import { parentPort, receiveMessageOnPort, Worker, workerData } from "node:worker_threads"
import { invariant } from "../core/Invariant.ts"
import { type Committer, type FoldEvents, lossOf } from "./Committer.ts"
import { endLostMark, FileGuard, isMarkedLost } from "./FileGuard.ts"
import { FoldThread, type FoldThreadOptions, serveFolds } from "./FoldThread.ts"
import { openLogFiles } from "./LogFile.ts"
import { openStore } from "./OpenStore.ts"
import { remedyOf } from "./Remedy.ts"
import { messageOf } from "./SqliteError.ts"
import { type FromThread, type ThreadData, type ToThread } from "./WorkerProtocol.ts"

type Commit = Extract<ToThread, { readonly _tag: "Commit" }>

invariant(parentPort !== null, "this file runs as a thread")
const port = parentPort
const data: ThreadData | { readonly folds: FoldThreadOptions } = workerData
const tell = (message: FromThread, transfer: ReadonlyArray<ArrayBuffer> = []): void =>
  port.postMessage(message, transfer)

const events: FoldEvents = {
  frozen: () => tell({ _tag: "Frozen" }),
  folded: () => tell({ _tag: "Folded" }),
  failed: (failure) => tell({ _tag: "FoldFailed", failure })
}

class Server {
  readonly #committer: Committer
  readonly #folder: FoldThread
  readonly #end: () => void
  readonly #check: NodeJS.Timeout
  /** Not committed yet: the log has no room for them until a fold has ended. */
  #waiting: Array<Commit> = []
  #failedAttempt = -1
  #isClosing = false

  constructor({ committer, end, fileCheckMillis, folder, guard }: {
    readonly committer: Committer
    readonly folder: FoldThread
    readonly guard: FileGuard
    readonly fileCheckMillis: number
    readonly end: () => void
  }) {
    this.#committer = committer
    this.#folder = folder
    this.#end = end
    this.#check = setInterval(() => {
      const failure = lossOf(guard)
      if (failure === undefined) return
      clearInterval(this.#check)
      this.#failedAttempt = Infinity
      tell({ _tag: "Failed", failure })
    }, fileCheckMillis)
    port.on("message", this.#take)
  }

  readonly #take = (first: ToThread): void => {
    let next: ToThread | undefined = first
    while (next !== undefined) {
      if (next._tag === "Commit") this.#waiting.push(next)
      else {
        this.#isClosing = true
        break
      }
      next = receiveMessageOnPort(port)?.message
    }
    this.goOn()
  }

  /** Commits all that waits, or closes, as soon as no fold is in the way. */
  goOn(): void {
    if (this.#isClosing) this.#close()
    else this.#commit()
  }

  #commit(): void {
    // After a failure the main thread has given up the rest of that attempt.
    const groups = this.#waiting.filter(({ attempt }) => attempt > this.#failedAttempt)
    const packed = groups.map((group) => group.packed)
    if (packed.length > 0 && this.#committer.mustWait(packed)) return
    this.#waiting = []
    const last = groups.at(-1)
    if (last === undefined) return
    const failure = this.#committer.commit(packed)
    if (failure !== undefined) {
      this.#failedAttempt = last.attempt
      return tell({ _tag: "Failed", failure })
    }
    const buffers = packed.map(({ buffer }) => buffer)
    const { isFolded, stats: log } = this.#committer
    tell({ _tag: "Committed", id: last.id, buffers, isFolded, log }, buffers)
  }

  #close(): void {
    clearInterval(this.#check)
    if (this.#committer.isFoldingElsewhere) return
    this.#folder.close(() => {
      // What cannot be folded stays in the log, for the next start.
      this.#committer.settle()
      this.#end()
      port.close()
    })
  }
}

const open = (options: ThreadData): void => {
  const database = new DatabaseSync(options.databasePath)
  const { databasePath, fileBytesMax, limits: { foldRowsMax } } = options
  const logs = openLogFiles(databasePath)
  let guard: FileGuard | undefined
  let server: Server | undefined
  const folder = new FoldThread({
    start: () => {
      const folds: FoldThreadOptions = { databasePath, fileBytesMax, foldRowsMax }
      return new Worker(new URL(options.threadFile), { workerData: { folds }, name: "fold" })
    },
    onEnd: () => server?.goOn()
  })
  const { committer, store } = openStore(database, logs, {
    ...options,
    isLost: isMarkedLost(databasePath),
    guard: () => guard = new FileGuard(databasePath),
    events,
    folder
  })
  invariant(guard !== undefined, "a store in files is guarded")
  endLostMark(databasePath)
  const end = () => {
    database.close()
    for (const file of logs) file.close()
  }
  const { fileCheckMillis } = options
  server = new Server({ committer, folder, guard, fileCheckMillis, end })
  tell({ _tag: "Ready", store })
  // A process that is killed keeps for its next start what was compiled until here.
  flushCompileCache()
}

if ("folds" in data) serveFolds(port, data.folds)
else {
  try {
    open(data)
  } catch (error) {
    tell({ _tag: "OpenFailed", reason: messageOf(error), remedy: remedyOf(error) })
  }
}
