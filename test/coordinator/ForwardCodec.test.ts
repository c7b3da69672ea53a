// Checks that a forwarded request is read with its client's identity, or not at all.
import { describe, expect, it } from "vitest"
import { readForward } from "../../src/coordinator/ForwardCodec.ts"
import { anonymous } from "../../src/core/model/Principal.ts"

const forward = (more: object) =>
  readForward(
    Buffer.from(
      JSON.stringify({ action: "read", bucket: "profiles", body: { key: "k" }, to: "", ...more })
    )
  )

describe("a forwarded request", () => {
  const bucket = "profiles"

  it("without a principal, as earlier nodes forward it, is an anonymous client's", () => {
    expect(forward({})?.request.principal).toEqual(anonymous)
    expect(forward({ principal: anonymous })?.request.principal).toEqual(anonymous)
  })

  it.each<[string, unknown]>([
    ["unknown", { _tag: "Root" }],
    ["a user without a name", { _tag: "NatsUser", name: "" }],
    ["a user with too long a name", { _tag: "NatsUser", name: "a".repeat(257) }],
    ["no object", "ada"]
  ])("whose principal is %s is none", (_, principal) => {
    const json = { action: "read", bucket, body: { key: "k" }, to: "", principal }
    expect(readForward(Buffer.from(JSON.stringify(json)))).toBeUndefined()
  })
})
