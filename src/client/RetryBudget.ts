/**
 * Bounds how many requests are sent again: a share of those that were answered, and some at first.
 * Where few are answered since too much is asked for, asking again makes it worse.
 *
 * @see Google, "Site Reliability Engineering", chapter 22: a retry budget for each client
 */
import type { ClientLimits } from "../core/model/Limits.ts"

export type RetryLimits = Pick<ClientLimits, "answersPerRetry" | "retriesMax">

export class RetryBudget {
  readonly #limits: RetryLimits
  #left: number
  #denied = 0

  constructor(limits: RetryLimits) {
    this.#limits = limits
    this.#left = limits.retriesMax
  }

  /** Requests that were not sent again for lack of a budget. */
  get denied(): number {
    return this.#denied
  }

  /** A request was answered, if only by an error of its own. */
  answered(): void {
    const { answersPerRetry, retriesMax } = this.#limits
    this.#left = Math.min(this.#left + 1 / answersPerRetry, retriesMax)
  }

  /** Whether one may be sent again; then it is counted. */
  take(): boolean {
    if (this.#left < 1) {
      this.#denied++
      return false
    }
    this.#left--
    return true
  }
}
