// Checks that a write that is sent again is forwarded to the node that may have carried it out.
import { describe, expect, it } from "vitest"
import { lan } from "../../src/core/model/Limits.ts"
import { ForwardedWrites } from "../../src/coordinator/ForwardedWrites.ts"
import type { Request } from "../../src/coordinator/Request.ts"
import { anonymous } from "../../src/core/model/Principal.ts"
import { NodeId } from "../../src/core/model/Names.ts"

const a = NodeId.make("a")
const b = NodeId.make("b")
const c = NodeId.make("c")

const write = (sequence: number): Request => ({
  action: "write",
  principal: anonymous,
  bucket: "notes",
  body: { key: "k", operationId: { session: "s", sequence, at: 0 } },
  forwarded: false
})

describe("a request that is forwarded", () => {
  it("goes to the node it went to before, though another has become the best", () => {
    const forwardedWrites = new ForwardedWrites(lan.node)
    expect(forwardedWrites.route(write(1), [a, b])).toEqual([a, b])
    forwardedWrites.sent(write(1), a, "incarnation")
    expect(forwardedWrites.route(write(2), [b, a])).toEqual([b, a])
    expect(forwardedWrites.route(write(1), [b, a])).toEqual([a])
  })

  it("goes to the node that took it after the best one refused", () => {
    const forwardedWrites = new ForwardedWrites(lan.node)
    forwardedWrites.sent(write(1), a, "incarnation")
    forwardedWrites.sent(write(1), b, "incarnation")
    expect(forwardedWrites.route(write(1), [a, b])).toEqual([b])
  })

  it("goes to the best node once the one before holds the document no more", () => {
    const forwardedWrites = new ForwardedWrites(lan.node)
    forwardedWrites.sent(write(1), a, "incarnation")
    expect(forwardedWrites.route(write(1), [c, b])).toEqual([c, b])
  })

  it("goes to the node that is still to learn which incarnation of it is asked", () => {
    const forwardedWrites = new ForwardedWrites(lan.node)
    forwardedWrites.sent(write(1), a, "")
    expect(forwardedWrites.route(write(1), [b, a])).toEqual([a])
    expect(forwardedWrites.wasSentOnce(write(1))).toBe(false)
    forwardedWrites.sent(write(1), a, "incarnation")
    expect(forwardedWrites.wasSentOnce(write(1))).toBe(true)
  })

  it("goes to any node once it is certain that none has carried it out", () => {
    const forwardedWrites = new ForwardedWrites(lan.node)
    forwardedWrites.sent(write(1), a, "incarnation")
    forwardedWrites.forget(write(1))
    expect(forwardedWrites.route(write(1), [b, a])).toEqual([b, a])
  })

  it("was sent once until it goes to the same node again, for whichever request", () => {
    const forwardedWrites = new ForwardedWrites(lan.node)
    expect(forwardedWrites.wasSentOnce(write(1))).toBe(false)
    forwardedWrites.sent(write(1), a, "incarnation")
    expect(forwardedWrites.wasSentOnce(write(1))).toBe(true)
    forwardedWrites.sent(write(1), b, "incarnation")
    expect(forwardedWrites.wasSentOnce(write(1))).toBe(true)
    forwardedWrites.sent(write(1), b, "incarnation")
    expect(forwardedWrites.wasSentOnce(write(1))).toBe(false)
  })

  it("is forgotten after as many others as the limit says, the oldest first", () => {
    const forwardedWrites = new ForwardedWrites({ forwardedWritesMax: 2 })
    for (const sequence of [1, 2, 3]) forwardedWrites.sent(write(sequence), a, "incarnation")
    expect(forwardedWrites.route(write(1), [b, a])).toEqual([b, a])
    expect(forwardedWrites.route(write(2), [b, a])).toEqual([a])
    expect(forwardedWrites.route(write(3), [b, a])).toEqual([a])
  })

  it("may go to any node where nothing tells a second time from the first", () => {
    const request: Request = {
      action: "read",
      principal: anonymous,
      bucket: "notes",
      body: { key: "k" },
      forwarded: false
    }
    expect(new ForwardedWrites(lan.node).route(request, [a, b])).toEqual([a, b])
  })
})
