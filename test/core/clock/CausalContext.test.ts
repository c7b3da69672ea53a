// Checks that a context comes back as it went out, to the place it belongs to, or not at all.
import { createSecretKey } from "node:crypto"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as CausalContext from "../../../src/core/clock/CausalContext.ts"
import { actor } from "../../../src/core/clock/Dot.ts"
import { Incarnation } from "../../../src/core/model/Incarnation.ts"
import { NodeId } from "../../../src/core/model/Names.ts"
import { covers, sorted } from "../../../src/core/clock/VersionVector.ts"

const { decode, encode } = CausalContext

const place: CausalContext.TokenScope = {
  bucket: "carts",
  key: { partition: "salice", sort: "s1" },
  secret: createSecretKey(Buffer.alloc(32, 1))
}

const someActor = fc.record({
  node: fc.constantFrom("a", "node-2", "x".repeat(64)).map((name) => NodeId.make(name)),
  incarnation: fc.constantFrom("0mi8dfxmoabcdef", "z".repeat(15)).map((i) => Incarnation.make(i)),
  birth: fc.maxSafeNat()
}).map(actor)
const positive = fc.maxSafeNat().map((counter) => Math.max(counter, 1))
const vector = fc.array(fc.tuple(someActor, positive)).map((entries) => new Map(entries))
const context = fc.record({ vector, stamp: fc.maxSafeNat() })

describe("the token of a context", () => {
  it("is decoded to the context, and is the same for equal contexts", () => {
    fc.assert(fc.property(context, (context) => {
      const token = encode(context, place)
      expect(decode(token, place)).toEqual(context)
      const reversed = new Map([...context.vector].toReversed())
      expect(encode({ ...context, vector: reversed }, place)).toBe(token)
    }))
  })

  it("keeps what a session had seen and its answer did not show", () => {
    fc.assert(fc.property(context, vector, (shown, unshown) => {
      const kept = { ...shown, unshown }
      expect(decode(encode(kept, place), place)).toEqual(kept)
    }))
  })

  it("is text for any header or URL", () => {
    fc.assert(fc.property(context, (context) => {
      expect(encode(context, place)).toMatch(/^[A-Za-z0-9_-]+$/u)
    }))
  })

  it.each<[string, Partial<CausalContext.TokenScope>]>([
    ["bucket", { bucket: "carts2" }],
    ["partition key", { key: { ...place.key, partition: "sbob" } }],
    ["sort key", { key: { ...place.key, sort: "s2" } }],
    ["split of the same key", { key: { partition: "salice\u0001s1", sort: "" } }],
    ["cluster", { secret: createSecretKey(Buffer.alloc(32, 2)) }]
  ])("is foreign to another %s", (_, elsewhere) => {
    fc.assert(fc.property(context, (context) => {
      expect(decode(encode(context, place), { ...place, ...elsewhere })).toBe("foreign")
    }))
  })

  it("is refused with any one bit flipped, and with its end cut off", () => {
    const token = encode({ vector: new Map([["a.0mi8dfxmoabcdef.1", 7]]), stamp: 3 }, place)
    const bytes = Buffer.from(token, "base64url")
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(decode(flipped.toString("base64url"), place)).toBe("foreign")
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(decode(bytes.subarray(0, length).toString("base64url"), place))
        .toBe(length <= 12 ? "malformed" : "foreign")
    }
  })

  it("that is garbage is refused without an error", () => {
    const garbage = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.base64String(),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("base64url"))
    )
    fc.assert(fc.property(garbage, (token) => {
      expect(["malformed", "foreign"]).toContain(decode(token, place))
    }))
  })

  it("is a format: this text for this context, for ever", () => {
    const vector = new Map([["a.0mi8dfxmoabcdef.1", 300], ["b.0mi8dfxmoabcdef.2", 2]])
    expect(encode({ vector, stamp: 1_763_700_000_000_001 }, place)).toBe(
      "OO_PNEqH3b-WN3C7AYGQ9r-2gpEDAhNhLjBtaThkZnhtb2FiY2RlZi4xrAITYi4wbWk4ZGZ4bW9hYmNkZWYuMgI"
    )
  })
})

describe("the join of contexts", () => {
  it("has seen what either has seen", () => {
    fc.assert(fc.property(context, context, (a, b) => {
      const joined = CausalContext.join(a, b)
      expect(covers(joined.vector, a.vector) && covers(joined.vector, b.vector)).toBe(true)
      expect(joined.stamp).toBe(Math.max(a.stamp, b.stamp))
      expect(sorted(CausalContext.join(b, a).vector)).toEqual(sorted(joined.vector))
      expect(CausalContext.join(a, CausalContext.nothing)).toEqual(a)
    }))
  })

  it("has seen what an answer in a session did not show", () => {
    fc.assert(fc.property(context, context, (shown, session) => {
      const answered = CausalContext.answered(shown, session)
      expect(answered.vector).toBe(shown.vector)
      const joined = CausalContext.join(CausalContext.nothing, answered)
      const both = CausalContext.join(shown, session)
      expect(sorted(joined.vector)).toEqual(sorted(both.vector))
      expect(joined.stamp).toBe(both.stamp)
    }))
  })
})
