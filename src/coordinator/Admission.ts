/**
 * Decides whether this node takes a client's request, by `core/admission`: from how long messages
 * wait in this process, and how long its writes take. The time of other requests does not count,
 * since it would also tell of slow peers, nor does that of messages on a slow way.
 */
import { BackgroundBudget, type BackgroundLimits } from "../core/admission/BackgroundBudget.ts"
import * as ConcurrencyLimit from "../core/admission/ConcurrencyLimit.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import { Overloaded } from "../core/model/StoreError.ts"
import type { Runtime } from "../core/Runtime.ts"
import { QueueWait } from "../transport/QueueWait.ts"
import type { TransportService } from "../transport/Transport.ts"

export type AdmissionLimits =
  & BackgroundLimits
  & Pick<
    NodeLimits,
    | "requestsMax"
    | "admittedMin"
    | "admittedFirst"
    | "waitTargetMillis"
    | "writeTargetMillis"
    | "admissionWindowMillis"
    | "waitProbeMillis"
    | "waitProbesMax"
  >

export interface AdmissionOptions {
  readonly runtime: Pick<Runtime, "elapsed" | "idle" | "mark">
  readonly node: NodeId
  readonly flush: TransportService["flush"]
  readonly limits: AdmissionLimits
}

/** Below this share of the least number of requests, there is no load to measure. */
const loadShare = 1 / 4

export class Admission {
  readonly #options: AdmissionOptions
  readonly #rules: ConcurrencyLimit.LimitOptions
  #state: ConcurrencyLimit.ConcurrencyLimit
  readonly #wait: QueueWait
  readonly #background: BackgroundBudget
  #refused = 0

  constructor(options: AdmissionOptions) {
    const { limits } = options
    this.#options = options
    this.#rules = {
      min: Math.min(limits.admittedMin, limits.requestsMax),
      max: limits.requestsMax,
      first: limits.admittedFirst,
      waitMillis: limits.waitTargetMillis,
      writeMillis: limits.writeTargetMillis,
      windowMillis: limits.admissionWindowMillis
    }
    this.#state = ConcurrencyLimit.make(this.#rules)
    this.#background = new BackgroundBudget(limits)
    this.#wait = new QueueWait({
      ...options,
      measured: (millis, now) => this.#step({ _tag: "Waited", millis, now })
    })
  }

  /**
   * How many requests may be open, how many messages or requests were refused, and how much work in
   * the background may take.
   */
  get stats(): {
    readonly limit: number
    readonly refused: number
    readonly waitMillis: number
    readonly background: BackgroundBudget
  } {
    const { limit, standingMillis: waitMillis } = this.#state
    return {
      limit: Math.floor(limit),
      refused: this.#refused,
      waitMillis,
      background: this.#background
    }
  }

  /** Why a request, or a message of several, is refused now; undefined where it may be taken. */
  refusal(open: number): Overloaded | undefined {
    if (this.#admits(open)) return undefined
    // A queue that stood when it was looked at last may be gone.
    this.#wait.came(open, 0, this.#options.runtime.elapsed())
    if (this.#admits(open)) return undefined
    this.#refused++
    this.#options.runtime.mark("coordinator: a node refuses what is too much for it")
    this.#step({ _tag: "Denied", open })
    const retryAfterMillis = ConcurrencyLimit.retryAfterMillis(this.#state, open, this.#rules)
    return new Overloaded({ node: this.#options.node, retryAfterMillis })
  }

  /** A request is taken now, while so many others are open. */
  taken(open: number, now: number): void {
    this.#step({ _tag: "Taken", open })
    // A queue that is believed to stand is looked at until it does not.
    const isStanding = this.#state.standingMillis > 0
    this.#wait.came(open, isStanding ? 0 : this.#rules.min * loadShare, now)
  }

  /** A request was answered now, and took so long. */
  ended(millis: number, now: number): void {
    this.#background.ended(millis, now)
  }

  /** A write was done now, and took so long. */
  written(millis: number, now: number): void {
    this.#step({ _tag: "Written", millis, now })
  }

  #admits(open: number): boolean {
    return ConcurrencyLimit.admits(this.#state, open, this.#rules)
  }

  #step(event: ConcurrencyLimit.LimitEvent): void {
    this.#state = ConcurrencyLimit.step(this.#state, event, this.#rules)
  }
}
