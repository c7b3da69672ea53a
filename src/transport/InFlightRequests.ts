/**
 * Keeps the requests that wait for other nodes: finds them by number when an answer comes, sends
 * again what may have been lost, and ends each at its deadline. One timer serves all.
 */
import type { Runtime } from "../core/Runtime.ts"

/** A request that waits. */
export interface Waiting {
  /** On the monotonic clock, in milliseconds; may come nearer. */
  readonly deadline: number
  /** Sends again to whoever has not answered. */
  readonly resend: () => void
  /** Its time is up; called once. */
  readonly expire: () => void
}

interface Entry<W> {
  readonly waiting: W
  resendAt: number
  pauseMillis: number
}

const sweepMillis = 20
export class InFlightRequests<W extends Waiting> {
  readonly #runtime: Runtime
  readonly #firstPauseMillis: number
  readonly #entries = new Map<number, Entry<W>>()
  #numbers: number
  #sweeping = false
  #resends = 0

  /** The pause before sending again doubles: silence more often means down than lost. */
  constructor(
    options: {
      readonly runtime: Runtime
      readonly firstPauseMillis: number
      /** 1 unless said otherwise. */
      readonly firstNumber?: number
    }
  ) {
    this.#runtime = options.runtime
    this.#firstPauseMillis = options.firstPauseMillis
    this.#numbers = Math.max(options.firstNumber ?? 1, 1) - 1
  }

  get size(): number {
    return this.#entries.size
  }

  get resends(): number {
    return this.#resends
  }

  /** The number of the next request; never 0, which asks for no answer. */
  nextNumber(): number {
    return ++this.#numbers
  }

  add(number: number, waiting: W): void {
    const pauseMillis = this.#firstPauseMillis
    const resendAt = this.#runtime.elapsed() + pauseMillis
    this.#entries.set(number, { waiting, resendAt, pauseMillis })
    this.#schedule()
  }

  get(number: number): W | undefined {
    return this.#entries.get(number)?.waiting
  }

  remove(number: number): void {
    this.#entries.delete(number)
  }

  /** Sends everything again: after a reconnection, when all that was out may be lost. */
  resendAll(): void {
    for (const { waiting } of this.#entries.values()) waiting.resend()
  }

  *all(): Iterable<W> {
    for (const { waiting } of this.#entries.values()) yield waiting
  }

  /** Ends every request as if its time were up. */
  expireAll(): void {
    for (const [number, { waiting }] of this.#entries) {
      this.#entries.delete(number)
      waiting.expire()
    }
  }

  #schedule(): void {
    if (this.#sweeping) return
    this.#sweeping = true
    this.#runtime.after(sweepMillis, () => {
      this.#sweeping = false
      this.#sweep()
      if (this.#entries.size > 0) this.#schedule()
    })
  }

  #sweep(): void {
    const now = this.#runtime.elapsed()
    for (const [number, entry] of this.#entries) {
      if (entry.waiting.deadline <= now) {
        this.#entries.delete(number)
        entry.waiting.expire()
      } else if (entry.resendAt <= now) {
        entry.pauseMillis *= 2
        entry.resendAt = now + entry.pauseMillis
        this.#resends++
        this.#runtime.mark("coordinator: what has no answer is sent again")
        entry.waiting.resend()
      }
    }
  }
}
