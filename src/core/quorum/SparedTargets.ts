/**
 * Chooses the targets that a read spares: it asks as many as its needs ask for, the own replica
 * first, and the others only when those turn out not to be enough.
 *
 * @see apache/cassandra, "rapid read protection" (CASSANDRA-4705), which asks as many in this way
 */
import type { ReadNeeds } from "./Quorum.ts"
import type { Nodes } from "./Targets.ts"
import * as Targets from "./Targets.ts"

export interface Preference {
  /** The index of the own replica, which is asked in any case; -1 without one. */
  readonly own: number
  /** Believed down: asked only where the others are not enough. */
  readonly suspects: number
  /** Of targets that are as good as each other, those are asked that come next after this. */
  readonly turn: number
}

/**
 * The set of targets to spare.
 *
 * **Guarantees** that the others meet the needs if all of them answer, or that none is spared; and
 * that none is spared amid a transfer, when previous owners are asked for what may not have moved.
 */
export const choose = (
  { pr, r }: Pick<ReadNeeds, "r" | "pr">,
  { targets }: Nodes,
  { own, suspects, turn }: Preference
): number => {
  const count = targets.length
  let [spared, votes, primaries] = [0, 0, 0]
  for (let index = 0; index < count; index++) {
    const { previous, primary, up } = targets[index]!
    if (previous) return 0
    if (index === own) {
      votes++
      if (primary) primaries++
    } else if (up) spared |= 1 << index
  }
  // Counted from the own replica, so that it does not give its turns to the one after it.
  const others = own < 0 ? count : Math.max(count - 1, 1)
  for (let rank = 0; rank < ranks; rank++) {
    for (let i = 0; i < count; i++) {
      if (votes >= r && primaries >= pr) return spared
      const index = (own + 1 + (turn + i) % others) % count
      const { primary } = targets[index]!
      if (!Targets.has(spared, index)) continue
      if ((primary ? 0 : 1) + (Targets.has(suspects, index) ? 2 : 0) !== rank) continue
      spared &= ~(1 << index)
      votes++
      if (primary) primaries++
    }
  }
  return spared
}

/** Complete and up, up, complete and suspect, suspect. */
const ranks = 4

/** Numbers in which each bit depends on the number of a read, for choices that even out. */
export const shuffled = (number: number): number => {
  const mixed = Math.imul(number ^ (number >>> 15), 0x9e37_79b1)
  const more = Math.imul(mixed ^ (mixed >>> 13), 0x85eb_ca77)
  return (more ^ (more >>> 16)) >>> 0
}
