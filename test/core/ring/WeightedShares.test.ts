// Checks the division of the ring by weight against its definition, in plain floating point.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { sharesOf } from "../../../src/core/ring/WeightedShares.ts"
import { zoneCapOf, zonesOf } from "../../../src/core/ring/Zones.ts"
import { member, places } from "./clusters.ts"

const divide = (options: {
  readonly weights: ReadonlyArray<number>
  readonly zones?: ReadonlyArray<number>
  readonly ownerCount: number
  readonly partitionCount: number
}) => {
  const zones = options.zones ?? options.weights.map((_, index) => index)
  return sharesOf({
    weights: options.weights,
    zones,
    total: options.ownerCount * options.partitionCount,
    nodeCap: options.partitionCount,
    zoneCap: options.partitionCount * zoneCapOf(zones, options.ownerCount)
  })
}

/** The level at which `poured(level)`, which only grows, comes to `total`. */
const levelWhere = (poured: (level: number) => number, total: number): number => {
  let [low, high] = [0, 1e12]
  for (let round = 0; round < 200; round++) {
    const middle = (low + high) / 2
    if (poured(middle) < total) low = middle
    else high = middle
  }
  return high
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((a, b) => a + b, 0)

describe("the share of a node", () => {
  it("is in proportion to its weight where nothing is in the way", () => {
    expect(divide({ weights: [1, 1, 1, 1], ownerCount: 3, partitionCount: 256 }))
      .toEqual([192, 192, 192, 192].map((whole) => ({ least: whole, most: whole })))
    expect(divide({ weights: [1, 2, 3, 4, 5, 6, 3], ownerCount: 1, partitionCount: 8 }))
      .toEqual([[0, 1], [0, 1], [1, 1], [1, 2], [1, 2], [2, 2], [1, 1]]
        .map(([least, most]) => ({ least, most })))
  })

  it("is never more than every partition once: the rest goes to the others", () => {
    expect(divide({ weights: [100, 1, 1, 1, 1], ownerCount: 3, partitionCount: 256 }))
      .toEqual([256, 128, 128, 128, 128].map((whole) => ({ least: whole, most: whole })))
  })

  it("is never more than its zone may hold", () => {
    // Zone 0 has nine of twelve nodes and may still hold no partition twice.
    const zones = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]
    const shares = divide({ weights: zones.map(() => 1), zones, ownerCount: 3, partitionCount: 90 })
    expect(shares.map(({ least }) => least)).toEqual([...Array(9).fill(10), 60, 60, 60])
  })

  it("is exact: a share just below a whole number is not taken for it", () => {
    // As doubles, 0.1 and 0.2 are a little more than they say, and 0.3 a little less.
    expect(divide({ weights: [0.1, 0.2, 0.3], ownerCount: 1, partitionCount: 4096 })[2])
      .toEqual({ least: 2047, most: 2048 })
    expect(divide({ weights: [0.1, 0.1], ownerCount: 1, partitionCount: 4096 }))
      .toEqual([2048, 2048].map((whole) => ({ least: whole, most: whole })))
    expect(divide({ weights: [1e-6, 1e15], ownerCount: 1, partitionCount: 4096 }))
      .toEqual([{ least: 0, most: 1 }, { least: 4095, most: 4096 }])
  })

  it("is the max-min fair one: all nodes stand at one level, but for those that are full", () => {
    fc.assert(fc.property(
      places({ minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 5 }),
      (cluster, replicaCount) => {
        const ownerCount = Math.min(replicaCount, cluster.length)
        const partitionCount = 256
        const nodes = cluster.map((place, index) => member(`n${index}`, place))
        const zones = zonesOf(nodes)
        const zoneCap = partitionCount * zoneCapOf(zones, ownerCount)
        const inZone = (zone: number, level: number) =>
          sum(
            nodes.filter((_, i) => zones[i] === zone)
              .map(({ weight }) => Math.min(partitionCount, weight * level))
          )
        const everyZone = [...new Set(zones)]
        const level = levelWhere(
          (level) => sum(everyZone.map((zone) => Math.min(zoneCap, inZone(zone, level)))),
          partitionCount * ownerCount
        )
        const shares = divide({
          weights: nodes.map(({ weight }) => weight),
          zones,
          ownerCount,
          partitionCount
        })
        for (const [index, { least, most }] of shares.entries()) {
          const zone = zones[index]!
          const zoneLevel = inZone(zone, level) <= zoneCap
            ? level
            : levelWhere((level) => inZone(zone, level), zoneCap)
          const share = Math.min(partitionCount, nodes[index]!.weight * zoneLevel)
          expect(most - least).toBeLessThanOrEqual(1)
          expect(share).toBeGreaterThan(least - 1e-6)
          expect(share).toBeLessThan(most + 1e-6)
        }
        expect(sum(shares.map(({ least }) => least)))
          .toBeLessThanOrEqual(partitionCount * ownerCount)
        expect(sum(shares.map(({ most }) => most)))
          .toBeGreaterThanOrEqual(partitionCount * ownerCount)
      }
    ))
  })
})

describe("the owners that may share a zone", () => {
  it.each([
    ["as many zones as owners", [0, 1, 2], 3, 1],
    ["more zones than owners", [0, 0, 1, 2, 3], 3, 1],
    ["two zones for three owners", [0, 0, 0, 1, 1], 3, 2],
    ["one zone", [0, 0, 0, 0], 3, 3],
    ["a small zone beside a large one", [0, 1, 1, 1, 1], 4, 3],
    ["no member", [], 0, 1]
  ])("are as few as the lists can be filled with: %s", (_, zones, ownerCount, expected) => {
    expect(zoneCapOf(zones, ownerCount)).toBe(expected)
  })
})
