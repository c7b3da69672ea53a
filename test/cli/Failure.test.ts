/** The lines that a command ends in: one for each fault, with advice as a command line takes it. */
import { expect, it } from "vitest"
import { fromError } from "../../src/cli/Failure.ts"
import * as Errors from "../../src/core/model/StoreError.ts"
import { TransportUnavailable } from "../../src/transport/Transport.ts"

const unmet = {
  action: "write" as const,
  needed: { w: 2, pw: 0, dw: 2 },
  had: { w: 1, pw: 1, dw: 1 },
  unreachable: ["n2", "n3"],
  refused: [],
  mayHaveApplied: true
}
const cutOff = new Errors.QuorumNotMet(unmet)

it("a write at a node that is cut off from the others is told the flag that needs no other", () => {
  const { code, text } = fromError(cutOff, { json: false })
  expect(code).toBe(3)
  expect(text).toBe(
    "write needed w 2, pw 0, dw 2, had w 1, pw 1, dw 1; no answer from n2, n3; it may have "
      + "applied; with --consistency available one replica is enough"
  )
})

it("a request that lets no other node stand in is told the flag that it was given", () => {
  const { text } = fromError(new Errors.QuorumNotMet({ ...unmet, sloppy: false }), { json: false })
  expect(text).toContain("; --no-sloppy lets no other node stand in; it may have applied;")
})

it("an exit code says whether the same command may succeed later", () => {
  const address = "nats://127.0.0.1:4222"
  const codes = [
    new Errors.ListingIncomplete({
      bucket: "carts",
      reached: 1,
      partitions: 2,
      unreachable: ["n2"],
      refused: []
    }),
    new TransportUnavailable({ address, reason: "connection refused" }),
    new TransportUnavailable({ address, reason: "denied", isDenied: true }),
    new Errors.InvalidKey({ bucket: "carts", problem: "too long" })
  ].map((error) => fromError(error, { json: false }).code)
  expect(codes).toEqual([3, 3, 1, 1])
})

it("no character of an error is carried out by a terminal", () => {
  const error = new Errors.InvalidKey({ bucket: "carts", problem: "\u001b[2J\u009b2J is none" })
  expect(fromError(error, { json: false }).text).toBe("bucket carts: \\u001b[2J\\u009b2J is none")
  const { text } = fromError(error, { json: true })
  expect(text).not.toContain("\u009b")
  expect(JSON.parse(text).error.problem).toBe("\u001b[2J\u009b2J is none")
})
