/**
 * Decides which nodes own each partition: computed by every node alike, without a coordinator, from
 * the members and the previous owners.
 *
 * In this order, the owners of a partition are distinct nodes, in distinct zones where there are
 * enough, every node holds its share rounded down or up, and as few (partition, owner) pairs as
 * possible are new. Together this is a minimum-cost flow from partitions through zones to nodes,
 * where a pair costs 1 unless it was there before. The pairs that stay from before are a flow of
 * cost 0; each step from there is a cheapest path, and so the end is optimal too. At first that is
 * any plain hand-over, of cost 1: `handOut` makes all it meets in one walk, and `settle` does the
 * rest.
 */
import type { NodeId } from "../model/Names.ts"
import { Assignment } from "./Assignment.ts"
import type { Member } from "./Membership.ts"
import { orderOwners } from "./PreferenceOrder.ts"
import { rendezvousHash, seedOf } from "./RendezvousHash.ts"
import { settle } from "./MinCostFlow.ts"
import { sharesOf } from "./WeightedShares.ts"
import { zoneCapOf, zonesOf } from "./Zones.ts"

/** The owners of each partition, in order. */
export type Owners = ReadonlyArray<ReadonlyArray<NodeId>>

export const claim = (options: {
  /** How many owners a partition has where there are as many nodes. */
  readonly replicaCount: number
  readonly members: ReadonlyArray<Member>
  /** As many lists as there are partitions; nodes that are no members any more are passed over. */
  readonly previous: Owners
}): Owners => {
  const { members, previous } = options
  const partitionCount = previous.length
  const ownerCount = Math.min(options.replicaCount, members.length)
  const zones = zonesOf(members)
  const zoneCap = zoneCapOf(zones, ownerCount)
  const shares = sharesOf({
    weights: members.map(({ weight }) => weight),
    zones,
    total: partitionCount * ownerCount,
    nodeCap: partitionCount,
    zoneCap: partitionCount * zoneCap
  })
  const numbers = new Map(members.map(({ id }, number) => [id, number]))
  const kept = previous.map((list) =>
    withinZones(list.flatMap((id) => numbers.get(id) ?? []), { zones, zoneCap })
  )
  const assignment = new Assignment({ ownerCount, zoneCap, zones, shares, kept })
  handOut(assignment, members.map(({ id }) => seedOf(id)))
  settle(assignment)
  orderOwners(assignment.lists, { zones, ownerCount })
  return assignment.lists.map((list) => list.map((node) => members[node]!.id))
}

/** The owners that may stay: zones may have come or changed, so that one has too many of a list. */
const withinZones = (
  list: ReadonlyArray<number>,
  { zones, zoneCap }: { readonly zones: ReadonlyArray<number>; readonly zoneCap: number }
): ReadonlyArray<number> =>
  list.filter((node, at) =>
    list.slice(0, at).filter((other) => zones[other] === zones[node]).length < zoneCap
  )

/** Fills gaps and moves the surplus, wherever one hand-over does it. */
const handOut = (assignment: Assignment, seeds: ReadonlyArray<number>): void => {
  const { lists, shares } = assignment
  const takes = (node: number) =>
    assignment.isShort(node) || (assignment.spare > 0 && assignment.canRoundUp(node))
  const gives = (node: number) =>
    assignment.isOver(node) || (assignment.spare < 0 && assignment.canRoundDown(node))
  const missing = (node: number) => shares[node]!.least - assignment.held(node)
  /** The node that lacks the largest part of its share; among equals, no node is favoured. */
  const neediest = (partition: number, leaving?: number): number | undefined => {
    const tie = (node: number) => rendezvousHash({ seed: seeds[node]!, partition })
    let best: number | undefined
    for (const node of shares.keys()) {
      if (!takes(node) || !assignment.admits({ partition, node, leaving })) continue
      const difference = best === undefined
        ? 1
        : missing(node) * Math.max(1, shares[best]!.least)
            - missing(best) * Math.max(1, shares[node]!.least) || tie(node) - tie(best)
      if (difference > 0) best = node
    }
    return best
  }
  for (const partition of scattered(lists.length, seeds)) {
    while (assignment.lacksOwner(partition)) {
      const node = neediest(partition)
      if (node === undefined) break
      assignment.make({ partition, node })
    }
    for (const leaving of lists[partition]!.toSorted((a, b) => missing(a) - missing(b))) {
      const node = gives(leaving) ? neediest(partition, leaving) : undefined
      if (node !== undefined) assignment.make({ partition, node, leaving })
    }
  }
}

/**
 * The partitions in an order of these members' own: else all nodes that join would meet in the
 * same.
 */
const scattered = (count: number, seeds: ReadonlyArray<number>): ReadonlyArray<number> => {
  const seed = seeds.reduce((all, one) => all ^ one, 0)
  const keys = Array.from({ length: count }, (_, partition) => rendezvousHash({ seed, partition }))
  return [...keys.keys()].sort((a, b) => keys[a]! - keys[b]! || a - b)
}
