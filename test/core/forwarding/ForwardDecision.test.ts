// Compares the decision of forwarding with the promises that a forwarded write is given, in every
// order of deliveries, losses, late answers, refusals, restarts and deaths.
import { describe, expect, it } from "vitest"
import * as ForwardDecision from "../../../src/core/forwarding/ForwardDecision.ts"
import { NodeId } from "../../../src/core/model/Names.ts"
import { explore } from "./ForwardModel.ts"

const extents = [
  { nodes: 2, met: true, sendingsMax: 3, restartsMax: 0, evictionsMax: 1 },
  { nodes: 2, met: true, sendingsMax: 3, restartsMax: 1, evictionsMax: 0 },
  { nodes: 2, met: false, sendingsMax: 4, restartsMax: 0, evictionsMax: 0 },
  { nodes: 3, met: true, sendingsMax: 3, restartsMax: 0, evictionsMax: 0 }
]

/** A decision that does not tell the next node which ones were asked. */
const silent: typeof ForwardDecision.step = (decision, event) => ({
  ...ForwardDecision.step(decision, event),
  tried: []
})

/** A decision that believes of two sendings what a stale mark says of one. */
const trusting: typeof ForwardDecision.step = (decision, event) =>
  ForwardDecision.step(
    event._tag === "Stale" ? { ...decision, sending: event.sending, sendings: 1 } : decision,
    event
  )

describe("a forwarded write", () => {
  it.each(extents)(
    "is carried out by one node at most, and is not denied once it is: %j",
    (bounds) => {
      const { broken, situations } = explore(ForwardDecision, bounds)
      expect(broken).toBeUndefined()
      // Lest it has tried nothing.
      expect(situations).toBeGreaterThan(500)
    }
  )

  it.each([
    ["went on to another node without naming the first", silent],
    ["believed of all sendings what is said of one", trusting]
  ])("would be carried out twice if it %s", (_, step) => {
    expect(explore({ ...ForwardDecision, step }, extents[0]!).broken)
      .toBe("the write was carried out twice")
  })

  it("is not given up for the refusal of a sending under an older mark", () => {
    const [n1] = [NodeId.make("n1")]
    const mark = "0mi8dfxmoabcdef."
    const { make, step } = ForwardDecision
    let decision = make<string>({ action: "write", nodes: [n1], tried: [] })
    decision = step(decision, { _tag: "Sent", sending: 0, mark: `${mark}1` })
    decision = step(decision, { _tag: "Stale", from: n1, sending: 0 })
    decision = step(decision, { _tag: "Sent", sending: 1, mark: `${mark}2` })
    const late = { _tag: "Refused", from: n1, sending: 0, answer: "it stops" } as const
    expect(step(decision, late).outcome).toEqual({ _tag: "Wait" })
    expect(step(decision, { ...late, sending: 1 }).outcome)
      .toMatchObject({ _tag: "Answer", noneApplied: true })
  })
})

describe("a forwarded read", () => {
  const [n1, n2] = [NodeId.make("n1"), NodeId.make("n2")]

  it("goes to the next node when one is late, and round again", () => {
    const late = { _tag: "Late" } as const
    let decision = ForwardDecision.make<string>({ action: "read", nodes: [n1, n2], tried: [] })
    const asked = [decision.next]
    for (let i = 0; i < 2; i++) {
      decision = ForwardDecision.step(decision, late)
      asked.push(decision.next)
    }
    expect(asked).toEqual([n1, n2, n1])
  })
})
