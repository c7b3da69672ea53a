// Checks that all nodes come to one ring, and the promises of its preference lists.
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { InvariantViolation } from "../../../src/core/Invariant.ts"
import type { Member } from "../../../src/core/ring/Membership.ts"
import * as Ring from "../../../src/core/ring/Ring.ts"
import { zonesOf } from "../../../src/core/ring/Zones.ts"
import { entry, histories, join, member, members, ringOf, ringsOf } from "./clusters.ts"

const { preferenceList } = Ring

const formed = (...nodes: ReadonlyArray<Member>) => ringOf([join(...nodes)])

describe("the ring", () => {
  it("is the same for the same log, in any order of the first members", () => {
    fc.assert(fc.property(
      histories({ nodes: 14, changes: 3 }),
      fc.infiniteStream(fc.nat()),
      (history, numbers) => {
        const ring = ringsOf({ ...history, changes: [] })[0]!
        const shuffled = ring.members
          .map((one) => ({ one, key: numbers.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ one }) => one)
        const changes = shuffled.map((one) => ({ _tag: "Join", member: one }) as const)
        const { partitionCount, replicaCount } = history
        const other = ringOf([entry(...changes)], { partitionCount, replicaCount })
        expect(other.digest).toBe(ring.digest)
        expect(other.owners).toEqual(ring.owners)
        expect(ringsOf(history).at(-1)!.digest).toBe(ringsOf(history).at(-1)!.digest)
      }
    ))
  })

  it("of a log is that of its beginning, one step further for each entry", () => {
    const log = [
      join(...members(5)),
      entry({ _tag: "Join", member: member("late", { weight: 2, zone: "b" }) }),
      entry({ _tag: "Leave", id: members(5)[2]!.id })
    ]
    const options = { partitionCount: 64, replicaCount: 3 }
    const stepped = log.reduce(
      (ring, next) => Result.getOrThrow(Ring.step(ring, next)),
      Ring.empty(options)
    )
    expect(stepped).toEqual(ringOf(log, options))
  })

  it("of an empty log has no owners", () => {
    expect(ringOf([], { partitionCount: 4 }).owners).toEqual([[], [], [], []])
    expect(preferenceList(ringOf([]), 0)).toEqual([])
  })

  it("of one node gives it everything", () => {
    expect(ringOf([join(member("only"))], { partitionCount: 2 }).owners)
      .toEqual([["only"], ["only"]])
  })

  it("refuses changes that do not fit its members", () => {
    const stepped = Ring.step(formed(member("n1")), join(member("n1")))
    expect(Result.isFailure(stepped) ? stepped.failure.reason : "accepted")
      .toBe("n1 is already a member")
  })

  it("cannot be made with a number of partitions that is not a power of two", () => {
    expect(() => Ring.empty({ partitionCount: 100, replicaCount: 3 })).toThrow(InvariantViolation)
    expect(() => Ring.empty({ partitionCount: 4, replicaCount: 0 })).toThrow(InvariantViolation)
  })
})

describe("the digest", () => {
  const [n1, n2, n3] = [member("n1"), member("n2"), member("n3")]

  it("differs where members, weights, zones, sites, owners or the fixed options do", () => {
    const digests = [
      formed(n1, n2, n3),
      formed(n1, n2),
      formed(n1, n2, member("n4")),
      formed(n1, n2, member("n3", { weight: 1 + Number.EPSILON })),
      formed(n1, n2, member("n3", { zone: "a" })),
      formed(n1, n2, { ...n3, site: "a" }),
      ringOf([join(n1, n2, n3)], { partitionCount: 128 }),
      ringOf([join(n1, n2, n3)], { replicaCount: 4 }),
      ringOf([join(n1, n2), join(n3)])
    ].map(({ digest }) => digest)
    expect(new Set(digests).size).toBe(digests.length)
    for (const digest of digests) expect(digest).toMatch(/^[0-9a-f]{16}$/)
  })

  it("of members with sites is a format", () => {
    const ring = formed({ ...n1, site: "east" }, { ...n2, zone: "a", site: "west" }, n3)
    expect(ring.digest).toBe("48ac69fdb0309338")
  })

  it("is a format, and so are the claim and the order of fallbacks", () => {
    const zones = ["a", "b", "c", undefined]
    const nodes = members(7).map((one, index) => ({ ...one, zone: zones[index % 4] }))
    const weighted = { ...nodes[0]!, weight: 2.5 }
    const ring = ringOf([
      join(...nodes),
      entry({ _tag: "Adjust", member: weighted }),
      entry({ _tag: "Leave", id: nodes[3]!.id })
    ], { partitionCount: 16 })
    expect(ring.digest).toBe("a78c30ce81e3b940")
    expect(preferenceList(ring, 0)).toEqual(["n0", "n5", "n2", "n4", "n1", "n6"])
    expect(preferenceList(ring, 15)).toEqual(["n1", "n0", "n6", "n5", "n2", "n4"])
  })
})

describe("a preference list", () => {
  it("begins with the owners and has every node once", () => {
    fc.assert(fc.property(histories({ nodes: 14, changes: 2 }), (history) => {
      const ring = ringsOf(history).at(-1)!
      for (const [partition, owners] of ring.owners.entries()) {
        const list = preferenceList(ring, partition)
        expect(list.slice(0, owners.length)).toEqual(owners)
        expect([...list].sort()).toEqual(ring.members.map(({ id }) => id))
      }
    }))
  })

  it("goes on with a node of a zone that it uses least so far", () => {
    fc.assert(fc.property(histories({ nodes: 14, changes: 2 }), (history) => {
      const ring = ringsOf({ ...history, partitionCount: 16 }).at(-1)!
      const zones = zonesOf(ring.members)
      const zoneOf = new Map(ring.members.map(({ id }, index) => [id, zones[index]!]))
      for (const [partition, owners] of ring.owners.entries()) {
        const list = preferenceList(ring, partition).map((id) => zoneOf.get(id)!)
        for (let at = owners.length; at < list.length; at++) {
          const uses = (zone: number) => list.slice(0, at).filter((one) => one === zone).length
          const fewest = Math.min(...list.slice(at).map(uses))
          expect(uses(list[at]!)).toBe(fewest)
        }
      }
    }))
  })

  it("is found once and then only looked up", () => {
    const ring = ringOf([join(...members(9))])
    expect(preferenceList(ring, 7)).toBe(preferenceList(ring, 7))
  })

  it("spreads the partitions of a lost node over all others", () => {
    const ring = ringOf([join(...members(8))], { partitionCount: 1024 })
    for (const { id: lost } of ring.members) {
      const counts = new Map<string, number>()
      for (const [partition, owners] of ring.owners.entries()) {
        if (!owners.includes(lost)) continue
        const fallback = preferenceList(ring, partition)[3]!
        counts.set(fallback, (counts.get(fallback) ?? 0) + 1)
      }
      // 384 partitions over 7 nodes: 55 each, with a standard deviation of 7.
      for (const count of counts.values()) expect(Math.abs(count - 55)).toBeLessThan(30)
      expect(counts.size).toBe(7)
    }
  })

  it("exists for the partitions of the ring and no others", () => {
    const ring = ringOf([join(...members(3))], { partitionCount: 4 })
    for (const partition of [-1, 4, 0.5]) {
      expect(() => preferenceList(ring, partition)).toThrow(InvariantViolation)
    }
  })
})
