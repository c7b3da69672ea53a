/**
 * Cuts long work into turns of the event loop: messages of many requests, frames of many messages,
 * listings. Between two turns the process reads its sockets, and answers others.
 *
 * Work is a function that takes one step and says whether more is left. All works take their steps
 * in turn, so a short one that comes after a long one does not wait for its end. Only works of one
 * lane, such as the frames of one node, follow each other: a change of a document is of no use
 * before the one that it rests on.
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
  readonly lane: string | undefined
}

export class WorkQueue {
  readonly #runtime: Pick<Runtime, "elapsed" | "endOfTurn" | "mark">
  readonly #limits: WorkLimits
  /** Of each lane the first. */
  #waiting: Array<Waiting> = []
  /** The others of each lane that has a work among those; undefined while there are none. */
  readonly #lanes = new Map<string, Array<Waiting> | undefined>()
  #behind = 0
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
      waiting: this.#waiting.length + this.#behind,
      bytes: this.#bytes
    }
  }

  /**
   * Begins the work at once where nothing waits. `bytes` is what it holds in memory until its end;
   * false where too much waits already, and the work is not done. It begins after the end of those
   * of its lane.
   */
  add(work: Work, bytes = 0, lane?: string): boolean {
    if (this.#isClosed) return false
    if (this.#waiting.length > 0 && this.#bytes + bytes > this.#limits.workBytesMax) {
      this.#refused++
      return false
    }
    this.#bytes += bytes
    const added = { work, bytes, lane }
    if (this.#isBehind(added)) return true
    if (this.#isRunning || this.#isScheduled) this.#waiting.push(added)
    // Most works come when nothing waits, and so none of them is put into the list.
    else this.#run(added)
    return true
  }

  /** Forgets all that waits, and takes nothing more. */
  close(): void {
    this.#isClosed = true
    this.#waiting = []
    this.#lanes.clear()
    this.#behind = 0
    this.#bytes = 0
  }

  /** Whether a work waits for others of its lane now. */
  #isBehind(waiting: Waiting): boolean {
    if (waiting.lane === undefined) return false
    const others = this.#lanes.get(waiting.lane)
    const isBehind = others !== undefined || this.#lanes.has(waiting.lane)
    if (isBehind) this.#behind++
    if (others !== undefined) others.push(waiting)
    else this.#lanes.set(waiting.lane, isBehind ? [waiting] : undefined)
    return isBehind
  }

  /** The next work of the lane of one that has ended begins. */
  #end({ bytes, lane }: Waiting): void {
    this.#bytes -= bytes
    if (lane === undefined) return
    const next = this.#lanes.get(lane)?.shift()
    if (next === undefined) this.#lanes.delete(lane)
    else {
      this.#behind--
      this.#waiting.push(next)
    }
  }

  /**
   * Takes a step of each work in turn, at least one, beginning with `first`; throws the first
   * failure at the end.
   */
  #run(first?: Waiting): void {
    const { turnMillis, turnStepsMax } = this.#limits
    const endsAt = this.#runtime.elapsed() + turnMillis
    let failed: { readonly failure: unknown } | undefined
    let left = turnStepsMax
    let next = first ?? this.#waiting.shift()
    this.#isRunning = true
    while (next !== undefined) {
      let hasMore = false
      try {
        hasMore = this.#step(next)
      } catch (failure) {
        failed ??= { failure }
      }
      const isAlone = this.#waiting.length === 0
      const goesOn = --left > 0 && (hasMore || !isAlone) && this.#runtime.elapsed() < endsAt
      if (hasMore && isAlone && goesOn) continue
      if (hasMore) this.#waiting.push(next)
      next = goesOn ? this.#waiting.shift() : undefined
    }
    this.#isRunning = false
    this.#goOn()
    if (failed !== undefined) throw failed.failure
  }

  /** Says whether more is left. */
  #step(waiting: Waiting): boolean {
    let hasMore = false
    try {
      hasMore = waiting.work()
    } finally {
      if (!hasMore && !this.#isClosed) this.#end(waiting)
    }
    return hasMore && !this.#isClosed
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
