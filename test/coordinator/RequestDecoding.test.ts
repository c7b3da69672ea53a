// Checks that requests recognised by hand are the schema's, and that clients' requests are among
// those.
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { RequestBody } from "../../schemas/ClientRequest.ts"
import * as Json from "../../src/core/codec/Json.ts"
import { decodeRequest, isCommonRequest } from "../../src/coordinator/RequestDecoding.ts"

const decodeBySchema = Schema.decodeUnknownResult(RequestBody)

const odd = fc.constantFrom<unknown>(-0, -1, 0.5, Infinity, 2 ** 60, "", "x".repeat(65), "\ud800")
const anything = fc.oneof(odd, fc.jsonValue())
const operationId = fc.record({
  session: fc.oneof(fc.string(), anything),
  sequence: fc.oneof(fc.nat(), anything),
  other: anything
}, { requiredKeys: [] })
const call = fc.record({
  name: fc.oneof(fc.string(), anything),
  args: fc.oneof(fc.array(anything), anything),
  other: anything
}, { requiredKeys: [] })

/** Requests with faults in some of their fields, as JSON text can say them. */
const request = fc.record({
  id: fc.oneof(fc.integer(), anything),
  key: fc.oneof(fc.string(), anything),
  fingerprint: fc.oneof(fc.string(), anything),
  args: fc.oneof(fc.array(anything), anything),
  calls: fc.oneof(fc.array(call), anything),
  context: fc.oneof(fc.string(), anything),
  after: fc.oneof(fc.array(fc.oneof(fc.string(), anything)), anything),
  operationId: fc.oneof(operationId, anything),
  mark: fc.oneof(fc.stringMatching(/^[0-9a-z]{15}\.[0-9]{1,16}$/u), anything),
  tried: fc.oneof(fc.array(fc.record({ node: fc.constantFrom("n1", "N") })), anything),
  ifUnknown: fc.oneof(fc.constantFrom("fail", "apply"), anything),
  show: fc.oneof(fc.constantFrom("small", "always"), anything),
  merge: fc.oneof(fc.boolean(), anything),
  r: anything,
  other: anything
}, { requiredKeys: [] })

/** The JSON of a whole client's request, with each field that is common. */
const common = {
  id: 1,
  key: { user: "ann", year: 2026 },
  fingerprint: "0123456789abcdef",
  calls: [{ name: "put", args: [{ list: [1, null, true, "text"] }] }],
  context: "context",
  after: ["context"],
  operationId: { session: "session", sequence: 3 },
  mark: "0mi8dfxmoabcdef.7",
  merge: true
}

describe("a request of a client", () => {
  it("is decoded by hand to the same as by the schema, or left to it", () => {
    fc.assert(
      fc.property(fc.oneof(request, anything), (json) => {
        const bySchema = decodeBySchema(json)
        const decoded = decodeRequest(json)
        expect(decoded._tag).toBe(bySchema._tag)
        if (decoded._tag === "Success" && bySchema._tag === "Success") {
          expect(decoded.success).toEqual(bySchema.success)
        }
      }),
      { numRuns: 2000 }
    )
  })

  it("is recognised by hand with each field that is common, and with no other field", () => {
    expect(isCommonRequest(common)).toBe(true)
    expect(isCommonRequest({ ...common, key: "key", args: ["text"] })).toBe(true)
    expect(isCommonRequest({ ...common, w: 1 })).toBe(false)
    expect(isCommonRequest({ ...common, other: 1 })).toBe(false)
    expect(isCommonRequest(Json.parse(`{"key":"key","__proto__":1}`))).toBe(false)
  })

  it("is refused with a number beyond the range, however deep, as the schema refuses it", () => {
    for (const text of [`{"key":1e999}`, `{"key":"k","args":[{"a":[1e999]}]}`]) {
      expect(decodeRequest(JSON.parse(text))._tag).toBe("Failure")
    }
  })

  it("is refused with lists and texts that are too long", () => {
    const many = Array.from({ length: 1001 }, () => "context")
    const { operationId } = common
    const long = { ...operationId, session: "x".repeat(65) }
    const calls = many.map(() => ({ name: "put", args: [] }))
    expect(decodeRequest({ ...common, after: many })._tag).toBe("Failure")
    expect(decodeRequest({ ...common, calls })._tag).toBe("Failure")
    expect(decodeRequest({ ...common, operationId: long })._tag).toBe("Failure")
    expect(decodeRequest({ ...common, operationId: { ...operationId, session: "" } })._tag)
      .toBe("Failure")
  })
})
