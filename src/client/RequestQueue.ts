/**
 * Bounds the requests that a client has under way, and keeps the others for a short while: what
 * cannot be begun in time is refused, so that no node hears of it. How many may be under way,
 * `core/admission` decides: by the refusals of nodes, by the time of the answers, and by how long
 * these wait on their way into the client.
 *
 * The time that each may wait is short only where the queue has not been empty for a while: a burst
 * is worked off, a queue that stands is overload. The oldest is begun first, as callers expect; but
 * the newest once the oldest has waited for long, since most of the old ones will not be begun in
 * time whatever is done.
 *
 * @see Maurer, "Fail at Scale", ACM Queue 2015, for both: "controlled delay" and "adaptive LIFO"
 */
import * as ConcurrencyLimit from "../core/admission/ConcurrencyLimit.ts"
import { clientClosed } from "../core/model/Closed.ts"
import type { ClientLimits } from "../core/model/Limits.ts"
import { Overloaded, type StoreError } from "../core/model/StoreError.ts"
import type { Runtime } from "../core/Runtime.ts"
import { QueueWait } from "../transport/QueueWait.ts"
import type { TransportService } from "../transport/Transport.ts"
import { Line } from "./Line.ts"

export type QueueLimits = Pick<
  ClientLimits,
  | "inFlightMin"
  | "inFlightFirst"
  | "inFlightMax"
  | "queueMillis"
  | "refusalMillis"
  | "queuedMax"
  | "answerTargetMillis"
  | "waitTargetMillis"
  | "admissionWindowMillis"
  | "waitProbeMillis"
  | "waitProbesMax"
  | "sweepMillis"
>

/** A request that waits for its turn. */
export interface Queued {
  /** Begins it now; it is over when `ended` is called. It may be tried again until then. */
  readonly begin: (until: number, now: number) => void
  /** Ends it: it was not begun. */
  readonly refuse: (error: StoreError) => void
}

export interface RequestQueueOptions {
  readonly runtime: Pick<Runtime, "after" | "elapsed" | "endOfTurn" | "idle">
  readonly flush: TransportService["flush"]
  readonly limits: QueueLimits
}

interface Entry {
  readonly queued: Queued
  readonly cameAt: number
}

/** Of those that are late, so many are told at each sweep, and so many at least. */
const toldShare = 1 / 32
const toldLeast = 16

export class RequestQueue {
  readonly #options: RequestQueueOptions
  readonly #rules: ConcurrencyLimit.LimitOptions
  readonly #wait: QueueWait
  /** In the order in which they came. */
  readonly #waiting = new Line<Entry>()
  /** Those that are too late to be begun, and are to be told so. */
  readonly #late = new Line<Entry>()
  #limit: ConcurrencyLimit.ConcurrencyLimit
  #underWay = 0
  /** When nothing waited last, and there was room. */
  #emptyAt = 0
  #isSweeping = false
  #isClosed = false

  constructor(options: RequestQueueOptions) {
    const { limits } = options
    this.#options = options
    this.#rules = {
      min: limits.inFlightMin,
      max: limits.inFlightMax,
      first: limits.inFlightFirst,
      waitMillis: limits.waitTargetMillis,
      writeMillis: limits.answerTargetMillis,
      windowMillis: limits.admissionWindowMillis
    }
    this.#limit = ConcurrencyLimit.make(this.#rules)
    this.#wait = new QueueWait({
      ...options,
      measured: (millis, now) => this.#step({ _tag: "Waited", millis, now })
    })
  }

  /** How many requests may be under way, and how many wait. */
  get stats(): { readonly limit: number; readonly underWay: number; readonly waiting: number } {
    const limit = Math.floor(this.#limit.limit)
    return { limit, underWay: this.#underWay, waiting: this.#waitingCount }
  }

  get #waitingCount(): number {
    return this.#waiting.size + this.#late.size
  }

  /** Begins a request now, or when others have ended, or refuses it. */
  add(queued: Queued): void {
    if (this.#isClosed) return queued.refuse(clientClosed())
    const { limits: { queuedMax }, runtime } = this.#options
    const cameAt = runtime.elapsed()
    this.#noteEmpty(cameAt)
    if (this.#waiting.size === 0 && this.#hasRoom) return this.#begin({ queued, cameAt }, cameAt)
    this.#step({ _tag: "Denied", open: this.#underWay })
    this.#wait.came(this.#underWay, 0, cameAt)
    if (this.#waitingCount >= queuedMax) {
      return runtime.endOfTurn(() => queued.refuse(this.#overloaded()))
    }
    this.#waiting.push({ queued, cameAt })
    this.#sweepLater()
  }

  /** A request is over now; `millis` is the time of its answer, where a node gave one. */
  ended(millis: number | undefined, now: number): void {
    this.#underWay--
    if (millis !== undefined) this.#step({ _tag: "Written", millis, now })
    this.#beginMore(now)
  }

  /** A node had too much to do. */
  refused(): void {
    this.#step({ _tag: "Refused" })
  }

  /** Ends all that wait. */
  close(): void {
    this.#isClosed = true
    for (const line of [this.#late, this.#waiting]) {
      for (let entry = line.shift(); entry !== undefined; entry = line.shift()) {
        entry.queued.refuse(clientClosed())
      }
    }
  }

  get #hasRoom(): boolean {
    return !this.#isClosed && this.#underWay < Math.floor(this.#limit.limit)
  }

  #step(event: ConcurrencyLimit.LimitEvent): void {
    this.#limit = ConcurrencyLimit.step(this.#limit, event, this.#rules)
  }

  /** How long a request may wait that has not been begun by now. */
  #patienceMillis(now: number): number {
    const { queueMillis, refusalMillis } = this.#options.limits
    return now - this.#emptyAt > refusalMillis ? queueMillis : refusalMillis
  }

  #begin({ cameAt, queued }: Entry, now: number): void {
    this.#step({ _tag: "Taken", open: this.#underWay })
    this.#wait.came(this.#underWay, this.#rules.min, now)
    this.#underWay++
    queued.begin(cameAt + this.#patienceMillis(now), now)
  }

  #beginMore(now: number): void {
    const { queueMillis } = this.#options.limits
    this.#passOver(now)
    for (let oldest = this.#waiting.first; oldest !== undefined; oldest = this.#waiting.first) {
      if (!this.#hasRoom) return
      const isLate = now - oldest.cameAt > queueMillis / 2
      this.#begin((isLate ? this.#waiting.pop() : this.#waiting.shift()) ?? oldest, now)
    }
    this.#noteEmpty(now)
  }

  /** As long as some are to be told that they came in vain, the queue stands. */
  #noteEmpty(now: number): void {
    if (this.#waitingCount === 0 && this.#hasRoom) this.#emptyAt = now
  }

  /** Sets those aside that cannot be begun any more. */
  #passOver(now: number): void {
    const patienceMillis = this.#patienceMillis(now)
    for (let oldest = this.#waiting.first; oldest !== undefined; oldest = this.#waiting.first) {
      if (now - oldest.cameAt <= patienceMillis) return
      this.#waiting.shift()
      this.#late.push(oldest)
    }
  }

  #sweepLater(): void {
    if (this.#isSweeping) return
    this.#isSweeping = true
    const { limits: { sweepMillis }, runtime } = this.#options
    runtime.after(sweepMillis, () => {
      this.#isSweeping = false
      this.#sweep(runtime.elapsed())
      if (this.#waitingCount > 0) this.#sweepLater()
    })
  }

  #sweep(now: number): void {
    this.#beginMore(now)
    const { refusalMillis } = this.#options.limits
    // Those who were refused together would come back together.
    let error: Overloaded | undefined
    let left = Math.max(toldLeast, this.#late.size * toldShare)
    for (let oldest = this.#late.first; oldest !== undefined; oldest = this.#late.first) {
      if (now - oldest.cameAt < refusalMillis || left-- <= 0) return
      this.#late.shift()
      error ??= this.#overloaded()
      oldest.queued.refuse(error)
    }
  }

  #overloaded(): Overloaded {
    const open = this.#underWay + this.#waitingCount
    const retryAfterMillis = ConcurrencyLimit.retryAfterMillis(this.#limit, open, this.#rules)
    return new Overloaded({ retryAfterMillis })
  }
}
