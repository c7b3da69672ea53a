/**
 * Measures how long messages wait on their way from the broker: a question to it is answered after
 * everything that it had sent before, and so waits in every queue in which a message waits, the one
 * of this process among them.
 *
 * The least time of such a question since the connection began is the way's own; the rest is wait.
 *
 * It is a wait in this process only where the process was at work all the time: one that had
 * nothing to do meanwhile had taken in all that had come, and its way or its broker is slow.
 *
 * @see Nichols and Jacobson, "Controlling Queue Delay", ACM Queue 2012: a queue that empties does
 *   not stand
 */
import type { NodeLimits } from "../core/model/Limits.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { TransportService } from "./Transport.ts"

export interface QueueWaitOptions {
  readonly runtime: Pick<Runtime, "elapsed" | "idle">
  readonly flush: TransportService["flush"]
  readonly limits: Pick<NodeLimits, "waitProbeMillis" | "waitProbesMax" | "waitTargetMillis">
  readonly measured: (millis: number, now: number) => void
}

/** A time of the process, and how long it had had nothing to do until then. */
interface Moment {
  readonly at: number
  readonly idle: number
}

/**
 * A process that is idle for a smaller share of the time may have a standing queue: looking for new
 * messages between two turns counts as idle, too, and takes some microseconds.
 */
const idleShare = 1 / 8

export class QueueWait {
  readonly #options: QueueWaitOptions
  /** The least time of a question; Infinity until there was one. */
  #wayMillis = Infinity
  /** When it was last seen whether the process has nothing to do. */
  #looked: Moment = { at: -Infinity, idle: 0 }
  #questions = 0
  /** Requests that came since the last question. */
  #came = 0

  constructor(options: QueueWaitOptions) {
    this.#options = options
  }

  /**
   * A request comes now, while so many are open. Where at least `loadLeast` are, or came since the
   * last look, another question is asked: with less there is nothing to measure. Where the process
   * had nothing to do since then, it is known at once that nothing waits.
   */
  came(open: number, loadLeast: number, now: number): void {
    const { flush, limits: { waitProbeMillis, waitProbesMax }, measured } = this.#options
    this.#came++
    if (now - this.#looked.at < waitProbeMillis) return
    const isLoaded = Math.max(this.#came, open) >= loadLeast
    const before = this.#looked
    const moment = this.#look(now)
    this.#came = 0
    if (!isLoaded) return
    if (wasIdle(before, moment)) measured(0, now)
    if (this.#questions >= waitProbesMax) return
    this.#questions++
    flush((reached) => this.#answered(moment, reached))
  }

  #look(at: number): Moment {
    this.#looked = { at, idle: this.#options.runtime.idle() }
    return this.#looked
  }

  #answered(asked: Moment, reached: boolean): void {
    const { limits: { waitTargetMillis }, measured, runtime } = this.#options
    this.#questions--
    const now = runtime.elapsed()
    const millis = now - asked.at
    const isIdle = wasIdle(asked, { at: now, idle: runtime.idle() })
    if (reached) {
      this.#wayMillis = Math.min(this.#wayMillis, millis)
      return measured(isIdle ? 0 : millis - this.#wayMillis, now)
    }
    // The next connection has a way of its own.
    this.#wayMillis = Infinity
    // Without a connection the question fails at once; this one was given up after a long wait.
    if (millis > waitTargetMillis && !isIdle) measured(millis, now)
  }
}

const wasIdle = (before: Moment, after: Moment): boolean =>
  after.idle - before.idle > (after.at - before.at) * idleShare
