/**
 * Lets the network lose, delay, repeat, replay and damage messages for a while. A delayed message
 * is also reordered, and a replayed one may come to a later incarnation of its receiver.
 */
import { drawSeries, type FaultClass } from "../FaultClass.ts"
import type { NetworkFaults } from "../SimNetwork.ts"

/** A kind of network fault; `badness` is in [0, 1). */
const networkFault = (
  name: string,
  what: string,
  conditionsOf: (badness: number) => Partial<NetworkFaults>
): FaultClass => ({
  name,
  what,
  draw: (random, facts) =>
    drawSeries(random, facts, {
      pauseMeanMillis: random.pick([500, 3_000]),
      lastsMeanMillis: random.pick([500, 3_000, 10_000])
    }),
  begin: (cluster, { amount, id }) => cluster.network.weather.set(id, conditionsOf(amount)),
  end: (cluster, { id }) => cluster.network.weather.set(id)
})

export const networkFaults: ReadonlyArray<FaultClass> = [
  networkFault("loss", "messages are lost, up to 30 %", (badness) => ({ loss: 0.3 * badness })),
  networkFault("duplication", "messages come twice, up to half of them", (badness) => ({
    duplication: 0.5 * badness
  })),
  networkFault("replay", "messages come once more, up to a minute later", (badness) => ({
    replay: 0.2 * badness
  })),
  networkFault("turned", "a bit of messages is turned, in up to a tenth of them", (badness) => ({
    turned: 0.1 * badness
  })),
  networkFault("delay", "messages take up to 100 ms on average, some of them 10 s", (badness) => ({
    delayMeanMillis: 2 + 100 * badness,
    tailShare: 0.02 * badness
  }))
]
