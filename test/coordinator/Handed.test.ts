// Checks that a write that is sent again is handed to the node that may have carried it out.
import { describe, expect, it } from "vitest"
import { Handed } from "../../src/coordinator/Handed.ts"
import type { Request } from "../../src/coordinator/Request.ts"
import { NodeId } from "../../src/core/model/Names.ts"

const a = NodeId.make("a")
const b = NodeId.make("b")
const c = NodeId.make("c")

const write = (sequence: number): Request => ({
  action: "write",
  bucket: "notes",
  body: { key: "k", once: { session: "s", sequence, at: 0 } },
  forwarded: false
})

describe("a request that is handed on", () => {
  it("goes to the node it went to before, though another has become the best", () => {
    const handed = new Handed()
    expect(handed.route(write(1), [a, b])).toEqual([a, b])
    handed.sent(write(1), a, "life")
    expect(handed.route(write(2), [b, a])).toEqual([b, a])
    expect(handed.route(write(1), [b, a])).toEqual([a])
  })

  it("goes to the node that took it after the best one refused", () => {
    const handed = new Handed()
    handed.sent(write(1), a, "life")
    handed.sent(write(1), b, "life")
    expect(handed.route(write(1), [a, b])).toEqual([b])
  })

  it("goes to the best node once the one before holds the document no more", () => {
    const handed = new Handed()
    handed.sent(write(1), a, "life")
    expect(handed.route(write(1), [c, b])).toEqual([c, b])
  })

  it("goes to the node that is still to learn which life of it is asked", () => {
    const handed = new Handed()
    handed.sent(write(1), a, "")
    expect(handed.route(write(1), [b, a])).toEqual([a])
    expect(handed.wasSentOnce(write(1))).toBe(false)
    handed.sent(write(1), a, "life")
    expect(handed.wasSentOnce(write(1))).toBe(true)
  })

  it("goes to any node once nobody has carried it out", () => {
    const handed = new Handed()
    handed.sent(write(1), a, "life")
    handed.forget(write(1))
    expect(handed.route(write(1), [b, a])).toEqual([b, a])
  })

  it("was sent once until it goes to the same node again, for whichever request", () => {
    const handed = new Handed()
    expect(handed.wasSentOnce(write(1))).toBe(false)
    handed.sent(write(1), a, "life")
    expect(handed.wasSentOnce(write(1))).toBe(true)
    handed.sent(write(1), b, "life")
    expect(handed.wasSentOnce(write(1))).toBe(true)
    handed.sent(write(1), b, "life")
    expect(handed.wasSentOnce(write(1))).toBe(false)
  })

  it("may go to any node where nothing tells a second time from the first", () => {
    const request: Request = {
      action: "read",
      bucket: "notes",
      body: { key: "k" },
      forwarded: false
    }
    expect(new Handed().route(request, [a, b])).toEqual([a, b])
  })
})
