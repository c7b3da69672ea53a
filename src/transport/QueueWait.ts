/**
 * Measures how long messages wait on their way from the broker: a question to it is answered after
 * everything that it had sent before, and so waits in every queue in which a message waits, the one
 * of this process among them.
 *
 * The least time of such a question since the connection began is the way's own; the rest is wait.
 */
import type { NodeLimits } from "../core/model/Limits.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { TransportService } from "./Transport.ts"

export interface QueueWaitOptions {
  readonly runtime: Pick<Runtime, "elapsed">
  readonly flush: TransportService["flush"]
  readonly limits: Pick<NodeLimits, "waitProbeMillis" | "waitProbesMax" | "waitTargetMillis">
  readonly measured: (millis: number, now: number) => void
}

export class QueueWait {
  readonly #options: QueueWaitOptions
  /** The least time of a question; Infinity until there was one. */
  #wayMillis = Infinity
  #askedAt = -Infinity
  #questions = 0
  /** Requests that came since the last question. */
  #came = 0

  constructor(options: QueueWaitOptions) {
    this.#options = options
  }

  /**
   * A request comes now, while so many are open. Where at least `loadLeast` are, or came since the
   * last question, another one is asked: with less there is nothing to measure.
   */
  came(open: number, loadLeast: number, now: number): void {
    const { flush, limits: { waitProbeMillis, waitProbesMax }, runtime } = this.#options
    this.#came++
    if (now - this.#askedAt < waitProbeMillis) return
    const isLoaded = Math.max(this.#came, open) >= loadLeast
    this.#askedAt = now
    this.#came = 0
    if (!isLoaded || this.#questions >= waitProbesMax) return
    this.#questions++
    flush((reached) => this.#answered(runtime.elapsed() - now, reached))
  }

  #answered(millis: number, reached: boolean): void {
    const { limits: { waitTargetMillis }, measured, runtime } = this.#options
    this.#questions--
    if (reached) {
      this.#wayMillis = Math.min(this.#wayMillis, millis)
      return measured(millis - this.#wayMillis, runtime.elapsed())
    }
    // The next connection has a way of its own.
    this.#wayMillis = Infinity
    // Without a connection the question fails at once; this one was given up after a long wait.
    if (millis > waitTargetMillis) measured(millis, runtime.elapsed())
  }
}
