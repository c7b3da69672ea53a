/**
 * Draws a whole plan from one number.
 */
import { drawExchanges } from "./DrawExchanges.ts"
import { drawLimits } from "./DrawLimits.ts"
import { drawFaults } from "./Faults.ts"
import type { FaultClass } from "./FaultClass.ts"
import type { Plan, PlannedLimits } from "./Plan.ts"
import type { SeededRandom } from "./SeededRandom.ts"
import { stream } from "./SeededRandom.ts"
import { drawWorkload, type PlanFacts, type Workload } from "./Workload.ts"

export interface DrawOptions {
  /** Which faults there may be; all unless said otherwise. */
  readonly faults?: ReadonlyArray<FaultClass>
  /** How many nodes there are; drawn unless said otherwise. */
  readonly nodes?: number | undefined
  /** Draws the clients' operations; the simulator's own unless said otherwise. */
  readonly workload?: (random: SeededRandom, facts: PlanFacts) => Workload
}

/** Of the seeds: real databases cost more time, and find faults of storage only. */
const sqliteShare = 0.05

const limitsOf = (seed: number): PlannedLimits => ({
  ...drawLimits(stream(seed, "limits")),
  ...drawExchanges(stream(seed, "anti-entropy"))
})

export const drawPlan = (seed: number, options: DrawOptions = {}): Plan => {
  const random = stream(seed, "plan")
  const { workload = drawWorkload } = options
  const drawnCount = random.pick([3, 3, 3, 4, 5, 7])
  const count = options.nodes ?? drawnCount
  const facts = {
    nodes: Array.from({ length: count }, (_, index) => `n${index + 1}`),
    chaosMillis: random.integer(10_000, 20_000)
  }
  return {
    seed,
    nodes: facts.nodes,
    partitionCount: random.pick([8, 16, 64]),
    answerLoss: random.pick([0, 0, 0.02, 0.2]),
    lateShare: stream(seed, "late").pick([0, 0.05]),
    chaosMillis: facts.chaosMillis,
    maxPayloadBytes: stream(seed, "payload").pick([65_536, 65_536, 1_024]),
    // Mostly small, so that requests read the disk and its faults are met.
    cacheBytesMax: stream(seed, "cache").pick([0, 2_000, 2_000, 100_000]),
    // An application's documents may be larger than small limits let through.
    ...options.workload === undefined ? { limits: limitsOf(seed) } : {},
    disk: stream(seed, "storage").chance(sqliteShare) ? "sqlite" : "model",
    ...workload(stream(seed, "workload"), facts),
    faults: drawFaults(seed, facts, options.faults)
  }
}
