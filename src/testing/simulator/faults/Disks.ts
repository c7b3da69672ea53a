/**
 * Makes disks slow, full, or fail: writes are refused, and stored data stay.
 */
import { drawFew, drawSeries, type FaultClass } from "../FaultClass.ts"
import type { DiskMood } from "../DiskMood.ts"

/** A kind of bad disk; `badness` is in [0, 1). */
const badDisk = (
  name: string,
  what: string,
  moodOf: (badness: number) => Partial<DiskMood>
): FaultClass => ({
  name,
  what,
  draw: (random, facts) =>
    drawSeries(random, facts, {
      pauseMeanMillis: random.pick([1_000, 5_000]),
      lastsMeanMillis: random.pick([100, 2_000])
    }),
  begin: (cluster, { amount, id, node }) => cluster.node(node).disk.setMood(id, moodOf(amount)),
  end: (cluster, { id, node }) => cluster.node(node).disk.setMood(id)
})

export const diskFaults: ReadonlyArray<FaultClass> = [
  badDisk("slow disk", "commits take up to a second on average", (badness) => ({
    meanCommitMillis: 1_000 ** badness
  })),
  badDisk("full disk", "no commit finds space", () => ({ fullShare: 1 })),
  badDisk("disk error", "commits fail", (badness) => ({ errorShare: badness })),
  {
    name: "all disks",
    what: "the machine below all disks fails for a while: no commit succeeds anywhere",
    draw: (random, facts) =>
      drawFew(random, facts, { most: 4, lastsMeanMillis: random.pick([100, 1_000]) }),
    begin: (cluster, { fault, id }) => {
      cluster.did(fault)
      for (const { disk } of cluster.nodes.values()) disk.setMood(id, { errorShare: 1 })
    },
    end: ({ nodes }, { id }) => {
      for (const { disk } of nodes.values()) disk.setMood(id)
    }
  }
]
