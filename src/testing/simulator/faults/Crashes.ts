/**
 * Kills the process of a node and starts it again, on what its disk kept.
 */
import { drawSeries, type FaultClass } from "../FaultClass.ts"

export const crashes: FaultClass = {
  name: "crash",
  what: "the process of a node dies at once and comes back as a new incarnation",
  draw: (random, facts) =>
    drawSeries(random, facts, {
      pauseMeanMillis: random.pick([1_000, 4_000]),
      lastsMeanMillis: random.pick([1, 200, 2_000])
    }),
  begin: (cluster, { node }) => cluster.node(node).crash(),
  end: (cluster, { node }) => cluster.node(node).start()
}
