/**
 * Says how few pairs a change could move, in two ways that share no code with the claim: a bound
 * that counts partitions only, and the optimum under all its rules, by a plain minimum-cost flow.
 */
import type * as Ring from "../../../src/core/ring/Ring.ts"
import { type Share, sharesOf } from "../../../src/core/ring/WeightedShares.ts"
import { zoneCapOf, zonesOf } from "../../../src/core/ring/Zones.ts"

interface Rules {
  readonly ownerCount: number
  readonly zones: ReadonlyArray<number>
  readonly zoneCap: number
  readonly shares: ReadonlyArray<Share>
}

const rulesOf = (ring: Ring.Ring): Rules => {
  const ownerCount = Math.min(ring.replicaCount, ring.members.length)
  const zones = zonesOf(ring.members)
  const zoneCap = zoneCapOf(zones, ownerCount)
  const shares = sharesOf({
    weights: ring.members.map(({ weight }) => weight),
    zones,
    total: ring.partitionCount * ownerCount,
    nodeCap: ring.partitionCount,
    zoneCap: ring.partitionCount * zoneCap
  })
  return { ownerCount, zones, zoneCap, shares }
}

/** The partitions that the members of `after` owned in `before`, as their numbers in `after`. */
const keptOf = (before: Ring.Ring, after: Ring.Ring): ReadonlyArray<ReadonlyArray<number>> => {
  const numbers = new Map(after.members.map(({ id }, number) => [id, number]))
  return before.owners.map((list) => list.flatMap((id) => numbers.get(id) ?? []))
}

/**
 * The sum over all nodes of max(0, target - held), for the targets within one partition of the
 * exact shares that make it least. No rule about which partition goes where is counted, so that no
 * claim can always reach it.
 */
export const leastByCounts = (before: Ring.Ring, after: Ring.Ring): number => {
  const { ownerCount, shares } = rulesOf(after)
  const held = shares.map(() => 0)
  for (const node of keptOf(before, after).flat()) held[node]!++
  let gained = 0
  let placed = 0
  for (const [node, { least, most }] of shares.entries()) {
    const isWhole = least === most
    const low = isWhole ? least - 1 : least
    const high = isWhole ? Math.min(most + 1, after.partitionCount) : most
    const target = Math.min(high, Math.max(low, held[node]!))
    gained += Math.max(0, target - held[node]!)
    placed += target
  }
  return gained + Math.max(0, after.partitionCount * ownerCount - placed)
}

/** Whether zones that came or changed force owners out of lists where they were. */
export const breaksZones = (before: Ring.Ring, after: Ring.Ring): boolean => {
  const { zoneCap, zones } = rulesOf(after)
  return keptOf(before, after).some((list) =>
    list.some((node) => list.filter((other) => zones[other] === zones[node]).length > zoneCap)
  )
}

interface Edge {
  readonly from: number
  readonly to: number
  readonly cost: number
  room: number
}

/** The least moves that keep owners distinct, zones apart and every share rounded. */
export const leastByRules = (before: Ring.Ring, after: Ring.Ring): number => {
  const { ownerCount, shares, zoneCap, zones } = rulesOf(after)
  const kept = keptOf(before, after)
  // Filling the smaller roundings first is worth more than any number of moves.
  const prize = after.partitionCount * ownerCount + 1
  const vertices = new Map<string, number>()
  const vertex = (name: string) => {
    const number = vertices.get(name) ?? vertices.size
    vertices.set(name, number)
    return number
  }
  const [source, sink] = [vertex("source"), vertex("sink")]
  const edges: Array<Edge> = []
  const connect = (from: number, to: number, options: { room: number; cost: number }) => {
    edges.push({ from, to, ...options }, { from: to, to: from, room: 0, cost: -options.cost })
  }
  for (const [node, { least, most }] of shares.entries()) {
    connect(vertex(`node ${node}`), sink, { room: least, cost: -prize })
    connect(vertex(`node ${node}`), sink, { room: most - least, cost: 0 })
  }
  for (const [partition, list] of kept.entries()) {
    connect(source, vertex(`partition ${partition}`), { room: ownerCount, cost: 0 })
    for (const zone of new Set(zones)) {
      const inZone = vertex(`partition ${partition} zone ${zone}`)
      connect(vertex(`partition ${partition}`), inZone, { room: zoneCap, cost: 0 })
      for (const node of zones.keys()) {
        const cost = list.includes(node) ? 0 : 1
        if (zones[node] === zone) connect(inZone, vertex(`node ${node}`), { room: 1, cost })
      }
    }
  }
  const cost = cheapestFlow({ edges, source, sink, vertexCount: vertices.size })
  return cost + prize * shares.reduce((sum, { least }) => sum + least, 0)
}

const cheapestFlow = (options: {
  readonly edges: ReadonlyArray<Edge>
  readonly source: number
  readonly sink: number
  readonly vertexCount: number
}): number => {
  const { edges, sink, source } = options
  for (let total = 0;;) {
    const distances = Array.from({ length: options.vertexCount }, () => Infinity)
    const reachedBy = new Map<number, number>()
    distances[source] = 0
    for (let changed = true; changed;) {
      changed = false
      for (const [index, { cost, from, room, to }] of edges.entries()) {
        if (room === 0 || distances[from]! + cost >= distances[to]!) continue
        distances[to] = distances[from]! + cost
        reachedBy.set(to, index)
        changed = true
      }
    }
    if (distances[sink] === Infinity) return total
    total += distances[sink]!
    for (let at = sink; at !== source; at = edges[reachedBy.get(at)!]!.from) {
      const index = reachedBy.get(at)!
      edges[index]!.room--
      edges[index ^ 1]!.room++
    }
  }
}
