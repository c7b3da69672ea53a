/**
 * Keeps the requests that wait for other nodes: finds them by number when an answer comes, sends
 * again requests that may have been lost, and ends each at its deadline. One timer serves all.
 *
 * The pause before a request is sent again follows the round trips that were measured, as TCP's
 * retransmission timer does (RFC 6298). Only a request that was sent once measures one, because an
 * answer does not say which sending it is for.
 */
import type { NodeLimits } from "../core/model/Limits.ts"
import { runEach } from "../core/RunEach.ts"
import type { Runtime } from "../core/Runtime.ts"

/** A request that waits. */
export interface Waiting {
  /** On the monotonic clock, in milliseconds; may come nearer. */
  readonly deadline: number
  /** Sends again to each node that has not answered. */
  readonly resend: () => void
  /** Its answers take longer than most; called once, before its time is up, if it is to be told. */
  readonly late?: () => void
  /** Its time is up; called once. */
  readonly expire: () => void
  /** The node stops; called once, and in place of `expire` where there is one. */
  readonly stop?: () => void
}

interface Entry<W> {
  readonly waiting: W
  readonly sentAt: number
  isResent: boolean
  /** Whether the next sending is the last. */
  isLast: boolean
  resendAt: number
  pauseMillis: number
  /** Infinity where nobody cares, or was told. */
  lateAt: number
}

export type ResendLimits = Pick<
  NodeLimits,
  "firstPauseMillis" | "resendMinMillis" | "resendMaxMillis" | "sweepMillis"
>

/** The pause in round trips: above 1, so that an answer somewhat later than most is waited for. */
const pauseRoundTrips = 4
/** The time after which an answer is late, in round trips: few of those that come take longer. */
const lateRoundTrips = 3
/** Share of a new round trip in the average (RFC 6298, section 2). */
const newRoundTripShare = 1 / 8

export class InFlightRequests<W extends Waiting> {
  readonly #runtime: Runtime
  readonly #limits: ResendLimits
  /** By place, which is small for long: a map hashes large numbers outside of compiled code. */
  readonly #entries = new Map<number, Entry<W>>()
  /** A request's number is so much more than its place. */
  readonly #before: number
  /** The first pause of the next request. */
  #pauseMillis: number
  #averageMillis: number | undefined
  #numbers: number
  #sweeping = false
  /** Whether the last sweep came late, and left everything to the next one. */
  #gaveWay = false
  #resends = 0

  /**
   * The pause of one request doubles at each sending: no answer more often means down than lost.
   */
  constructor(
    options: {
      readonly runtime: Runtime
      readonly limits: ResendLimits
      /** 1 unless said otherwise. */
      readonly firstNumber?: number
    }
  ) {
    this.#runtime = options.runtime
    this.#limits = options.limits
    this.#pauseMillis = options.limits.firstPauseMillis
    this.#before = this.#numbers = Math.max(options.firstNumber ?? 1, 1) - 1
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

  /** `lateMinMillis` where it is to be told that it is late: no earlier than so long after now. */
  add(number: number, waiting: W, lateMinMillis = Infinity): void {
    const pauseMillis = this.#pauseMillis
    const sentAt = this.#runtime.elapsed()
    const resendAt = sentAt + pauseMillis
    this.#entries.set(number - this.#before, {
      waiting,
      sentAt,
      isResent: false,
      isLast: false,
      resendAt,
      pauseMillis,
      lateAt: lateMinMillis === Infinity
        ? Infinity
        : Math.min(sentAt + this.#lateMillis(lateMinMillis), (sentAt + waiting.deadline) / 2)
    })
    this.#schedule()
  }

  /**
   * Takes note that an answer came. After a request that was sent again the next ones get a pause
   * as long as its own had become: answers may have become slower than the pause, and then no
   * request would ever be answered after one sending, and measure it.
   */
  answered(number: number): void {
    const entry = this.#entries.get(number - this.#before)
    if (entry === undefined) return
    if (entry.isResent) {
      this.#pauseMillis = Math.max(this.#pauseMillis, this.#bounded(entry.pauseMillis))
      return
    }
    this.measured(this.#runtime.elapsed() - entry.sentAt)
  }

  /** Takes note of a round trip, which another question may have measured. */
  measured(millis: number): void {
    const average = this.#averageMillis ?? millis
    this.#averageMillis = average + newRoundTripShare * (millis - average)
    this.#pauseMillis = this.#bounded(pauseRoundTrips * this.#averageMillis)
  }

  /** An answer is on its way, and not all there: the request is sent again one pause from now. */
  postpone(number: number): void {
    const entry = this.#entries.get(number - this.#before)
    if (entry !== undefined) entry.resendAt = this.#runtime.elapsed() + entry.pauseMillis
  }

  get(number: number): W | undefined {
    return this.#entries.get(number - this.#before)?.waiting
  }

  remove(number: number): void {
    this.#entries.delete(number - this.#before)
  }

  /** Sends everything again: after a reconnection, when all that was out may be lost. */
  resendAll(): void {
    runEach(this.#entries.values(), (entry) => {
      entry.isResent = true
      entry.waiting.resend()
    })
  }

  *all(): Iterable<W> {
    for (const { waiting } of this.#entries.values()) yield waiting
  }

  /** Ends every request; one that does not care why it ends, as if its time were up. */
  stopAll(): void {
    runEach(this.#entries, ([place, { waiting }]) => {
      this.#entries.delete(place)
      if (waiting.stop === undefined) waiting.expire()
      else waiting.stop()
    })
  }

  /**
   * Where the next pause would pass the deadline, the request is sent once more in half of the time
   * that is left: the last answer may have been lost like the first.
   */
  #next(entry: Entry<W>, now: number): number {
    const { isLast, pauseMillis, waiting: { deadline } } = entry
    if (now + pauseMillis < deadline) return now + pauseMillis
    const half = (deadline - now) / 2
    if (isLast || half < this.#limits.resendMinMillis) return Infinity
    entry.isLast = true
    return now + half
  }

  #lateMillis(leastMillis: number): number {
    const average = this.#averageMillis
    if (average === undefined) return this.#pauseMillis
    return Math.min(Math.max(lateRoundTrips * average, leastMillis), this.#pauseMillis)
  }

  #bounded(millis: number): number {
    const { resendMaxMillis, resendMinMillis } = this.#limits
    return Math.min(Math.max(millis, resendMinMillis), resendMaxMillis)
  }

  #schedule(): void {
    if (this.#sweeping) return
    this.#sweeping = true
    const { sweepMillis } = this.#limits
    const dueAt = this.#runtime.elapsed() + sweepMillis
    this.#runtime.after(sweepMillis, () => {
      this.#sweeping = false
      const now = this.#runtime.elapsed()
      this.#gaveWay = !this.#gaveWay && now - dueAt > sweepMillis
      try {
        if (this.#gaveWay) this.#runtime.mark("in flight: a late sweep lets answers come first")
        else this.#sweep(now)
      } finally {
        if (this.#entries.size > 0) this.#schedule()
      }
    })
  }

  /**
   * **Requires** that this process has read the answers that came before `now`: where it computed
   * or was stopped, they still wait, and their senders would be called unreachable.
   */
  #sweep(now: number): void {
    const due: Array<number> = []
    // `forEach` makes no pair for each entry, and most entries are only looked at.
    this.#entries.forEach(({ lateAt, resendAt, waiting: { deadline } }, place) => {
      if (deadline <= now || resendAt <= now || lateAt <= now) due.push(place)
    })
    runEach(due, (place) => this.#sweepOne(place, now))
  }

  #sweepOne(place: number, now: number): void {
    const entry = this.#entries.get(place)
    // One that was due may have ended another.
    if (entry === undefined) return
    if (entry.lateAt <= now) {
      entry.lateAt = Infinity
      entry.waiting.late?.()
    }
    if (entry.waiting.deadline <= now) {
      this.#entries.delete(place)
      return entry.waiting.expire()
    }
    if (entry.resendAt > now) return
    entry.isResent = true
    entry.pauseMillis *= 2
    entry.resendAt = this.#next(entry, now)
    this.#resends++
    this.#runtime.mark("coordinator: an unanswered request is sent again")
    entry.waiting.resend()
  }
}
