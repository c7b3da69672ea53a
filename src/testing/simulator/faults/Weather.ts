/**
 * Lets the network lose, delay, repeat and replay messages for a while.
 */
import { drawSeries, type FaultClass } from "../FaultClass.ts"
import type { PlannedFault } from "../Plan.ts"
import type { SimCluster } from "../SimCluster.ts"
import { fairWeather } from "../SimNetwork.ts"

/** The kinds of bad weather; those whose bits are set in `amount` come together. */
const kinds = [
  { loss: 0.05 },
  { loss: 0.3 },
  { delayMeanMillis: 30 },
  { delayMeanMillis: 150 },
  { tailShare: 0.02 },
  { duplication: 0.3 },
  { replay: 0.1 }
]

const set = (cluster: SimCluster, { amount }: PlannedFault): void => {
  const chosen = kinds.filter((_, index) => (amount >>> index & 1) === 1)
  cluster.network.weather = Object.assign({ ...fairWeather }, ...chosen)
}

export const weather: FaultClass = {
  name: "weather",
  what: "messages are lost, late, doubled, or come again much later",
  draw: (random, facts) =>
    drawSeries(random, facts, {
      pauseMeanMillis: 1_500,
      lastsMeanMillis: 3_000,
      amount: () => random.integer(1, 2 ** kinds.length - 1)
    }),
  // Of several at a time the last one counts, until it ends.
  begin: set,
  end: (cluster) => {
    cluster.network.weather = { ...fairWeather }
  }
}
