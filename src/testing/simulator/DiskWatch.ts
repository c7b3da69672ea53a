/**
 * Watches the requests of one incarnation of a node to its disk: the documents, as soon as they are
 * made, and whether it must take writes again. Otherwise a node that gave up a disk for good would
 * be excused.
 */
import { invariant } from "../../core/Invariant.ts"
import type { Batch, OnCommit, RowKey, StorageService } from "../../storage/Storage.ts"

/** A node tries a disk that failed once a second. */
const retryMillis = 1_000

export interface DiskWatchOptions {
  readonly now: () => number
  /** Told of each batch that is to be stored. */
  readonly asked: (batch: Batch) => void
  /** Told of each document that the disk says to have, even where damage makes it unreadable. */
  readonly stored: (key: RowKey, header: Uint8Array) => void
  /** Told of each batch that is refused because too much waits: the node rightly takes no write. */
  readonly overloaded: () => void
}

export class DiskWatch {
  readonly #options: DiskWatchOptions
  #failing = false
  #triedAt = 0
  /** The last sequence number of each partition. */
  readonly #numbers = new Map<number, number>()

  constructor(options: DiskWatchOptions) {
    this.#options = options
  }

  /** Whether a disk that works is to be written to: the last try succeeded, or was long ago. */
  get isDue(): boolean {
    return !this.#failing || this.#options.now() - this.#triedAt > retryMillis
  }

  /** The same storage, whose commits are noted. */
  over(storage: StorageService): StorageService {
    return {
      ...storage,
      write: (batch, done) => this.#write(storage, batch, done),
      barrier: (done) => storage.barrier(this.#noted(done, false))
    }
  }

  #write(storage: StorageService, batch: Batch, done: OnCommit): ReadonlyArray<number> {
    const isDocument = batch.documents.length > 0
    if (isDocument) this.#triedAt = this.#options.now()
    const noted = this.#noted(done, isDocument)
    const sequences = storage.write(batch, (failure) => {
      if (failure === undefined) {
        for (const { header, key } of batch.documents) {
          if (header !== undefined) this.#options.stored(key, header)
        }
      }
      noted(failure)
    })
    for (const [i, { key: { partition } }] of batch.documents.entries()) {
      const number = sequences[i]
      if (number === undefined) break
      invariant(number > (this.#numbers.get(partition) ?? 0), "a sequence number is given once")
      this.#numbers.set(partition, number)
    }
    // A batch that is refused changes nothing, and nobody hears of its dots.
    if (sequences.length > 0) this.#options.asked(batch)
    return sequences
  }

  #noted(done: OnCommit, isDocument: boolean): OnCommit {
    return (failure) => {
      if (failure !== undefined) {
        if (failure.kind === "overloaded") this.#options.overloaded()
        this.#failing = true
        this.#triedAt = this.#options.now()
      } else if (isDocument) this.#failing = false
      done(failure)
    }
  }
}
