// Checks that incarnations grow, whatever the clock of the machine says.
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Incarnation from "../../../src/core/model/Incarnation.ts"

const digit = fc.constantFrom(...Array.from("0123456789abcdefghijklmnopqrstuvwxyz"))
const id = fc.string({ unit: digit, minLength: 26, maxLength: 26 })
const now = fc.oneof(
  fc.double({ noNaN: true }),
  fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 })
)
const start = fc.record({ now, id })

describe("an incarnation", () => {
  it("is greater than all before it, as text, with any clock", () => {
    fc.assert(fc.property(fc.array(start, { minLength: 2 }), (starts) => {
      let previous: Incarnation.Incarnation | undefined
      for (const start of starts) {
        const next = Incarnation.next({ previous, ...start })
        expect(Schema.is(Incarnation.Incarnation)(next)).toBe(true)
        if (previous !== undefined) expect(next > previous).toBe(true)
        previous = next
      }
    }))
  })

  it("differs by its random part where two starts share a time", () => {
    fc.assert(fc.property(now, id, id, (now, one, other) => {
      fc.pre(one.slice(0, 6) !== other.slice(0, 6))
      const first = Incarnation.next({ previous: undefined, now, id: one })
      expect(Incarnation.next({ previous: undefined, now, id: other })).not.toBe(first)
    }))
  })

  it("begins with the time, so that a node that forgot the previous one still goes on", () => {
    const now = 1_763_700_000_000
    const id = "abcdef0123456789abcdef0123"
    const first = Incarnation.next({ previous: undefined, now, id })
    expect(first).toBe("0mi8dfxmoabcdef")
    expect(Incarnation.next({ previous: undefined, now: now + 1, id }) > first).toBe(true)
  })

  it.each([
    "",
    "0mi84aeo0abcde",
    "0mi84aeo0abcdef0",
    "0MI84AEO0ABCDEF",
    "0mi84aeo0abcde.",
    "0mi84aeo0abcdef\n"
  ])(
    "is not %j",
    (text) => {
      expect(Schema.is(Incarnation.Incarnation)(text)).toBe(false)
    }
  )
})
