// Checks a node's ring as entries arrive, and the nodes to which requests go.
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { MemberChange } from "../../../src/core/ring/Membership.ts"
import * as MembershipLog from "../../../src/core/ring/MembershipLog.ts"
import * as Ring from "../../../src/core/ring/Ring.ts"
import * as RingState from "../../../src/core/ring/RingState.ts"
import { acts, append, entriesOf, formed, joined, logsOf } from "./authors.ts"
import { member, nodeId } from "./clusters.ts"

type Log = MembershipLog.MembershipLog

const options = { partitionCount: 16, replicaCount: 3 }
const stateOf = (log: Log) => RingState.make({ ...options, log })
const step = (state: RingState.RingState, log: Log) => Result.getOrThrow(RingState.step(state, log))
const change = (state: RingState.RingState, by: MemberChange) => step(state, append(state.log, by))
const joins = (name: string): MemberChange => ({ _tag: "Join", member: member(name) })
const leaves = (name: string): MemberChange => ({ _tag: "Leave", id: nodeId(name) })
const removes = (name: string): MemberChange => ({ _tag: "Remove", id: nodeId(name) })
const placement = (
  state: RingState.RingState,
  at: { readonly n: number; readonly partition: number }
) => RingState.placement(state, { ...at, withFallbacks: true })
const partitions = Array.from({ length: options.partitionCount }, (_, partition) => partition)
const ns = [1, 2, 3, 4, 5]
const firstOf = (ring: Ring.Ring, partition: number, n: number) =>
  Ring.preferenceList(ring, partition).slice(0, n)

const digests = (state: RingState.RingState) => state.previous.map(({ digest }) => digest)
const asked = (state: RingState.RingState) =>
  new Set(
    partitions.flatMap((partition) =>
      placement(state, { partition, n: 3 }).targets.map(({ node }) => node)
    )
  )

describe("a state of the ring", () => {
  it("is the same for the same entries, in any order and grouping", () => {
    fc.assert(fc.property(acts, fc.nat(2), (done, start) => {
      const logs = logsOf(done)
      const [a, b, c] = [...logs.slice(start), ...logs.slice(0, start)]
      const all = joined(...logs)
      const stepped = step(step(stateOf(a!), b!), c!)
      const oneByOne = entriesOf(all).reduce(
        (state, entry) => step(state, Result.getOrThrow(MembershipLog.add(state.log, entry))),
        stateOf(formed)
      )
      for (const state of [stepped, oneByOne]) {
        expect(state.ring.digest).toBe(stateOf(all).ring.digest)
        expect(state.voided).toEqual(stateOf(all).voided)
        expect(state.applied).toEqual(stateOf(all).applied)
      }
    }))
  })

  it("stays the same value where nothing new comes", () => {
    const state = stateOf(append(formed, joins("n5")))
    expect(step(state, state.log)).toBe(state)
    expect(step(state, formed)).toBe(state)
  })

  it("does not take the log of another cluster", () => {
    const other = MembershipLog.form([member("x1")])
    expect(Result.isFailure(RingState.step(stateOf(formed), other))).toBe(true)
  })

  it("remembers each ring that a node served, until it is settled", () => {
    const before = stateOf(formed)
    const once = change(before, joins("n5"))
    const twice = change(once, removes("n4"))
    expect(digests(before)).toEqual([])
    expect(digests(once)).toEqual([before.ring.digest])
    expect(digests(twice)).toEqual([before.ring.digest, once.ring.digest])
    expect(digests(step(before, twice.log))).toEqual(digests(twice))
    expect(RingState.isSettled(twice)).toBe(false)
    expect(digests(RingState.settle(twice))).toEqual([])
    expect(RingState.settle(twice).ring).toBe(twice.ring)
  })

  it("remembers the rings of all who changed it apart, also one whose entry is void", () => {
    const leaving = change(stateOf(formed), leaves("n4"))
    const by = member("n5")
    const replacing = change(stateOf(formed), { _tag: "Replace", id: nodeId("n4"), by })
    const met = step(leaving, replacing.log)
    expect(met.ring.digest).toBe(leaving.ring.digest)
    expect(met.voided.length).toBe(1)
    expect(met.previous.map(({ digest }) => digest))
      .toEqual([stateOf(formed).ring.digest, replacing.ring.digest])
  })

  it("has no incomplete node after a change that moves nothing", () => {
    const weighted = { ...member("n1"), site: "east" }
    const changed = change(stateOf(formed), { _tag: "Adjust", member: weighted })
    expect(changed.ring.owners).toEqual(stateOf(formed).ring.owners)
    expect(placement(changed, { partition: 0, n: 3 }))
      .toMatchObject({ targets: [{ primary: true }, { primary: true }, { primary: true }] })
  })
})

describe("a placement", () => {
  it("of a settled ring has the first n as complete primaries and all others as fallbacks", () => {
    fc.assert(fc.property(acts, fc.constantFrom(...ns), (done, n) => {
      const state = stateOf(joined(...logsOf(done)))
      for (const partition of partitions) {
        const list = RingState.preferenceList(state, partition)
        const { fallbacks, primaries, targets } = placement(state, { partition, n })
        expect([...primaries, ...fallbacks]).toEqual(list)
        expect(targets).toEqual(
          list.slice(0, n).map((node) => ({ node, primary: true, previous: false, up: true }))
        )
      }
    }))
  })

  it("without fallbacks is the same but for these", () => {
    const state = change(stateOf(formed), joins("n5"))
    for (const partition of partitions) {
      const without = RingState.placement(state, { partition, n: 2, withFallbacks: false })
      expect(without).toEqual({ ...placement(state, { partition, n: 2 }), fallbacks: [] })
    }
  })

  it("is computed once for each partition and n", () => {
    const state = stateOf(formed)
    const found = ns.map((n) => placement(state, { partition: 7, n }))
    for (const [index, n] of ns.entries()) {
      expect(placement(state, { partition: 7, n })).toBe(found[index])
      expect(placement(state, { partition: 8, n })).not.toBe(found[index])
    }
  })

  it("amid a transfer has all owners before and after, told apart, each node once", () => {
    let [gained, leaving] = [0, 0]
    fc.assert(fc.property(acts, fc.constantFrom(...ns), (done, n) => {
      const [mine, ...others] = logsOf(done)
      const state = others.reduce(step, stateOf(mine!))
      const { members, removed } = state.ring
      const memberIds = new Set<string>(members.map(({ id }) => id))
      for (const partition of partitions) {
        const { fallbacks, primaries, targets } = placement(state, { partition, n })
        const sets = state.previous.map((ring) =>
          firstOf(ring, partition, n).filter((node) => !removed.has(node))
        )
        expect(primaries).toEqual(firstOf(state.ring, partition, n))
        for (const { node, previous, primary } of targets) {
          const owns = primaries.includes(node)
          expect(primary).toBe(owns && sets.every((set) => set.includes(node)))
          if (primary) expect(previous).toBe(sets.length > 0)
          else expect(previous).toBe(!owns)
          if (owns && !primary) gained++
          if (!owns) leaving++
        }
        const nodes = targets.map(({ node }) => node)
        expect(new Set(nodes)).toEqual(new Set([...primaries, ...sets.flat()]))
        expect(new Set([...nodes, ...fallbacks]).size).toBe(nodes.length + fallbacks.length)
        for (const id of memberIds) expect([...nodes, ...fallbacks]).toContain(id)
      }
    }))
    expect(Math.min(gained, leaving)).toBeGreaterThan(100)
  })

  it("asks no node that was removed by force, and leaving nodes until then", () => {
    const left = change(stateOf(formed), leaves("n4"))
    const removed = change(left, removes("n4"))
    expect(asked(left)).toContain("n4")
    expect(asked(removed)).not.toContain("n4")
  })
})
