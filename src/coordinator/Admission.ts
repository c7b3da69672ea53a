/**
 * Decides whether this node takes a client's request, by `core/admission`, and measures how long
 * messages wait on their way into the node: a question to the broker is answered after everything
 * that the broker had sent before, and so waits in every queue in which a request waits.
 *
 * The least time of such a question since the connection began is the way's own; the rest is wait.
 * No other than this counts: the time of a request would also tell of slow peers.
 */
import * as ConcurrencyLimit from "../core/admission/ConcurrencyLimit.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import { Overloaded } from "../core/model/StoreError.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { TransportService } from "../transport/Transport.ts"

export type AdmissionLimits = Pick<
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
  readonly runtime: Pick<Runtime, "elapsed" | "mark">
  readonly node: NodeId
  readonly flush: TransportService["flush"]
  readonly limits: AdmissionLimits
}

/** Below this share of the least number of requests, there is no load to measure. */
const probedShare = 1 / 4

export class Admission {
  readonly #options: AdmissionOptions
  readonly #rules: ConcurrencyLimit.LimitOptions
  #state: ConcurrencyLimit.ConcurrencyLimit
  /** The least time of a question; Infinity until there was one. */
  #wayMillis = Infinity
  #probedAt = -Infinity
  #probes = 0
  /** Requests that came since the last question. */
  #came = 0
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
  }

  /** How many requests may be open, and how many messages or requests were refused. */
  get stats(): { readonly limit: number; readonly refused: number; readonly waitMillis: number } {
    const { limit, standingMillis } = this.#state
    return { limit: Math.floor(limit), refused: this.#refused, waitMillis: standingMillis }
  }

  /** Why a request, or a message of several, is refused now; undefined where it may be taken. */
  refusal(open: number): Overloaded | undefined {
    if (ConcurrencyLimit.admits(this.#state, open, this.#rules)) return undefined
    this.#refused++
    this.#options.runtime.mark("coordinator: a node refuses what is too much for it")
    this.#step({ _tag: "Denied", open })
    this.#probe(open)
    const retryAfterMillis = ConcurrencyLimit.retryAfterMillis(this.#state, open, this.#rules)
    return new Overloaded({ node: this.#options.node, retryAfterMillis })
  }

  /** A request is taken while so many others are open. */
  taken(open: number): void {
    this.#step({ _tag: "Taken", open })
    this.#probe(open)
  }

  /** A write was done, and took so long. */
  written(millis: number): void {
    this.#step({ _tag: "Written", millis, now: this.#options.runtime.elapsed() })
  }

  #step(event: ConcurrencyLimit.LimitEvent): void {
    this.#state = ConcurrencyLimit.step(this.#state, event, this.#rules)
  }

  #probe(open: number): void {
    const { flush, limits: { waitProbeMillis, waitProbesMax }, runtime } = this.#options
    const now = runtime.elapsed()
    this.#came++
    if (now - this.#probedAt < waitProbeMillis) return
    const isLoaded = Math.max(this.#came, open) >= this.#rules.min * probedShare
    this.#probedAt = now
    this.#came = 0
    if (!isLoaded || this.#probes >= waitProbesMax) return
    this.#probes++
    flush((reached) => this.#probed(runtime.elapsed() - now, reached))
  }

  #probed(millis: number, reached: boolean): void {
    this.#probes--
    const now = this.#options.runtime.elapsed()
    if (reached) {
      this.#wayMillis = Math.min(this.#wayMillis, millis)
      return this.#step({ _tag: "Waited", millis: millis - this.#wayMillis, now })
    }
    // The next connection has a way of its own.
    this.#wayMillis = Infinity
    // Without a connection the question fails at once; this one was given up after a long wait.
    if (millis > this.#rules.waitMillis) this.#step({ _tag: "Waited", millis, now })
  }
}
