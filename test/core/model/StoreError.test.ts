// Checks what all errors of requests have in common, and that each says in one sentence what is
// wrong, where, and what would do.
import { describe, expect, it } from "vitest"
import * as Schema from "effect/Schema"
import { RequestBody } from "../../../schemas/ClientRequest.ts"
import { encodeField, encodeFields, keyLengthMax } from "../../../src/core/model/DocumentKey.ts"
import { misshapenRequest } from "../../../src/core/model/MisshapenRequest.ts"
import * as Errors from "../../../src/core/model/StoreError.ts"
import { TransportUnavailable } from "../../../src/transport/Transport.ts"

const address = "nats://127.0.0.1:4222"
const bucket = "carts"
const counts = { needed: { w: 2, pw: 0, dw: 2 }, had: { w: 1, pw: 1, dw: 1 } }
const quorum = { action: "write", ...counts, unreachable: ["n2"], refused: [] } as const

const isTransient: ReadonlyArray<readonly [boolean, Errors.EverwriteError]> = [
  [true, new Errors.QuorumNotMet({ ...quorum, mayHaveApplied: true })],
  [true, new Errors.NoAnswer({ reason: "no answer in time", mayHaveApplied: true })],
  [true, new Errors.NodeUnwritable({ node: "n1", reason: "its disk is full" })],
  [true, new Errors.Overloaded({ retryAfterMillis: 10 })],
  [true, new TransportUnavailable({ address, reason: "connection refused" })],
  [false, new TransportUnavailable({ address, reason: "denied", isDenied: true })],
  [false, new Errors.InvalidKey({ bucket, problem: "too long" })],
  [false, new Errors.Closed({ closed: "client", mayHaveApplied: false })],
  [false, new Errors.ContextTooOld({ bucket })]
]

describe("an error of a request", () => {
  it.each(isTransient)("is of one class and says whether it passes: %s, %s", (passes, error) => {
    expect(error).toBeInstanceOf(Errors.EverwriteError)
    expect(error).toBeInstanceOf(Error)
    expect(error.isTransient).toBe(passes)
    expect(error.stack).toContain(error.name)
  })

  it("crosses the network with its tag and fields, and has its class again", () => {
    const error = new Errors.InvalidValue({ bucket, path: "$.a", problem: "no number" })
    const json = Schema.encodeSync(Errors.StoreError)(error)
    expect(json).toEqual({ _tag: "InvalidValue", bucket, path: "$.a", problem: "no number" })
    const read = Schema.decodeUnknownSync(Errors.StoreError)(json)
    expect(read).toBeInstanceOf(Errors.InvalidValue)
    expect(read.message).toBe(error.message)
    expect(read.name).toBe("InvalidValue")
  })
})

describe("its text", () => {
  it("names the operation of an edit that is at fault", () => {
    const fault = { bucket, path: "$[0].x", problem: "no number" }
    expect(new Errors.InvalidValue({ ...fault, operation: "lines.add", index: 2 }).message)
      .toBe("bucket carts, operation 2 of an edit, lines.add, at $[0].x: no number")
    expect(
      new Errors.UnknownOperation({ bucket, operation: "x", known: ["put"], index: 1 }).message
    )
      .toBe("bucket carts has no operation x, as 1 of an edit; it has put")
  })

  it("of a quorum that is not met says what needs less, where anything does", () => {
    expect(new Errors.QuorumNotMet({ ...quorum, mayHaveApplied: true }).message).toBe(
      "write needed w 2, pw 0, dw 2, had w 1, pw 1, dw 1; no answer from n2; it may have applied; "
        + "with consistency available one replica is enough"
    )
    const needed = { w: 1, pw: 0, dw: 1 }
    expect(new Errors.QuorumNotMet({ ...quorum, needed, mayHaveApplied: false }).message)
      .not.toContain("available")
    expect(new Errors.QuorumNotMet({ ...quorum, sloppy: false, mayHaveApplied: false }).message)
      .toContain("; no answer from n2; sloppy: false lets no other node stand in;")
  })

  it("of declarations that differ says in what, where it is known", () => {
    const fault = { bucket, expected: "a", actual: "b" }
    expect(new Errors.BucketMismatch(fault).message)
      .toBe("bucket carts is declared otherwise by the nodes: a, not b")
    const differs = ["n is 1 here and 3 there"]
    expect(new Errors.BucketMismatch({ ...fault, differs }).message)
      .toBe("bucket carts is declared otherwise by the nodes: n is 1 here and 3 there")
  })
})

describe("a request that has not the shape of one is refused by its part, in one sentence:", () => {
  it.each([
    [{ key: "k", r: "two" }, /^r is "two", expected "one"/u],
    [{ key: "k", r: 1.5 }, /^r is 1\.5, expected .*integer/u],
    [{ key: "k", calls: [{ name: "a", args: [] }, { name: 7 }] }, /^calls\[1\]\.name is 7, /u],
    [{}, /^key is missing, expected /u],
    [7, /^request is 7, expected a request, which is an object$/u]
  ])("%j", (json, message) => {
    const decoded = Schema.decodeUnknownResult(RequestBody)(json)
    if (decoded._tag === "Success") throw new Error("it has the shape of one")
    const error = misshapenRequest(decoded.failure, { json, whole: "request" })
    expect(error.message).toMatch(message)
    expect(error.message).not.toContain("\n")
  })
})

describe("a key that is too long is told by the length that its user counts", () => {
  it.each([
    ["x".repeat(keyLengthMax), `longer than ${keyLengthMax - 1} characters: ${keyLengthMax}`],
    ["x".repeat(3_000), `longer than ${keyLengthMax - 1} characters: 3000`]
  ])("%.3s...", (text, message) => {
    expect(() => encodeField(text)).toThrow(message)
    expect(() => encodeField("x".repeat(keyLengthMax - 1))).not.toThrow()
  })

  it("of all its fields together", () => {
    const fields = ["x".repeat(1_000), "y".repeat(100)]
    expect(() => encodeFields(fields)).toThrow(/^longer than 102\d characters: 1100$/u)
  })
})
