// Checks that logs join like sets, the rings they lead to, and which changes may be added to one.
import { readFileSync } from "node:fs"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { InvariantViolation } from "../../../src/core/Invariant.ts"
import { formation, LogEntry, make } from "../../../src/core/ring/LogEntry.ts"
import {
  type MemberChange,
  namedBy,
  noMembers,
  stepMembership
} from "../../../src/core/ring/Membership.ts"
import * as MembershipLog from "../../../src/core/ring/MembershipLog.ts"
import { replay } from "../../../src/core/ring/Replay.ts"
import { acts, append, areApart, entriesOf, first, formed, joined, logsOf } from "./authors.ts"
import { member, nodeId } from "./clusters.ts"

const { encode } = MembershipLog
const [n1, n2, n3] = [nodeId("n1"), nodeId("n2"), nodeId("n3")]
const leaves = (id: string): MemberChange => ({ _tag: "Leave", id: nodeId(id) })
const removes = (id: string): MemberChange => ({ _tag: "Remove", id: nodeId(id) })
const joins = (id: string): MemberChange => ({ _tag: "Join", member: member(id) })
const adjusts = (id: string): MemberChange => ({
  _tag: "Adjust",
  member: member(id, { weight: 2 })
})
const replaces = (id: string, by: string): MemberChange => ({
  _tag: "Replace",
  id: nodeId(id),
  by: member(by)
})
const idsOf = (log: MembershipLog.MembershipLog) =>
  replay(log).membership.members.map(({ id }) => id)
const ends = ({ _tag }: MemberChange) => _tag === "Leave" || _tag === "Remove"

/** Whether an entry that follows another one names this node. */
const isNamedAfter = (log: MembershipLog.MembershipLog, node: string, id: LogEntry["id"]) =>
  [...log.entries.values()].some((entry) =>
    entry.changes.flatMap(namedBy).some((named) => named === node)
    && MembershipLog.pastOf(log, entry.id).entries.has(id)
  )

describe("the join of logs", () => {
  it("is commutative, associative and idempotent", () => {
    fc.assert(fc.property(acts, (done) => {
      const [a, b, c] = logsOf(done)
      expect(encode(joined(a!, b!))).toBe(encode(joined(b!, a!)))
      expect(encode(joined(joined(a!, b!), c!))).toBe(encode(joined(a!, joined(b!, c!))))
      expect(Result.getOrThrow(MembershipLog.join(a!, a!))).toBe(a)
    }))
  })

  it("has the entries of both, and so has a log to which they are added one by one", () => {
    fc.assert(fc.property(acts, (done) => {
      const [a, b] = logsOf(done)
      const both = joined(a!, b!)
      expect(new Set(both.entries.keys())).toEqual(
        new Set([...a!.entries.keys(), ...b!.entries.keys()])
      )
      const added = entriesOf(b!).reduce(
        (log, entry) => Result.getOrThrow(MembershipLog.add(log, entry)),
        a!
      )
      expect(encode(added)).toBe(encode(both))
    }))
  })

  it("of two clusters is refused", () => {
    const other = MembershipLog.form([member("x1")])
    expect(MembershipLog.join(formed, other)).toMatchObject({
      failure: { reason: "a cluster forms once, not 2 times" }
    })
  })

  it("does not take an entry whose predecessors it lacks", () => {
    const one = append(formed, leaves("n4"))
    const two = append(one, leaves("n3"))
    const [late] = entriesOf(two).slice(-1)
    expect(MembershipLog.add(formed, late!)).toMatchObject({
      failure: { reason: expect.stringContaining("which is not there") }
    })
    expect(encode(Result.getOrThrow(MembershipLog.add(one, late!)))).toBe(encode(two))
  })
})

describe("a formation", () => {
  it("is the same in any order of the members", () => {
    fc.assert(fc.property(fc.shuffledSubarray([...first], { minLength: first.length }), (all) => {
      expect(formation(all)).toEqual(formation(first))
    }))
  })

  it("has its members once each, and some", () => {
    expect(() => formation([])).toThrow(InvariantViolation)
    expect(() => formation([member("n1"), member("n1")])).toThrow(InvariantViolation)
  })
})

describe("the replay of a log", () => {
  const all = fc.property(acts, (done) => {
    const log = joined(...logsOf(done))
    const { applied, membership, voided } = replay(log)
    const places = new Map(applied.map(({ id }, place) => [id, place]))
    expect(applied.length + voided.length).toBe(log.entries.size)
    for (const [place, { predecessors }] of applied.entries()) {
      for (const other of predecessors) expect(places.get(other) ?? -1).toBeLessThan(place)
    }
    const members = applied.reduce(
      (before, { changes }) => Result.getOrThrow(stepMembership(before, changes)).after,
      noMembers
    )
    expect(membership).toEqual(members)
  })

  it("applies each entry after its predecessors, as a whole, or lists it as void", () => {
    fc.assert(all)
  })

  it("is the same for the same entries, in any order", () => {
    fc.assert(fc.property(acts, fc.infiniteStream(fc.nat()), (done, numbers) => {
      const log = joined(...logsOf(done))
      const shuffled = [...log.entries].map((pair) => ({ pair, key: numbers.next().value }))
        .sort((a, b) => a.key - b.key)
      const entries = new Map(shuffled.map(({ pair }) => pair))
      expect(replay({ entries })).toEqual(replay(log))
    }))
  })

  it("applies all of a log without forks", () => {
    fc.assert(fc.property(acts, (done) => {
      const alone = logsOf(done.map((act) => ({ ...act, author: 0, other: 0 })))[0]!
      expect(replay(alone).voided).toEqual([])
    }))
  })

  it("keeps no node that left or was removed, unless none would be left", () => {
    let departures = 0
    fc.assert(
      fc.property(acts, (done) => {
        const log = joined(...logsOf(done))
        const { membership, voided } = replay(log)
        const reasons = new Map(voided.map(({ entry, reason }) => [entry.id, reason]))
        for (const { changes: [change], id } of log.entries.values()) {
          const [gone] = namedBy(change)
          if (!ends(change) || reasons.get(id) === "the last member cannot leave") continue
          // Its entry was void, so it never was a member: it may still become one, once.
          const wasNone = reasons.get(id) === `${gone} is not a member`
          if (wasNone && isNamedAfter(log, gone!, id)) continue
          departures++
          expect(membership.members.map((one) => one.id)).not.toContain(gone)
        }
      }),
      { numRuns: 300 }
    )
    expect(departures).toBeGreaterThan(100)
  })

  it("makes an entry void that names a node which an entry made apart sends away", () => {
    let forks = 0
    fc.assert(
      fc.property(acts, (done) => {
        const log = joined(...logsOf(done))
        const voided = new Set(replay(log).voided.map(({ entry }) => entry.id))
        const entries = [...log.entries.values()]
        for (
          const { changes: [winning], id: winner } of entries.filter((e) => ends(e.changes[0]))
        ) {
          for (const loser of entries.filter((e) => !ends(e.changes[0]))) {
            const named = loser.changes.flatMap(namedBy)
            if (!named.includes(namedBy(winning)[0]!)) continue
            if (!areApart(log, log.entries.get(winner)!, loser)) continue
            forks++
            expect(voided).toContain(loser.id)
          }
        }
      }),
      { numRuns: 300 }
    )
    expect(forks).toBeGreaterThan(20)
  })
})

describe("of entries made apart,", () => {
  it("those about different nodes both take effect", () => {
    const log = joined(append(formed, leaves("n4"), "n1"), append(formed, joins("n5"), "n2"))
    expect(idsOf(log)).toEqual(["n1", "n2", "n3", "n5"])
    expect(replay(log).voided).toEqual([])
  })

  it.each([
    ["a leave wins over a replacement", leaves("n4"), replaces("n4", "n5"), ["n1", "n2", "n3"]],
    ["a removal wins over a replacement", removes("n4"), replaces("n4", "n5"), ["n1", "n2", "n3"]],
    ["a leave wins over an adjustment", leaves("n4"), adjusts("n4"), ["n1", "n2", "n3"]]
  ])("%s, also where that had been built on", (_, winner, loser, members) => {
    const deep = append(append(formed, loser, "n2"), adjusts("n3"), "n2")
    const log = joined(append(formed, winner, "n1"), deep)
    expect(idsOf(log)).toEqual(members)
    expect(replay(log).voided.map(({ entry, reason }) => [entry.author, reason])).toEqual([
      [n2, expect.stringMatching(/^n4 left by [0-9a-f]{32}, which was made apart$/u)]
    ])
    expect(replay(log).membership.members.find(({ id }) => id === n3)?.weight).toBe(2)
  })

  it("two that add the same node add it once, and the other is void", () => {
    const log = joined(append(formed, joins("n5"), "n1"), append(formed, joins("n5"), "n2"))
    expect(idsOf(log)).toEqual(["n1", "n2", "n3", "n4", "n5"])
    expect(replay(log).voided.map(({ reason }) => reason)).toEqual(["n5 is already a member"])
  })

  it("a leave and a removal of one node both send it away, and the removal is not lost", () => {
    for (const by of ["n1", "n2"]) {
      const log = joined(append(formed, leaves("n4"), by), append(formed, removes("n4"), "n3"))
      expect(idsOf(log)).toEqual(["n1", "n2", "n3"])
      expect([...replay(log).membership.removed]).toEqual(["n4"])
    }
  })
})

const refused = (log: MembershipLog.MembershipLog, change: MemberChange, settled: boolean) =>
  MembershipLog.refusal(log, { changes: [change], settled })

describe("a change", () => {
  const changed = append(formed, joins("n5"))

  it("is refused until the last one is settled, unless it removes by force", () => {
    expect(refused(changed, leaves("n4"), true)).toBeUndefined()
    expect(refused(changed, leaves("n4"), false)).toBe("the last change is not settled yet")
    expect(refused(changed, removes("n4"), false)).toBeUndefined()
    expect(MembershipLog.append(changed, { author: n1, changes: [leaves("n4")], settled: false }))
      .toMatchObject({ failure: { reason: "the last change is not settled yet" } })
  })

  it("is refused until all that was made apart is settled, and then follows all of it", () => {
    const log = joined(changed, append(formed, joins("n6"), "n2"))
    expect(refused(log, leaves("n4"), false))
      .toBe("2 changes were made apart and are not settled yet")
    const next = append(log, leaves("n4"))
    expect(MembershipLog.heads(next).map((id) => next.entries.get(id)!.predecessors))
      .toEqual([MembershipLog.heads(log)])
    expect(MembershipLog.heads(log).length).toBe(2)
  })

  it("is refused where it does not fit the members", () => {
    expect(refused(formed, joins("n1"), true)).toBe("n1 is already a member")
    expect(refused(formed, removes("n9"), false)).toBe("n9 is not a member")
  })
})

const decodes = (text: string) => Result.isSuccess(MembershipLog.decode(text))
const making = (content: Parameters<typeof make>[0]) => () => make(content)

describe("a log that travels", () => {
  it("comes back as it was", () => {
    fc.assert(fc.property(acts, (done) => {
      const log = joined(...logsOf(done))
      const decoded = Result.getOrThrow(MembershipLog.decode(encode(log)))
      expect(encode(decoded)).toBe(encode(log))
      expect(replay(decoded).membership.members.map(({ id }) => id)).toEqual(idsOf(log))
    }))
  })

  it("is refused where an entry does not have the id of what it says", () => {
    const text = encode(append(formed, joins("n5")))
    for (
      const altered of [
        text.replaceAll("n5", "n6"),
        text.replace("\"author\":\"n1\"", "\"author\":\"n2\""),
        text.replace("\"weight\":1", "\"weight\":2"),
        text.replace(/"id":"[0-9a-f]{32}"/u, `"id":"${"0".repeat(32)}"`)
      ]
    ) {
      expect(altered).not.toBe(text)
      expect(Result.isFailure(MembershipLog.decode(altered))).toBe(true)
    }
    expect(Result.isSuccess(MembershipLog.decode(text))).toBe(true)
  })

  it("is refused where it is none, and nothing else happens", () => {
    for (const text of ["", "{", "null", "[]", "[{}]", "[[]]", `[${"[".repeat(5000)}`]) {
      expect(decodes(text)).toBe(false)
    }
    fc.assert(fc.property(fc.string(), (text) => !decodes(text)))
    fc.assert(fc.property(fc.json(), (text) => !decodes(text)))
  })

  it("is refused without its formation, or without an entry that another follows", () => {
    const [one, two, three] = entriesOf(append(append(formed, joins("n5")), leaves("n4")))
    expect(decodes(JSON.stringify([three, one, two]))).toBe(true)
    expect(decodes(JSON.stringify([one, three]))).toBe(false)
    expect(decodes(JSON.stringify([two, three]))).toBe(false)
  })

  it("has no entry that its author could not have made", () => {
    const { id } = formation(first)
    const accepts = Schema.is(LogEntry)
    const good = make({ author: n1, predecessors: [id], changes: [leaves("n2")] })
    expect(accepts(good)).toBe(true)
    expect(making({ predecessors: [id], changes: [leaves("n2")] })).toThrow(InvariantViolation)
    expect(making({ author: n1, predecessors: [id, id], changes: [leaves("n2")] }))
      .toThrow(InvariantViolation)
    expect(making({ author: n1, predecessors: [], changes: [joins("n2")] }))
      .toThrow(InvariantViolation)
    expect(making({ predecessors: [], changes: [leaves("n2")] })).toThrow(InvariantViolation)
    expect(accepts({ ...good, changes: [] })).toBe(false)
  })

  it("is read and written as it was by the first version", () => {
    const path = new URL("../../golden/membership-log-1/all-changes.json", import.meta.url)
    const log = append(
      append(
        joined(append(formed, joins("n5"), "n2"), append(formed, leaves("n4"))),
        removes("n3")
      ),
      { _tag: "Replace", id: n2, by: { ...member("n6", { weight: 0.5, zone: "b" }), site: "east" } }
    )
    const text = encode(append(log, adjusts("n5")))
    expect(readFileSync(path, "utf8")).toBe(`${text}\n`)
    expect(encode(Result.getOrThrow(MembershipLog.decode(readFileSync(path, "utf8"))))).toBe(text)
  })

  it("has ids that are a format", () => {
    const placed = { ...member("n5", { weight: 2.5, zone: "hall-2" }), site: "east" }
    const log = append(append(formed, { _tag: "Join", member: placed }), removes("n4"))
    expect(entriesOf(log).map(({ id }) => id)).toEqual([
      "2a7c60cd6eccad5837195c10c912afcd",
      "bd4c753d9f60d09892f75dba293217b3",
      "9694ff76d1dddb52fcacbb2ec37ca248"
    ])
  })
})
