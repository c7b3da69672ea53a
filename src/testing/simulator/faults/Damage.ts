/**
 * Lets one node's disk lose data that it had synced. Only one of a run: a write acknowledged with
 * two copies on disk must survive all of this.
 */
import type { Harm } from "../DiskImage.ts"
import { loseRow, rot, staleRow } from "../DiskImage.ts"
import { drawFew, drawSeries, type FaultClass, lasts } from "../FaultClass.ts"
import { stream } from "../SeededRandom.ts"
import type { SimCluster } from "../SimCluster.ts"
import type { PlannedFault } from "../Plan.ts"
import type { SimDisk } from "../SimDisk.ts"

const harm = (cluster: SimCluster, { amount, fault, node }: PlannedFault, how: Harm): void => {
  const random = stream(amount, "harm")
  const harmed = cluster.node(node).disk.damage(random, how)
  if (harmed === undefined) return
  cluster.didDamage(fault, node)
  if (harmed.isSilent) cluster.didLose(node, harmed.key)
}

/** Harms the disk of a process that runs on. */
const damage = (name: string, what: string, how: Harm): FaultClass => ({
  name,
  what,
  draw: (random, facts) =>
    drawSeries(random, facts, { pauseMeanMillis: 1_000, lastsMeanMillis: 1, node: facts.victim }),
  begin: (cluster, fault) => harm(cluster, fault, how),
  end: lasts
})

/** Kills the process, damages its disk, and starts it again. */
const amnesia = (
  name: string,
  what: string,
  forget: (disk: SimDisk, amount: number) => boolean
): FaultClass => ({
  name,
  what,
  draw: (random, facts) =>
    drawFew(random, facts, { most: 3, lastsMeanMillis: 500, node: facts.victim }),
  begin: (cluster, { amount, fault, node: id }) => {
    const node = cluster.node(id)
    node.crash()
    if (!forget(node.disk, amount)) return
    cluster.didDamage(fault, id)
    cluster.didLose(id)
  },
  end: (cluster, { node }) => cluster.node(node).start()
})

/** Commits that a flipped bit in a log of some seconds can cost. */
const logCommits = 20

export const damageFaults: ReadonlyArray<FaultClass> = [
  damage("bit flip", "a bit flips in a header or element", rot),
  damage("missing row", "a header, an element or a whole document is gone", loseRow),
  damage("stale page", "an earlier version of a document or element is back", staleRow),
  amnesia(
    "lost log end",
    "a crash costs the last commits, as a flipped bit in the log does",
    (disk, amount) => disk.rewind(1 + Math.floor(amount * logCommits))
  ),
  amnesia(
    "old disk",
    "a node starts from an old copy of its disk",
    (disk) => disk.rewind(Infinity)
  ),
  amnesia("wipe", "a node's disk is lost, and it starts with an empty one", (disk) => disk.wipe())
]
