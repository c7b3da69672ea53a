/**
 * Carries out folds: on the thread that commits, in slices between commits, or on one of its own
 * (`FoldThread`).
 */
import { failureOf } from "./DiskFailure.ts"
import { Fold, type FoldEnd, type FoldTarget } from "./Fold.ts"
import { RecordedRows } from "./RecordedRows.ts"
import type { StorageFailure } from "./Storage.ts"

export interface FoldWork {
  /** Of one file of the log, one after the other. */
  readonly records: Uint8Array<ArrayBuffer>
  readonly end: FoldEnd
}

export interface FoldOutcome {
  /** Why not all is in the tables, where it is not. */
  readonly failure?: StorageFailure | undefined
  /** Of the records, where they went to another thread. */
  readonly memory?: ArrayBuffer
}

export interface Folder {
  /** Slices written so far. */
  readonly slices: number
  /** Begins a fold; `ended` is told once. **Requires** that none is under way. */
  readonly begin: (work: FoldWork, ended: (outcome: FoldOutcome) => void) => void
  /** Folds on, on this thread, as far as so much of the log is used up, and some more. */
  readonly goOn: (usedShare: number) => void
  /** Has the fold end now, on this thread. */
  readonly finish: () => void
  /** The rows of the fold under way are in the tables by other means. */
  readonly drop: () => void
  /** Whether it folds on another thread: then a fold ends when that thread says so. */
  readonly isElsewhere: boolean
}

/** A fold is ahead of the log by this much, so that it has ended before the log is full. */
const foldLead = 1.25

/** Folds on the thread of its caller. */
export class SlicedFolder implements Folder {
  readonly isElsewhere = false
  readonly #target: FoldTarget
  #fold: Fold | undefined
  #ended: (outcome: FoldOutcome) => void = () => {}
  slices = 0

  constructor(target: FoldTarget) {
    this.#target = target
  }

  begin({ end, records }: FoldWork, ended: (outcome: FoldOutcome) => void): void {
    this.#fold = new Fold(this.#target, RecordedRows.of(records), end)
    this.#ended = ended
  }

  goOn(usedShare: number): void {
    do this.#slice()
    while (this.#fold !== undefined && this.#fold.share < foldLead * usedShare)
  }

  finish(): void {
    while (this.#fold !== undefined) this.#slice()
  }

  drop(): void {
    this.#fold = undefined
  }

  #slice(): void {
    if (this.#fold === undefined) return
    let outcome: FoldOutcome = {}
    try {
      const isLast = this.#fold.slice()
      this.slices++
      if (!isLast) return
    } catch (error) {
      outcome = { failure: failureOf(error) }
    }
    this.#fold = undefined
    this.#ended(outcome)
  }
}
