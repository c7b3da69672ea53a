/**
 * Lists the partitions that a change of the ring moves, for an operator to see before agreeing.
 */
import { invariant } from "../Invariant.ts"
import type { NodeId } from "../model/Names.ts"
import type { Ring } from "./Ring.ts"

/** One owner of one partition. */
export interface Holding {
  readonly partition: number
  readonly node: NodeId
}

export interface Moves {
  readonly gained: ReadonlyArray<Holding>
  readonly lost: ReadonlyArray<Holding>
}

/** The owners after that were none before, and the other way round; by partition. */
export const moves = (before: Ring, after: Ring): Moves => {
  invariant(
    before.partitionCount === after.partitionCount,
    "Q is fixed for the lifetime of a cluster"
  )
  return { gained: onlyIn(after, before), lost: onlyIn(before, after) }
}

const onlyIn = (ring: Ring, other: Ring): ReadonlyArray<Holding> =>
  ring.owners.flatMap((list, partition) =>
    list.filter((node) => !other.owners[partition]!.includes(node))
      .map((node) => ({ partition, node }))
  )
