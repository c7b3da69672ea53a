/**
 * Starts the thread that commits, and starts it again where it dies: not without end, since one
 * that keeps dying has a cause that another start does not mend.
 */
import { Worker } from "node:worker_threads"
import type { WatchLimits } from "../core/model/WatchLimits.ts"
import type { Runtime } from "../core/Runtime.ts"
import { StorageUnavailable } from "./Storage.ts"
import { unavailable } from "./StoreDirectory.ts"
import type { OpenedStore } from "./StoreRow.ts"
import { keepTypeStripping, missingThread, threadFile } from "./ThreadFile.ts"
import type { FromThread, ThreadData, ThreadOptions, ToThread } from "./WorkerProtocol.ts"

export interface Started {
  readonly thread: Worker
  readonly store: OpenedStore
}

const openFailed = (
  path: string,
  { reason, remedy }: Extract<FromThread, { readonly _tag: "OpenFailed" }>
): StorageUnavailable =>
  new StorageUnavailable(remedy === undefined ? { path, reason } : { path, reason, remedy })

/** Starts a thread; `done` is told once whether it opened the store. */
export const startThread = (
  options: ThreadOptions,
  done: (started: Started | StorageUnavailable) => void
): Worker | undefined => {
  const { databasePath: path } = options
  const file = threadFile()
  if (file === undefined) {
    done(new StorageUnavailable({ path, ...missingThread }))
    return undefined
  }
  // None of the options of this process: `--eval`, `--inspect-brk` and others do not fit a file.
  const execArgv = ["--disable-warning=ExperimentalWarning"]
  const workerData: ThreadData = { ...options, threadFile: file.href }
  // Its old generation may grow as that of the process.
  const resourceLimits = {
    maxYoungGenerationSizeMb: Math.ceil(options.limits.threadYoungBytesMax / 2 ** 20)
  }
  keepTypeStripping(file)
  const thread = new Worker(file, { workerData, name: "storage", execArgv, resourceLimits })
  const end = (outcome: Started | StorageUnavailable) => {
    thread.off("error", refuse).off("exit", exited).off("message", opened)
    done(outcome)
  }
  const refuse = (error: unknown) => end(unavailable(path, error))
  const exited = () => refuse("its thread ended")
  const opened = (message: FromThread) => {
    if (message._tag === "Ready") end({ thread, store: message.store })
    else refuse(message._tag === "OpenFailed" ? openFailed(path, message) : "its thread broke")
  }
  thread.on("error", refuse).on("exit", exited).on("message", opened)
  return thread
}

export interface StorageThreadOptions {
  readonly started: Started
  readonly thread: ThreadOptions
  readonly runtime: Pick<Runtime, "elapsed">
  readonly limits: Pick<WatchLimits, "threadDeathsMax" | "threadDeathsMillis">
  readonly onMessage: (message: FromThread) => void
  /**
   * Nothing more will be committed by it. Says whether the store can be opened by another one,
   * which comes unless it was the last.
   */
  readonly onDeath: (reason: string, isLast: boolean) => boolean
  /** Whether another one, which opened this store, can go on where the former one was. */
  readonly onRestart: (store: OpenedStore, reason: string) => boolean
  /** No other one is started any more. */
  readonly onEnd: (reason: string) => void
}

/** The thread that commits, whichever it is. */
export class StorageThread {
  readonly #options: StorageThreadOptions
  #thread: Worker
  #isRunning = true
  /** One that opens the store. */
  #starting: Worker | undefined
  #isClosing = false
  #closed: (() => void) | undefined
  /** When threads died, as far as that counts. */
  #deaths: ReadonlyArray<number> = []

  constructor(options: StorageThreadOptions) {
    this.#options = options
    this.#thread = options.started.thread
    this.#watch()
  }

  /** The one that runs, or ran last. */
  get current(): Worker {
    return this.#thread
  }

  post(message: ToThread, transfer: ReadonlyArray<ArrayBuffer>): void {
    this.#thread.postMessage(message, transfer)
  }

  /** No other one is started from now on. */
  prepareClose(): void {
    this.#isClosing = true
  }

  /** Ends it once it has closed the store. */
  close(closed: () => void): void {
    this.#isClosing = true
    this.#closed = closed
    if (this.#isRunning) this.post({ _tag: "Close" }, [])
    else if (this.#starting === undefined) closed()
    else void this.#starting.terminate().then(closed)
  }

  /** The threads that a crash of the process would end. */
  prepareCrash(): ReadonlyArray<Worker> {
    this.#isClosing = true
    return this.#starting === undefined ? [this.#thread] : [this.#thread, this.#starting]
  }

  #watch(): void {
    let cause = ""
    this.#isRunning = true
    this.#thread.on("message", this.#options.onMessage)
    this.#thread.on("error", (error) => void (cause = `: ${String(error)}`))
    this.#thread.on("exit", () => {
      this.#isRunning = false
      if (this.#closed !== undefined) this.#closed()
      else this.#died(`the storage thread stopped${cause}`)
    })
  }

  #died(reason: string): void {
    const { limits, onDeath, onEnd, runtime } = this.#options
    const now = runtime.elapsed()
    this.#deaths = [...this.#deaths.filter((at) => now - at < limits.threadDeathsMillis), now]
    const { length } = this.#deaths
    const isTooOften = length >= limits.threadDeathsMax
    const times = isTooOften
      ? `, ${length} times within ${limits.threadDeathsMillis / 1_000} s`
      : ""
    if (!onDeath(reason + times, this.#isClosing || isTooOften) || this.#isClosing) return
    if (isTooOften) onEnd(reason + times)
    else this.#start(reason)
  }

  #start(reason: string): void {
    this.#starting = startThread(this.#options.thread, (started) => {
      this.#starting = undefined
      if (this.#isClosing) return
      if (started instanceof StorageUnavailable) {
        return this.#options.onEnd(`${reason}, and another one cannot start: ${started.message}`)
      }
      this.#thread = started.thread
      this.#watch()
      if (this.#options.onRestart(started.store, reason)) return
      this.prepareClose()
      this.#options.onEnd("the store is another one than it was")
      void this.#thread.terminate()
    })
  }
}
