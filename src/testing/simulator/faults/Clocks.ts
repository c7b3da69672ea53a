/**
 * Lets wall clocks be off, drift and jump. Mostly within the allowed skew, now and then by far
 * more. They stay wrong when all else heals; only stopped clocks go on.
 */
import { drawFew, drawSeries, type FaultClass, lasts } from "../FaultClass.ts"
import type { SeededRandom } from "../SeededRandom.ts"

const secondMillis = 1_000
const minuteMillis = 60 * secondMillis
const dayMillis = 24 * 60 * minuteMillis

/** Up to 10 s either way; 10 min in one of twenty, a day in one of a hundred. */
const drawOffset = (random: SeededRandom): number => {
  const kind = random.next()
  const most = kind < 0.01 ? dayMillis : kind < 0.06 ? 10 * minuteMillis : 10 * secondMillis
  return Math.round((2 * random.next() - 1) * most)
}

const driftMax = 500e-6

export const clockFaults: ReadonlyArray<FaultClass> = [
  {
    name: "clock offset",
    what: "a clock is off from the start, mostly up to 10 s, sometimes a day",
    draw: (random, facts) =>
      facts.nodes.filter(() => random.chance(0.5)).map((node) => ({
        atMillis: 0,
        forMillis: 0,
        node,
        other: node,
        amount: drawOffset(random)
      })),
    begin: (cluster, { amount, fault, node }) => {
      cluster.node(node).clock.offsetMillis += amount
      cluster.did(fault)
    },
    end: lasts
  },
  {
    name: "clock drift",
    what: "a clock is up to 500 ppm too fast or too slow",
    draw: (random, facts) =>
      drawFew(random, facts, {
        most: 4,
        lastsMeanMillis: 1,
        amount: () => (2 * random.next() - 1) * driftMax
      }),
    begin: (cluster, { amount, fault, node }) => {
      const { clock } = cluster.node(node)
      // From here on: its present time stays as it is.
      clock.offsetMillis += cluster.kernel.now * (clock.drift - amount)
      clock.drift = amount
      cluster.did(fault)
    },
    end: lasts
  },
  {
    name: "clock jump",
    what: "a clock is set forward or back",
    draw: (random, facts) =>
      drawFew(random, facts, { most: 8, lastsMeanMillis: 1, amount: () => drawOffset(random) }),
    begin: (cluster, { amount, fault, node }) => {
      cluster.node(node).clock.offsetMillis += amount
      cluster.did(fault)
    },
    end: lasts
  },
  {
    name: "clock freeze",
    what: "a clock stands still for a while, and then jumps to where it should be",
    draw: (random, facts) =>
      drawSeries(random, facts, {
        pauseMeanMillis: 4_000,
        lastsMeanMillis: random.pick([100, 2_000, 10_000])
      }),
    begin: (cluster, { fault, id, node }) => {
      const atMillis = cluster.kernel.now
      cluster.node(node).clock.stops.set(id, { atMillis, met: () => cluster.did(fault) })
    },
    end: (cluster, { id, node }) => void cluster.node(node).clock.stops.delete(id)
  }
]
