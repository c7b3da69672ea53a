/**
 * Looks at a healed cluster until nothing is kept for other nodes any more, and says who still
 * keeps something: nobody may, where all nodes are up and their disks work.
 */
import { documentNameOf } from "./Plan.ts"
import type { Named, SimCluster } from "./SimCluster.ts"

/** Hints wait for a target to be heard, for its disk, and for a document that changed meanwhile. */
const handoffMillis = 60_000

/** Lets time pass until all is handed over, at most a minute; returns the debts that are left. */
export const handOver = (
  cluster: SimCluster,
  documents: ReadonlyArray<Named>
): ReadonlyArray<string> => {
  const { kernel } = cluster
  const nodes = [...cluster.nodes.values()]
  const owes = () => nodes.some(({ core }) => (core?.replica.hints.stats().hints ?? 0) > 0)
  kernel.run(kernel.now + handoffMillis, () => !owes())
  return nodes.flatMap(({ core, id }) => {
    // A disk that lost data may have lost hints, or show the rows of some again.
    if (core === undefined || cluster.damaged.has(id)) return []
    const owed = core.replica.hints.owed().map(({ hints, target }) =>
      `${id} owes ${target} ${hints} documents`
    )
    const kept = documents.filter((document) =>
      !cluster.primaries(document).includes(id)
      && core.replica.read(cluster.rowOf(document))._tag !== "Absent"
    )
    return [...owed, ...kept.map((document) => `${id} keeps ${documentNameOf(document)}`)]
  })
}
