/**
 * Defines a class of faults: it is drawn, it begins, and it ends.
 */
import type { PlannedFault } from "./Plan.ts"
import type { SeededRandom } from "./SeededRandom.ts"
import type { SimCluster } from "./SimCluster.ts"
import type { PlanFacts } from "./Workload.ts"

export type DrawnFault = Omit<PlannedFault, "id" | "fault">

/** The facts from which faults are drawn. */
export interface FaultFacts extends PlanFacts {
  /** The only node whose disk may lose, damage or forget anything in this run. */
  readonly victim: string
}

export interface FaultClass {
  readonly name: string
  /** In a sentence, for people. */
  readonly what: string
  /** The faults of one run. All draws must come from `random` and `facts`. */
  readonly draw: (random: SeededRandom, facts: FaultFacts) => ReadonlyArray<DrawnFault>
  /**
   * Begins it. `cluster.did(name)` counts each time that it does something, here or later: a fault
   * that meets nothing tests nothing. `cluster.didDamage` does so where a disk lost data.
   */
  readonly begin: (cluster: SimCluster, fault: PlannedFault) => void
  /** Ends the effect of `begin`, even where other faults of this class go on. */
  readonly end: (cluster: SimCluster, fault: PlannedFault) => void
}

/** Nothing is to be ended: the effect stays, or has ended by itself. */
export const lasts = (): void => {}

/** Faults one after another with exponential pauses, each with a node, another one and a number. */
export const drawSeries = (
  random: SeededRandom,
  facts: PlanFacts,
  options: {
    readonly pauseMeanMillis: number
    readonly lastsMeanMillis: number
    /** The only node that it happens to; any unless said otherwise. */
    readonly node?: string
    /** The number of each fault; [0, 1) where it does not matter. */
    readonly amount?: () => number
  }
): ReadonlyArray<DrawnFault> => {
  const drawn: Array<DrawnFault> = []
  for (;;) {
    const before = drawn.at(-1)?.atMillis ?? 0
    const atMillis = Math.round(before + random.exponential(options.pauseMeanMillis))
    if (atMillis >= facts.chaosMillis) return drawn
    drawn.push({
      atMillis,
      forMillis: Math.round(random.exponential(options.lastsMeanMillis)),
      node: options.node ?? random.pick(facts.nodes),
      other: random.pick(facts.nodes),
      amount: options.amount?.() ?? random.next()
    })
  }
}

/** A few faults at times of their own, for faults that are too rare or too grave for a series. */
export const drawFew = (
  random: SeededRandom,
  facts: PlanFacts,
  options: {
    readonly most: number
    readonly lastsMeanMillis: number
    readonly node?: string
    readonly amount?: () => number
  }
): ReadonlyArray<DrawnFault> =>
  Array.from({ length: random.integer(1, options.most) }, () => ({
    atMillis: random.integer(0, facts.chaosMillis - 1),
    forMillis: Math.round(random.exponential(options.lastsMeanMillis)),
    node: options.node ?? random.pick(facts.nodes),
    other: random.pick(facts.nodes),
    amount: options.amount?.() ?? random.next()
  }))
