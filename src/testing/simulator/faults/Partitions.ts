/**
 * Parts the nodes into two halves that do not reach one another.
 */
import { drawSeries, type FaultClass } from "../FaultClass.ts"
import type { PlannedFault } from "../Plan.ts"
import type { SimCluster } from "../SimCluster.ts"

/** Both ways between every node of one half and of the other; the bits of `amount` choose. */
const pairs = (
  cluster: SimCluster,
  { amount }: PlannedFault
): ReadonlyArray<readonly [string, string]> => {
  const nodes = [...cluster.nodes.keys()]
  const isLeft = (index: number) => (amount >>> index & 1) === 1
  return nodes.flatMap((from, i) =>
    nodes.flatMap((to, j) => (isLeft(i) === isLeft(j) ? [] : [[from, to] as const]))
  )
}

export const partitions: FaultClass = {
  name: "partition",
  what: "the nodes are parted into two halves",
  draw: (random, facts) =>
    drawSeries(random, facts, {
      pauseMeanMillis: 4_000,
      lastsMeanMillis: random.pick([300, 3_000, 15_000]),
      amount: () => random.integer(1, 2 ** facts.nodes.length - 2)
    }),
  begin: (cluster, fault) => {
    for (const [from, to] of pairs(cluster, fault)) cluster.network.cut(from, to)
  },
  end: (cluster, fault) => {
    for (const [from, to] of pairs(cluster, fault)) cluster.network.mend(from, to)
  }
}
