/**
 * Cuts long work into turns of the event loop: messages of many requests, frames of many messages,
 * listings. Between two turns the process reads its sockets, and answers others.
 *
 * Work is a function that takes one step and says whether more is left. All works take their steps
 * in turn, so a short one that comes after a long one does not wait for its end.
 */
import type { Runtime } from "./Runtime.ts"

/** Takes one step, of less than a millisecond, and says whether more is left. */
export type Work = () => boolean

export interface WorkLimits {
  readonly turnMillis: number
  readonly turnStepsMax: number
  readonly workBytesMax: number
}

interface Waiting {
  readonly work: Work
  readonly bytes: number
}

export class WorkQueue {
  readonly #runtime: Pick<Runtime, "elapsed" | "endOfTurn" | "mark">
  readonly #limits: WorkLimits
  #waiting: Array<Waiting> = []
  #bytes = 0
  #pauses = 0
  #refused = 0
  #isRunning = false
  #isScheduled = false
  #isClosed = false

  constructor(options: {
    readonly runtime: Pick<Runtime, "elapsed" | "endOfTurn" | "mark">
    readonly limits: WorkLimits
  }) {
    this.#runtime = options.runtime
    this.#limits = options.limits
  }

  /** Turns that ended with work left, works that were refused, and what waits now. */
  get stats() {
    return {
      pauses: this.#pauses,
      refused: this.#refused,
      waiting: this.#waiting.length,
      bytes: this.#bytes
    }
  }

  /**
   * Begins the work at once where nothing waits. `bytes` is what it holds in memory until its end;
   * false where too much waits already, and the work is not done.
   */
  add(work: Work, bytes = 0): boolean {
    if (this.#isClosed) return false
    if (this.#waiting.length > 0 && this.#bytes + bytes > this.#limits.workBytesMax) {
      this.#refused++
      return false
    }
    this.#waiting.push({ work, bytes })
    this.#bytes += bytes
    if (!this.#isRunning && !this.#isScheduled) this.#run()
    return true
  }

  /** Forgets all that waits, and takes nothing more. */
  close(): void {
    this.#isClosed = true
    this.#waiting = []
    this.#bytes = 0
  }

  /** Takes a step of each work in turn, at least one; throws the first failure at the end. */
  #run(): void {
    const { turnMillis, turnStepsMax } = this.#limits
    const endsAt = this.#runtime.elapsed() + turnMillis
    let failed: { readonly failure: unknown } | undefined
    let left = turnStepsMax
    this.#isRunning = true
    do {
      const next = this.#waiting.shift()
      if (next === undefined) break
      try {
        this.#step(next)
      } catch (failure) {
        failed ??= { failure }
      }
    } while (--left > 0 && this.#waiting.length > 0 && this.#runtime.elapsed() < endsAt)
    this.#isRunning = false
    this.#goOn()
    if (failed !== undefined) throw failed.failure
  }

  #step(waiting: Waiting): void {
    let hasMore = false
    try {
      hasMore = waiting.work()
    } finally {
      if (hasMore && !this.#isClosed) this.#waiting.push(waiting)
      else if (!this.#isClosed) this.#bytes -= waiting.bytes
    }
  }

  #goOn(): void {
    if (this.#waiting.length === 0 || this.#isScheduled) return
    this.#isScheduled = true
    this.#pauses++
    this.#runtime.mark("work: a turn ends before its work")
    this.#runtime.endOfTurn(() => {
      this.#isScheduled = false
      this.#run()
    })
  }
}
