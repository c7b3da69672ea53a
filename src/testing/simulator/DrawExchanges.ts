/**
 * Draws whether the nodes of a plan compare their documents in the background, and under which
 * limits.
 */
import { lan } from "../../core/model/Limits.ts"
import type { PlannedLimits } from "./Plan.ts"
import type { SeededRandom } from "./SeededRandom.ts"

/** Of the plans: the others show what reads alone repair. */
const share = 0.4

export const drawExchanges = (random: SeededRandom): PlannedLimits =>
  random.chance(share)
    ? {
      exchangeMillis: random.pick([300, 1_000, 2_000]),
      differenceMillis: random.pick([20, 200, lan.node.differenceMillis]),
      exchangeAnswerMillis: random.pick([500, lan.node.exchangeAnswerMillis]),
      repairBytesPerSecond: random.pick([2_000, 20_000, lan.node.repairBytesPerSecond]),
      repairBatchBytes: random.pick([1, 300, lan.node.repairBatchBytes]),
      versionsInMessageMax: random.pick([1, 3, lan.node.versionsInMessageMax]),
      partitionsInMessageMax: random.pick([1, 5, lan.node.partitionsInMessageMax]),
      sketchCellsMax: random.pick([4, 16, lan.node.sketchCellsMax]),
      sketchVersionsMax: random.pick([1, 4, lan.node.sketchVersionsMax]),
      // Not drawn, so that the seeds that are known draw the same as before.
      fillRoundsMax: 2,
      versionRowsMax: random.pick([1, 3, lan.node.versionRowsMax]),
      versionPauseMillis: random.pick([1, 10]),
      scrubMillis: random.pick([5_000, 15_000, lan.node.scrubMillis]),
      backgroundTargetMillis: random.pick([1, lan.node.backgroundTargetMillis]),
      backgroundPercentMin: random.pick([25, 100]),
      backgroundWindowMillis: random.pick([500, 5_000])
    }
    : {}
