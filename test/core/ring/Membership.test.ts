// Checks which changes fit the members of a cluster, and the members after them.
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  Member,
  type MemberChange,
  type Membership,
  noMembers,
  stepMembership
} from "../../../src/core/ring/Membership.ts"
import { type Changes, entry, join, member, nodeId } from "./clusters.ts"

const [n1, n2, n3] = [member("n1"), member("n2"), member("n3")]
const joins = (one: Member): MemberChange => ({ _tag: "Join", member: one })
const leaves = (name: string): MemberChange => ({ _tag: "Leave", id: nodeId(name) })
const removes = (name: string): MemberChange => ({ _tag: "Remove", id: nodeId(name) })
const adjusts = (one: Member): MemberChange => ({ _tag: "Adjust", member: one })
const replaces = (name: string, by: Member): MemberChange => ({
  _tag: "Replace",
  id: nodeId(name),
  by
})

const after = (...log: ReadonlyArray<Changes>): Membership =>
  log.reduce((before, next) => Result.getOrThrow(stepMembership(before, next)).after, noMembers)

const refusal = (before: Membership, ...changes: ReadonlyArray<MemberChange>): string =>
  Result.match(stepMembership(before, entry(...changes)), {
    onFailure: ({ reason }) => reason,
    onSuccess: () => "accepted"
  })

describe("the members", () => {
  it("are ordered by id, however they came", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([n1, n2, n3, member("n10")], { minLength: 1 }), (all) => {
        const ids = all.map(({ id }) => id)
        expect(after(join(...all)).members.map(({ id }) => id)).toEqual(ids.toSorted())
        expect(after(...all.map((one) => join(one))).members).toEqual(after(join(...all)).members)
      })
    )
  })

  it("leave, are removed or replaced, and change weight or zone", () => {
    const before = after(join(n1, n2))
    expect(after(join(n1, n2), entry(leaves("n1"))).members).toEqual([n2])
    expect(after(join(n1, n2), entry(removes("n1"))).members).toEqual([n2])
    expect(after(join(n1, n2), entry(replaces("n1", n3))).members).toEqual([n2, n3])
    const heavier = member("n1", { weight: 2, zone: "hall" })
    expect(after(join(n1, n2), entry(adjusts(heavier))).members).toEqual([heavier, n2])
    expect(before.members).toEqual([n1, n2])
  })

  it("remember the node that each replacement replaced", () => {
    const { heirs } = Result.getOrThrow(
      stepMembership(after(join(n1, n2)), entry(replaces("n1", n3), leaves("n2")))
    )
    expect([...heirs]).toEqual([["n1", "n3"]])
  })
})

describe("a node that left", () => {
  it("can still be removed by force, once, as can one that was replaced", () => {
    const left = after(join(n1, n2, n3), entry(leaves("n3")))
    const removed = after(join(n1, n2, n3), entry(leaves("n3")), entry(removes("n3")))
    expect([...left.removed]).toEqual([])
    expect([...removed.removed]).toEqual(["n3"])
    expect(removed.members).toEqual(left.members)
    expect(refusal(removed, removes("n3"))).toBe("n3 is already removed")
    const replaced = after(join(n1, n2), entry(replaces("n1", n3)))
    expect(refusal(replaced, removes("n1"))).toBe("accepted")
  })
})

describe("an entry is refused, with the reason, that", () => {
  const before = after(join(n1, n2, n3), entry(leaves("n3")))

  it.each([
    ["adds a member again", [joins(n1)], "n1 is already a member"],
    ["lets a stranger leave", [leaves("n9")], "n9 is not a member"],
    ["removes a stranger by force", [removes("n9")], "n9 is not a member"],
    ["lets go one that left already", [leaves("n3")], "n3 is not a member"],
    ["replaces a stranger", [replaces("n9", n3)], "n9 is not a member"],
    ["adjusts a stranger", [adjusts(member("n9"))], "n9 is not a member"],
    ["replaces a member by a member", [replaces("n1", n2)], "n2 is already a member"],
    ["brings back who left", [joins(n3)], "n3 has left, and no id comes back"],
    ["replaces by who left", [replaces("n1", n3)], "n3 has left, and no id comes back"],
    ["replaces a member by itself", [replaces("n1", n1)], "n1 is already a member"],
    ["changes one member twice", [adjusts(n1), leaves("n1")], "n1 is changed twice in one entry"],
    ["lets everybody leave", [leaves("n1"), leaves("n2")], "the last member cannot leave"],
    ["removes everybody", [removes("n1"), removes("n2")], "the last member cannot leave"]
  ])("%s", (_, changes, reason) => {
    expect(refusal(before, ...changes)).toBe(reason)
  })

  it("would bring back a replaced node", () => {
    const replaced = after(join(n1, n2), entry(replaces("n1", n3)))
    expect(refusal(replaced, joins(n1))).toBe("n1 has left, and no id comes back")
  })
})

describe("a member read from outside", () => {
  it("is refused where a weight, zone or id is not one", () => {
    const accepts = Schema.is(Member)
    expect(accepts({ id: "n1", weight: 1 })).toBe(true)
    expect(accepts({ id: "n1", weight: 1, zone: "eu-west-1/hall 2" })).toBe(false)
    for (const weight of [0, -1, NaN, Infinity, 1e-7, 1e16, "1", undefined]) {
      expect(accepts({ id: "n1", weight })).toBe(false)
    }
    for (const zone of ["", " ", "a\nb", "ü", "z".repeat(65)]) {
      expect(accepts({ id: "n1", weight: 1, zone })).toBe(false)
    }
    expect(accepts({ id: "N1", weight: 1 })).toBe(false)
    expect(accepts({ id: "n1", weight: 1, site: "eu-west-1" })).toBe(true)
    expect(accepts({ id: "n1", weight: 1, site: "" })).toBe(false)
  })
})
