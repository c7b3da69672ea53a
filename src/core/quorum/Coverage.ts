/**
 * Counts the partitions of which enough owners have answered a question that spans many partitions,
 * such as a listing: of the others, documents may be missing from the answer.
 */
import type { NodeId } from "../model/Names.ts"

export interface Coverage {
  /** Partitions of which enough owners have answered. */
  readonly reached: number
  /** Partitions that the question spans. */
  readonly partitions: number
}

/**
 * The coverage of partitions `first` to `last`, both included; none where `last` is less.
 * `needed` answers of `primariesOf(partition)` are enough.
 */
export const coverage = (
  options: {
    readonly first: number
    readonly last: number
    readonly needed: number
    readonly primariesOf: (partition: number) => ReadonlyArray<NodeId>
    readonly hasAnswered: (node: NodeId) => boolean
  }
): Coverage => {
  const { first, hasAnswered, last, needed, primariesOf } = options
  let reached = 0
  for (let partition = first; partition <= last; partition++) {
    if (primariesOf(partition).filter(hasAnswered).length >= needed) reached++
  }
  return { reached, partitions: Math.max(last - first + 1, 0) }
}
