/**
 * Says what a class of faults is: something that is drawn, begins, and ends.
 */
import type { PlannedFault } from "./Plan.ts"
import type { SeededRandom } from "./SeededRandom.ts"
import type { SimCluster } from "./SimCluster.ts"
import type { PlanFacts } from "./Workload.ts"

export type DrawnFault = Omit<PlannedFault, "id" | "fault">

export interface FaultClass {
  readonly name: string
  /** In a sentence, for the README. */
  readonly what: string
  /** The faults of one run. Whatever is drawn must come from `random` and `facts`. */
  readonly draw: (random: SeededRandom, facts: PlanFacts) => ReadonlyArray<DrawnFault>
  readonly begin: (cluster: SimCluster, fault: PlannedFault) => void
  /** Ends what `begin` began, even where other faults of this class go on. */
  readonly end: (cluster: SimCluster, fault: PlannedFault) => void
}

/** Faults one after another with exponential pauses, each with a node, another one and a number. */
export const drawSeries = (
  random: SeededRandom,
  facts: PlanFacts,
  options: {
    readonly pauseMeanMillis: number
    readonly lastsMeanMillis: number
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
      node: random.pick(facts.nodes),
      other: random.pick(facts.nodes),
      amount: options.amount?.() ?? random.next()
    })
  }
}
