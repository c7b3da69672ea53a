// Gossip about members is a join, reaches all nodes, and costs few bytes.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Gossip from "../../../src/core/membership/Gossip.ts"
import * as Knowledge from "../../../src/core/membership/GossipKnowledge.ts"
import * as Facts from "../../../src/core/membership/MemberFacts.ts"
import * as Version from "../../../src/core/membership/Version.ts"
import { lan } from "../../../src/core/model/Limits.ts"
import { NodeId } from "../../../src/core/model/Names.ts"
import { generator } from "../quorum/Exploration.ts"
import { factsOf, GossipModel } from "./GossipModel.ts"

const n1 = NodeId.make("n1")

const versions = fc.record({
  term: fc.integer({ min: 0, max: 2 }),
  incarnation: fc.constantFrom("m0000000000000a", "m0000000000000b", "m0000000000000c"),
  number: fc.integer({ min: 0, max: 2 })
})

const facts = fc.record({
  node: fc.constant(n1),
  version: versions,
  store: fc.constantFrom("s1", "s2"),
  status: fc.constantFrom(...Facts.statuses),
  protocols: fc.constant({ least: 4, greatest: 4 }),
  buckets: fc.constantFrom("0123456789abcdef", "fedcba9876543210")
})

const random = (seed: number) => {
  const pick = generator(seed)
  return () => pick(2 ** 30) / 2 ** 30
}

describe("the join of what is told of a member", () => {
  it("is commutative, associative and idempotent", () => {
    fc.assert(fc.property(facts, facts, facts, (a, b, c) => {
      expect(Facts.join(a, b)).toEqual(Facts.join(b, a))
      expect(Facts.join(Facts.join(a, b), c)).toEqual(Facts.join(a, Facts.join(b, c)))
      expect(Facts.join(a, a)).toEqual(a)
    }))
  })

  it("never goes back", () => {
    fc.assert(fc.property(facts, facts, (a, b) => {
      const joined = Facts.join(a, b)
      for (const told of [a, b]) expect(Facts.compare(told, joined)).toBeLessThanOrEqual(0)
    }))
  })
})

describe("a version of a member", () => {
  it("is beaten by the one that the member goes on with", () => {
    fc.assert(fc.property(versions, versions, (own, told) => {
      const next = Version.above(own, told)
      expect(next.incarnation).toBe(own.incarnation)
      expect(Version.isLess(next, own)).toBe(false)
      expect(Version.isLess(told, next)).toBe(true)
    }))
  })
})

it("a node knows the same after facts that came in any order, however often", () => {
  const several = fc.array(fc.tuple(fc.constantFrom("n1", "n2", "n3"), versions), { maxLength: 12 })
  fc.assert(fc.property(several, fc.infiniteStream(fc.nat()), (all, draws) => {
    const told = all.map(([node, version]) => factsOf(NodeId.make(node), version))
    const order = told.map((one) => [one, draws.next().value ?? 0] as const)
      .sort(([, left], [, right]) => left - right).map(([one]) => one)
    const once = Knowledge.join(Knowledge.nothing, told).known
    const singly = [...order, ...told].reduce(
      (known, one) => Knowledge.join(known, [one]).known,
      Knowledge.nothing
    )
    expect(Knowledge.rootOf(singly)).toBe(Knowledge.rootOf(once))
    expect(new Map(singly.entries)).toEqual(new Map(once.entries))
  }))
})

it("a node alone has nothing to tell at once", () => {
  const own = factsOf(n1)
  const alone = Gossip.make({ own, others: new Set(), at: 0 })
  const ofTwo = Gossip.make({ own, others: new Set([NodeId.make("n2")]), at: 0 })
  expect(Gossip.isUrgent(alone, lan.node)).toBe(false)
  expect(Gossip.isUrgent(ofTwo, lan.node)).toBe(true)
})

it("a node believes nothing of a stranger, and nothing that one says", () => {
  const [n2, stranger] = [NodeId.make("n2"), NodeId.make("stranger")]
  const state = Gossip.make({ own: factsOf(n1), others: new Set([n2]), at: 0 })
  const message = {
    asks: true,
    root: "0000000000000000",
    groupCount: 0,
    facts: [factsOf(stranger), factsOf(n2)],
    suspicions: [{ suspect: n2, version: Version.none, accuser: stranger }],
    groups: [],
    listings: []
  }
  const moment = { at: 1_000, random: 0 }
  const received = (from: NodeId) =>
    Gossip.step(state, { _tag: "Received", from, message, ...moment }, lan.node)
  expect(received(stranger).learned).toEqual([])
  expect(received(n2).learned).toEqual([n2])
  expect(received(n2).told).toEqual([])
})

describe.each([3, 5, 20, 100])("among %i nodes", (size) => {
  it("all know all within a minute after they started, though a fifth of messages is lost", () => {
    const draw = random(size)
    const model = new GossipModel(size, { random: draw, isSettled: false })
    model.loses = () => draw() < 0.2
    model.pass(60_000, () => model.areEqual)
    expect(model.areEqual).toBe(true)
    expect(model.at).toBeLessThan(60_000)
  })

  it("a change is known to all within two seconds, and costs each at most 4 KB in a second", () => {
    const model = new GossipModel(size, { random: random(size), isSettled: true })
    const [first] = model.nodes
    model.pass(3_000)
    const before = new Map(model.bytes)
    model.change(first!, factsOf(first!, { number: 1 }))
    const since = model.at
    model.pass(10_000, () => model.areEqual)
    expect(model.at - since).toBeLessThan(2_000)
    const seconds = Math.ceil((model.at - since) / 1_000)
    model.pass(since + 1_000 * seconds - model.at)
    for (const [node, bytes] of model.bytes) {
      expect(bytes - (before.get(node) ?? 0)).toBeLessThanOrEqual(4_096 * seconds)
    }
  })

  it("a node that no rumour reached learns of everything by comparison", () => {
    const model = new GossipModel(size, { random: random(size), isSettled: true })
    const [first, ...others] = model.nodes
    const last = others.at(-1)!
    model.loses = ({ to }) => to === last
    for (const node of others.slice(0, 10)) {
      if (node !== last) model.change(node, factsOf(node, { number: 1 }))
    }
    model.pass(20_000)
    expect(model.rootOf(last)).not.toBe(model.rootOf(first!))
    model.loses = () => false
    model.pass(10_000, () => model.areEqual)
    expect(model.areEqual).toBe(true)
  })
})

it("nodes that all know the same send one message each a second, of few bytes", () => {
  const model = new GossipModel(10, { random: random(1), isSettled: true })
  model.pass(10_000)
  expect(model.messages).toBeGreaterThan(90)
  expect(model.messages).toBeLessThan(110)
  for (const bytes of model.bytes.values()) expect(bytes / 10).toBeLessThan(300)
})
