/**
 * Says which replicas a read spares, by what this node believes of them.
 */
import type * as ReadDecision from "../core/quorum/ReadDecision.ts"
import * as SparedTargets from "../core/quorum/SparedTargets.ts"
import type * as Targets from "../core/quorum/Targets.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"

/** The targets that a read spares; a share of reads spares none, and repairs all replicas. */
export const sparedTargets = (
  { counters, limits: { readAllPercent }, node, view: { liveness } }: CoordinatorContext,
  needs: ReadDecision.ReadCounts,
  nodes: Targets.Nodes
): number => {
  const draw = SparedTargets.shuffled(counters.reads)
  if (draw % 100 < readAllPercent) return 0
  let [own, suspects] = [-1, 0]
  for (let index = 0; index < nodes.targets.length; index++) {
    const target = nodes.targets[index]!.node
    if (target === node) own = index
    else if (!liveness.isUp(target)) suspects |= 1 << index
  }
  return SparedTargets.choose(needs, nodes, { own, suspects, turn: draw >>> 8 })
}
