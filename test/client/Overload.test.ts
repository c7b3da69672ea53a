// Checks where a remote client's request goes that a node has too much to do for, and how it ends.
import { describe, expect, it } from "vitest"
import { Overloaded } from "../../src/core/model/StoreError.ts"
import { begin, done } from "./beginRequest.ts"

const busy = new Overloaded({ node: "n1", retryAfterMillis: 40 })

describe("a request that a node has too much to do for", () => {
  it("goes to another node after a pause, which is spread around the node's hint", () => {
    const { answer, outcomes, pauses, told, tos } = begin({})
    answer(busy)
    expect([tos(), told]).toEqual([["n1"], ["shed"]])
    expect(pauses.map(({ millis }) => millis)).toEqual([30])
    pauses[0]!.over()
    expect(tos()).toEqual(["n1", "n2"])
    answer(busy)
    expect(pauses.map(({ millis }) => millis)).toEqual([30, 60])
    pauses[1]!.over()
    answer(done)
    expect(outcomes).toEqual(["Answer"])
  })

  it("is over, and was certainly not applied, where it may not be sent again", () => {
    for (const options of [{ mayRetry: false }, { retryFor: 29 }]) {
      const { answer, outcomes, pauses } = begin({}, options)
      answer(busy)
      expect([outcomes, pauses]).toEqual([["Overloaded"], []])
    }
  })

  it("may have applied where an earlier sending of it is not answered", () => {
    const { answer, outcomes, request, sent } = begin({})
    request.resend()
    expect(sent).toHaveLength(2)
    answer(busy)
    expect(outcomes).toEqual([])
    request.expire()
    expect(outcomes).toEqual(["NoAnswer, maybe applied"])
  })

  it("is told by its message, where that was refused as a whole, but not by an earlier one", () => {
    const { outcomes, pauses, request } = begin({}, { mayRetry: false })
    request.refused(9, busy)
    expect(outcomes).toEqual([])
    request.refused(1, busy)
    expect([outcomes, pauses]).toEqual([["Overloaded"], []])
  })

  it("is not sent while it pauses, and not after it has ended", () => {
    const { answer, pauses, request, sent } = begin({})
    answer(busy)
    request.resend()
    expect(sent).toHaveLength(1)
    request.expire()
    pauses[0]!.over()
    expect(sent).toHaveLength(1)
  })

  it("is not sent again for lack of an answer where its client may send nothing again", () => {
    const { request, sent } = begin({}, { mayRetry: false })
    request.resend()
    expect(sent).toHaveLength(1)
  })
})
