/**
 * Stops the process of a node for a while, as a long garbage collection or a frozen machine does;
 * what comes for it waits, and is then done all at once.
 */
import { drawSeries, type FaultClass } from "../FaultClass.ts"

export const pauses: FaultClass = {
  name: "pause",
  what: "the process of a node does nothing for a while",
  draw: (random, facts) =>
    drawSeries(random, facts, {
      pauseMeanMillis: 3_000,
      lastsMeanMillis: random.pick([50, 1_000, 5_000])
    }),
  begin: (cluster, { node }) => cluster.node(node).pause(),
  end: (cluster, { node }) => cluster.node(node).resume()
}
