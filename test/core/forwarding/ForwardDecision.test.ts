// Compares the decision of forwarding with the promises that a forwarded write is given, in every
// order of deliveries, losses, repeats, late answers and restarts.
import { describe, expect, it } from "vitest"
import * as ForwardDecision from "../../../src/core/forwarding/ForwardDecision.ts"
import { NodeId } from "../../../src/core/model/Names.ts"
import { explore } from "./ForwardModel.ts"

const extents = [
  { nodes: 2, met: true, sendingsMax: 3, restartsMax: 1, repeatsMax: 1 },
  { nodes: 2, met: false, sendingsMax: 4, restartsMax: 1, repeatsMax: 0 },
  { nodes: 3, met: true, sendingsMax: 4, restartsMax: 1, repeatsMax: 1 }
]

/** A decision that goes on to another node when a write is late. */
const impatient: typeof ForwardDecision.step = (decision, event) =>
  event._tag === "Late"
    ? { ...ForwardDecision.step({ ...decision, action: "read" }, event), action: "write" }
    : ForwardDecision.step(decision, event)

/** A decision that believes every refusal. */
const trusting: typeof ForwardDecision.step = (decision, event) =>
  ForwardDecision.step(decision, "isCertain" in event ? { ...event, isCertain: true } : event)

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

  it("would be carried out twice if it went on to another node when the first one is late", () => {
    expect(explore({ ...ForwardDecision, step: impatient }, extents[0]!).broken)
      .toBe("two nodes have carried the write out")
  })

  it("would be denied or doubled if every refusal were believed", () => {
    expect(explore({ ...ForwardDecision, step: trusting }, extents[0]!).broken).toBeDefined()
  })
})

describe("a forwarded read", () => {
  const [n1, n2] = [NodeId.make("n1"), NodeId.make("n2")]

  it("goes to the next node when one is late, and round again", () => {
    const late = { _tag: "Late" } as const
    let decision = ForwardDecision.make<string>({ action: "read", nodes: [n1, n2] })
    const asked = [decision.next]
    for (let i = 0; i < 2; i++) {
      decision = ForwardDecision.step(decision, late)
      asked.push(decision.next)
    }
    expect(asked).toEqual([n1, n2, n1])
  })
})
