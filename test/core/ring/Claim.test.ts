// Checks the promises of every claim about its owners, after any history of the cluster.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { claim } from "../../../src/core/ring/Claim.ts"
import type * as Ring from "../../../src/core/ring/Ring.ts"
import { sharesOf } from "../../../src/core/ring/WeightedShares.ts"
import { zoneCapOf, zonesOf } from "../../../src/core/ring/Zones.ts"
import {
  histories,
  holdingsOf,
  join,
  member,
  members,
  nodeId,
  places,
  ringOf,
  ringsOf,
  step
} from "./clusters.ts"

const ownerCountOf = (ring: Ring.Ring) => Math.min(ring.replicaCount, ring.members.length)

const zoneOf = (ring: Ring.Ring): ReadonlyMap<string, number> => {
  const zones = zonesOf(ring.members)
  return new Map(ring.members.map(({ id }, index) => [id, zones[index]!]))
}

const expectDistinctOwners = (ring: Ring.Ring): void => {
  const ids = new Set(ring.members.map(({ id }) => id))
  const broken = ring.owners.filter((list) =>
    list.length !== ownerCountOf(ring) || new Set(list).size !== list.length
    || !list.every((id) => ids.has(id))
  )
  expect(ring.owners).toHaveLength(ring.partitionCount)
  expect(broken).toEqual([])
}

/** Every prefix spans as many zones as it can, so that a bucket with a smaller n is safe too. */
const expectDistinctZones = (ring: Ring.Ring): void => {
  const zones = zoneOf(ring)
  const cap = zoneCapOf([...zones.values()], ownerCountOf(ring))
  const broken = ring.owners.filter((list) => {
    const inOrder = list.map((id) => zones.get(id))
    const spanned = new Set(inOrder)
    return [...spanned].some((zone) => inOrder.filter((other) => other === zone).length > cap)
      || new Set(inOrder.slice(0, spanned.size)).size < spanned.size
  })
  expect(broken).toEqual([])
}

const expectShares = (ring: Ring.Ring): void => {
  const ownerCount = ownerCountOf(ring)
  const zones = zonesOf(ring.members)
  const shares = sharesOf({
    weights: ring.members.map(({ weight }) => weight),
    zones,
    total: ring.partitionCount * ownerCount,
    nodeCap: ring.partitionCount,
    zoneCap: ring.partitionCount * zoneCapOf(zones, ownerCount)
  })
  const holdings = holdingsOf(ring)
  for (const [index, { id }] of ring.members.entries()) {
    expect(holdings.get(id)).toBeGreaterThanOrEqual(shares[index]!.least)
    expect(holdings.get(id)).toBeLessThanOrEqual(shares[index]!.most)
  }
}

/** Where no zone has to appear twice in a list, each place of the lists is even by itself. */
const expectEvenRanks = (ring: Ring.Ring): void => {
  const ownerCount = ownerCountOf(ring)
  const holdings = holdingsOf(ring)
  const ranks = zoneCapOf(zonesOf(ring.members), ownerCount) === 1 ? ownerCount : 1
  for (let rank = 0; rank < ranks; rank++) {
    for (const [id, count] of holdingsOf(ring, rank)) {
      expect(count).toBeGreaterThanOrEqual(Math.floor(holdings.get(id)! / ownerCount))
      expect(count).toBeLessThanOrEqual(Math.ceil(holdings.get(id)! / ownerCount))
    }
  }
}

const always = (promise: (ring: Ring.Ring) => void): void => {
  fc.assert(
    fc.property(histories({ nodes: 14, changes: 6 }), (history) => {
      for (const ring of ringsOf(history)) promise(ring)
    }),
    { numRuns: 120 }
  )
}

describe("after every change of any cluster", () => {
  it("each partition has as many distinct owners as it can, all of them members", () => {
    always(expectDistinctOwners)
  })

  it("the owners are in distinct zones where there are enough, for any n of the bucket", () => {
    always(expectDistinctZones)
  })

  it("each node holds its weighted share, rounded down or up", () => {
    always(expectShares)
  })

  it("each node comes first in its n-th part of the lists it is in, rounded down or up", () => {
    always(expectEvenRanks)
  })

  it("claiming again changes nothing", () => {
    always((ring) => {
      const { members, owners, replicaCount } = ring
      expect(claim({ members, replicaCount, previous: owners })).toEqual(owners)
    })
  })
})

describe("a cluster of up to a thousand nodes", () => {
  it("keeps all of these promises, when it forms and when it changes", () => {
    const cluster = places({ minLength: 300, maxLength: 1_000 })
    fc.assert(
      fc.property(cluster, fc.nat(), (cluster, pick) => {
        const nodes = cluster.map((place, index) => member(`n${index}`, place))
        const formed = ringOf([join(...nodes)])
        const joined = step(formed, { _tag: "Join", member: member("late", { zone: "zone-0" }) })
        const left = step(joined, { _tag: "Leave", id: nodes[pick % nodes.length]!.id })
        for (const ring of [formed, joined, left]) {
          expectDistinctOwners(ring)
          expectDistinctZones(ring)
          expectShares(ring)
          expectEvenRanks(ring)
        }
      }),
      { numRuns: 6 }
    )
  })
})

describe("a replacement", () => {
  it("inherits every place of the node it replaces, and no other node moves", () => {
    fc.assert(
      fc.property(histories({ nodes: 14, changes: 4 }), fc.nat(), (history, pick) => {
        const before = ringsOf(history).at(-1)!
        const replaced = before.members[pick % before.members.length]!
        for (const name of ["0-first-of-all", "z-last-of-all"]) {
          const by = { ...replaced, id: nodeId(name) }
          const after = step(before, { _tag: "Replace", id: replaced.id, by })
          expect(after.owners).toEqual(
            before.owners.map((list) => list.map((id) => id === replaced.id ? by.id : id))
          )
        }
      })
    )
  })
})

describe("zones", () => {
  it("of two, neither holds all copies of a partition", () => {
    const nodes = ["a", "a", "a", "a", "b"].map((zone, i) => member(`n${i}`, { zone }))
    for (const list of ringOf([join(...nodes)]).owners) expect(list).toContain("n4")
  })

  it("that come later spread the lists that were in one", () => {
    const inOne = ["n1", "n2", "n3", "n4"].map((name) => member(name, { zone: "a" }))
    let ring = ringOf([join(...inOne)])
    ring = step(ring, { _tag: "Join", member: member("n5", { zone: "b" }) })
    expectDistinctZones(ring)
    ring = step(ring, { _tag: "Join", member: member("n6", { zone: "c" }) })
    expectDistinctZones(ring)
    expect(holdingsOf(ring).get(nodeId("n6"))).toBe(256)
  })

  it("need not be named: a node without one is a zone of its own", () => {
    const plain = ringOf([join(...members(7))])
    const named = ringOf([join(...members(7).map((one) => ({ ...one, zone: `of-${one.id}` })))])
    expect(named.owners).toEqual(plain.owners)
  })
})

describe("the peers of a node", () => {
  it("are all others, so that all of them rebuild what is lost with it", () => {
    let grown = ringOf([join(...members(3))])
    for (let i = 3; i < 12; i++) grown = step(grown, { _tag: "Join", member: members(12)[i]! })
    for (const ring of [ringOf([join(...members(12))]), grown]) {
      for (const { id } of ring.members) {
        const shared = ring.owners.filter((list) => list.includes(id)).flat()
        for (const other of ring.members) {
          // 64 partitions of two more owners each, over 11 peers: 11.6 on average.
          if (other.id !== id) {
            expect(shared.filter((peer) => peer === other.id).length > 1).toBe(true)
          }
        }
      }
    }
  })
})
