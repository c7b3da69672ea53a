/**
 * Tells from outside whether a store that lost something can be filled: each partition of its node
 * has another owner that is complete.
 */
import type { SimCluster } from "./SimCluster.ts"

export const isFillable = ({ nodes }: SimCluster, id: string): boolean => {
  const view = [...nodes.values()].find((node) => node.id === id)?.core?.view
  if (view === undefined) return false
  const complete = new Set(
    [...nodes.values()]
      .filter(({ core }) => core?.formation.completeness() === "complete")
      .map((node) => node.id)
  )
  const { partitionCount, replicaCount } = view.ring
  for (let partition = 0; partition < partitionCount; partition++) {
    const owners = view.preferenceList(partition).slice(0, replicaCount)
    if (owners.includes(view.self) && !owners.some((owner) => complete.has(owner))) return false
  }
  return true
}
