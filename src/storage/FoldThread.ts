/**
 * Folds on a thread of its own, so that no commit waits for the tables: neither for the time that
 * it takes to write them, nor for the syncs of SQLite's log and file.
 *
 * The records go there in one piece of memory, and come back with the outcome. The thread starts
 * with the first fold: a store that is hardly written has none.
 */
import { DatabaseSync } from "node:sqlite"
import { type MessagePort, Worker } from "node:worker_threads"
import { failureOf } from "./DiskFailure.ts"
import { Fold, type FoldTarget } from "./Fold.ts"
import type { Folder, FoldOutcome, FoldWork } from "./Folder.ts"
import { RecordedRows } from "./RecordedRows.ts"
import type { StorageFailure } from "./Storage.ts"
import { StoreCounts } from "./StoreCounts.ts"
import { prepareSecondWriter } from "./Tables.ts"
import { TableWriter } from "./TableWriter.ts"

/** Of the thread that folds. */
export interface FoldThreadOptions {
  readonly databasePath: string
  readonly fileBytesMax: number
  readonly foldRowsMax: number
}

type ToFolder =
  | { readonly _tag: "Fold"; readonly work: FoldWork }
  | { readonly _tag: "Close" }

interface FromFolder {
  /** The records that were folded. */
  readonly records: Uint8Array<ArrayBuffer>
  readonly failure: StorageFailure | undefined
  readonly slices: number
}

const fold = (target: FoldTarget, { end, records }: FoldWork): FromFolder => {
  let slices = 0
  let failure: StorageFailure | undefined
  try {
    const fold = new Fold(target, RecordedRows.of(records), end)
    do slices++
    while (!fold.slice())
  } catch (error) {
    failure = failureOf(error)
  }
  return { records, failure, slices }
}

/** Runs as the thread that folds. */
export const serveFolds = (port: MessagePort, options: FoldThreadOptions): void => {
  const { databasePath, fileBytesMax, foldRowsMax } = options
  const database = new DatabaseSync(databasePath)
  prepareSecondWriter(database, fileBytesMax)
  const target = {
    database,
    tables: new TableWriter(database),
    counts: new StoreCounts(database),
    rowsMax: foldRowsMax
  }
  port.on("message", (message: ToFolder) => {
    if (message._tag === "Close") {
      database.close()
      return port.close()
    }
    const outcome = fold(target, message.work)
    port.postMessage(outcome, [outcome.records.buffer])
  })
}

/** Has another thread fold. Where that one dies, this one dies of it: another start folds. */
export class FoldThread implements Folder {
  readonly isElsewhere = true
  slices = 0
  readonly #start: () => Worker
  readonly #onEnd: () => void
  #thread: Worker | undefined
  #ended: (outcome: FoldOutcome) => void = () => {}
  #isClosing = false

  /**
   * `start` starts a thread that calls `serveFolds`; `onEnd` is told when a fold has ended: more
   * can be committed, or settled.
   */
  constructor({ onEnd, start }: { readonly start: () => Worker; readonly onEnd: () => void }) {
    this.#start = start
    this.#onEnd = onEnd
  }

  begin(work: FoldWork, ended: (outcome: FoldOutcome) => void): void {
    this.#thread ??= this.#watched(this.#start())
    this.#ended = ended
    const message: ToFolder = { _tag: "Fold", work }
    this.#thread.postMessage(message, [work.records.buffer])
  }

  goOn(): void {}

  finish(): void {}

  drop(): void {}

  /** **Requires** that no fold is under way. */
  close(closed: () => void): void {
    this.#isClosing = true
    if (this.#thread === undefined) return closed()
    const message: ToFolder = { _tag: "Close" }
    this.#thread.on("exit", closed)
    this.#thread.postMessage(message, [])
  }

  #watched(thread: Worker): Worker {
    return thread
      .on("message", ({ failure, records, slices }: FromFolder) => {
        this.slices += slices
        this.#ended({ failure, memory: records.buffer })
        this.#onEnd()
      })
      .on("error", (error) => {
        throw error
      })
      .on("exit", () => {
        if (!this.#isClosing) throw new Error("the thread that folds stopped")
      })
  }
}
