/**
 * Keeps how far the clocks of the other members are ahead, and says by how much the own one is to
 * be set right. A member that is unreachable for long has no say.
 */
import * as ClockOffset from "../core/clock/ClockOffset.ts"
import * as HybridClock from "../core/clock/HybridClock.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"

export type PeerClockLimits = ClockOffset.ClockLimits & Pick<NodeLimits, "skewMillis">

export class PeerClocks {
  readonly #runtime: Pick<Runtime, "elapsed" | "now">
  readonly #limits: PeerClockLimits
  readonly #offsets = new Map<NodeId, ClockOffset.ClockOffset>()
  /** Of the own clock; undefined since a frame told something new. */
  #correction: number | undefined = 0
  /** On the monotonic clock: from then on samples may have aged. */
  #rightUntil = -Infinity
  /** How far the own wall clock was before the monotonic one then. */
  #lead = 0

  constructor(
    options: {
      readonly runtime: Pick<Runtime, "elapsed" | "now">
      readonly limits: PeerClockLimits
    }
  ) {
    this.#runtime = options.runtime
    this.#limits = options.limits
  }

  /** Notes how far a frame says that its sender's clock is ahead. */
  heard(from: NodeId, bounds: ClockOffset.Bounds): void {
    const known = this.#offsets.get(from) ?? ClockOffset.unknown
    const next = ClockOffset.observe(known, { ...this.#moment(), ...bounds }, this.#limits)
    if (next === known) return
    this.#offsets.set(from, next)
    this.#correction = undefined
  }

  /** Forgets all other nodes. */
  retain(nodes: ReadonlySet<NodeId>): void {
    for (const node of this.#offsets.keys()) if (!nodes.has(node)) this.#offsets.delete(node)
    this.#correction = undefined
  }

  /** How far each clock is ahead, of the members that were heard lately. */
  offsets(): ReadonlyMap<NodeId, number> {
    const moment = this.#moment()
    const known = new Map<NodeId, number>()
    for (const [node, samples] of this.#offsets) {
      const millis = ClockOffset.estimate(samples, moment, this.#limits)
      if (millis !== undefined) known.set(node, millis)
    }
    return known
  }

  /** What is to be added to the own clock: 0 unless the median of all disagrees. */
  correction(): number {
    const { at, wall } = this.#moment()
    const isRight = at < this.#rightUntil && Math.abs(wall - at - this.#lead) < leadNoiseMillis
    if (this.#correction !== undefined && isRight) return this.#correction
    const offsets = [...this.offsets().values()]
    const { skewMillis } = this.#limits
    const slot = ClockOffset.slotMillis(this.#limits)
    this.#rightUntil = (Math.floor(at / slot) + 1) * slot
    this.#lead = wall - at
    return this.#correction = HybridClock.correction({ offsets, skewMillis })
  }

  #moment(): ClockOffset.Moment {
    return { at: this.#runtime.elapsed(), wall: this.#runtime.now() }
  }
}

/** A wall clock in whole milliseconds moves by less than two against the monotonic one. */
const leadNoiseMillis = 2
