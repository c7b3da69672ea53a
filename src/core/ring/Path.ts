/**
 * Finds the cheapest chain of hand-overs from nodes that hold too much to nodes that hold too
 * little: a shortest augmenting path of a minimum-cost flow (Ahuja, Magnanti and Orlin, "Network
 * Flows", 9.7), by Bellman and Ford, since undoing a hand-over of this claim has a negative cost.
 */
import { invariant } from "../Invariant.ts"

/** In `partition`, `to` takes the place of `from`; without a partition only a count changes. */
export interface Hop {
  readonly partition: number | undefined
  readonly from: number
  readonly to: number
  /** -1, 0 or 1. */
  readonly cost: number
}

/**
 * The hops from a start to an end with the least cost and, among those, the fewest hops: the
 * fewest, because then no hop can be in the way of another one in the same partition.
 *
 * **Requires** that no cycle has a negative cost: so it is as long as every change so far was along
 * such a path, beginning from a flow of cost 0.
 */
export const cheapestPath = (options: {
  readonly nodeCount: number
  readonly starts: ReadonlyArray<number>
  readonly isEnd: (node: number) => boolean
  /** Calls `offer` with every hop that is possible from a node. */
  readonly offers: (from: number, offer: (hop: Hop) => void) => void
}): ReadonlyArray<Hop> | undefined => {
  const { nodeCount, starts } = options
  const costUnit = nodeCount + 1
  const distances = Array.from({ length: nodeCount }, () => Infinity)
  const reachedBy = new Map<number, Hop>()
  const waiting = new Set(starts)
  for (const start of starts) distances[start] = 0
  for (const from of waiting) {
    waiting.delete(from)
    const before = distances[from]!
    options.offers(from, (hop) => {
      const { to } = hop
      const distance = before + hop.cost * costUnit + 1
      if (distance >= distances[to]!) return
      invariant(distance > -nodeCount * costUnit, "no cycle of hand-overs saves moves")
      distances[to] = distance
      reachedBy.set(to, hop)
      waiting.add(to)
    })
  }
  const [end] = [...reachedBy.keys()].filter(options.isEnd)
    .sort((a, b) => distances[a]! - distances[b]! || a - b)
  return end === undefined ? undefined : trace(reachedBy, end)
}

const trace = (reachedBy: ReadonlyMap<number, Hop>, end: number): ReadonlyArray<Hop> => {
  const path: Array<Hop> = []
  for (let hop = reachedBy.get(end); hop !== undefined; hop = reachedBy.get(hop.from)) {
    path.push(hop)
  }
  return path.reverse()
}
