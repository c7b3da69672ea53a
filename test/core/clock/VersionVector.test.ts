// Checks that version vectors are a lattice: histories, ordered by what they contain.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as VersionVector from "../../../src/core/clock/VersionVector.ts"

const { compare, contains, covers, join, withDot } = VersionVector

const actor = fc.constantFrom("a", "b", "c")
const counter = fc.integer({ min: 1, max: 4 })
const vector = fc.array(fc.tuple(actor, counter)).map((entries) => new Map(entries))
const dot = fc.record({ actor, counter })

const sorted = (self: VersionVector.VersionVector) => VersionVector.sorted(self)

describe("the join of version vectors", () => {
  it("is commutative, associative and idempotent", () => {
    fc.assert(fc.property(vector, vector, vector, (a, b, c) => {
      expect(sorted(join(a, b))).toEqual(sorted(join(b, a)))
      expect(sorted(join(join(a, b), c))).toEqual(sorted(join(a, join(b, c))))
      expect(sorted(join(a, a))).toEqual(sorted(a))
    }))
  })

  it("contains an event exactly where one of the two does", () => {
    fc.assert(fc.property(vector, vector, dot, (a, b, { actor, counter }) => {
      expect(contains(join(a, b), actor, counter))
        .toBe(contains(a, actor, counter) || contains(b, actor, counter))
    }))
  })

  it("is the least that covers both, and changes neither", () => {
    fc.assert(fc.property(vector, vector, vector, (a, b, upper) => {
      const [before, other] = [sorted(a), sorted(b)]
      const joined = join(a, b)
      expect(covers(joined, a) && covers(joined, b)).toBe(true)
      if (covers(upper, a) && covers(upper, b)) expect(covers(upper, joined)).toBe(true)
      expect([sorted(a), sorted(b)]).toEqual([before, other])
    }))
  })

  it("is one of the two themselves where that covers the other", () => {
    fc.assert(fc.property(vector, vector, (a, b) => {
      expect(join(a, b) === a).toBe(covers(a, b))
      if (covers(b, a) && !covers(a, b)) expect(join(a, b)).toBe(b)
    }))
  })
})

describe("covering", () => {
  it("is a partial order: reflexive, transitive, and mutual only for equals", () => {
    fc.assert(fc.property(vector, vector, vector, (a, b, c) => {
      expect(covers(a, a)).toBe(true)
      if (covers(a, b) && covers(b, c)) expect(covers(a, c)).toBe(true)
      if (covers(a, b) && covers(b, a)) expect(sorted(a)).toEqual(sorted(b))
    }))
  })

  it("holds of two histories exactly where each event of one is in the other", () => {
    fc.assert(fc.property(vector, vector, (a, b) => {
      const events = [...b].flatMap(([actor, last]) =>
        Array.from({ length: last }, (_, i) => [actor, i + 1] as const)
      )
      expect(covers(a, b)).toBe(events.every(([actor, counter]) => contains(a, actor, counter)))
    }))
  })

  it("gives each pair one of four orders, the mirror image for the mirrored pair", () => {
    const mirrored = { equal: "equal", before: "after", after: "before", concurrent: "concurrent" }
    fc.assert(fc.property(vector, vector, (a, b) => {
      const order = compare(a, b)
      expect(compare(b, a)).toBe(mirrored[order])
      expect([covers(a, b), covers(b, a)]).toEqual([
        order === "equal" || order === "after",
        order === "equal" || order === "before"
      ])
    }))
  })
})

describe("one more event", () => {
  it("is contained afterwards, and makes no difference where it was before", () => {
    fc.assert(fc.property(vector, dot, (a, dot) => {
      const grown = withDot(a, dot)
      expect(contains(grown, dot.actor, dot.counter)).toBe(true)
      expect(sorted(grown)).toEqual(sorted(join(a, new Map([[dot.actor, dot.counter]]))))
      expect(grown === a).toBe(contains(a, dot.actor, dot.counter))
    }))
  })
})
