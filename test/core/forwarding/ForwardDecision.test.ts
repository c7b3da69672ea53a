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

describe("a node whose mark has always moved on", () => {
  const [n1, n2] = [NodeId.make("n1"), NodeId.make("n2")]
  const { make, step } = ForwardDecision

  it("is asked again at once for its first new mark, then only after a pause", () => {
    let decision = make<string>({ action: "write", nodes: [n1, n2], tried: [] })
    for (let sending = 0; sending < 10; sending++) {
      expect(decision, `sending ${sending}`).toMatchObject({ next: n1, outcome: { _tag: "Wait" } })
      decision = step(decision, { _tag: "Sent", sending, mark: sending === 0 ? "" : `m${sending}` })
      decision = step(decision, { _tag: "Stale", from: n1, sending })
      if (sending === 0) continue
      expect(decision, `sending ${sending}`).toMatchObject({ next: undefined, tried: [] })
      decision = step(decision, { _tag: "Late" })
    }
  })

  it("says nothing of the next node, which is asked again at once", () => {
    let decision = make<string>({ action: "write", nodes: [n1, n2], tried: [] })
    for (const [sending, from] of [n1, n2].entries()) {
      decision = step(decision, { _tag: "Sent", sending: 2 * sending, mark: "" })
      decision = step(decision, { _tag: "Stale", from, sending: 2 * sending })
      expect(decision.next).toBe(from)
      decision = step(decision, { _tag: "Sent", sending: 2 * sending + 1, mark: "m" })
      decision = step(decision, { _tag: "Down" })
    }
  })
})

describe("a forwarded write that a node may have carried out", () => {
  const [n1, n2] = [NodeId.make("n1"), NodeId.make("n2")]
  const answer = "it stops"

  const refuseAll = () => {
    const { make, step } = ForwardDecision
    let decision = make<string>({ action: "write", nodes: [n1, n2], tried: [] })
    decision = step(decision, { _tag: "Sent", sending: 0, mark: "m1" })
    decision = step(decision, { _tag: "Down" })
    decision = step(decision, { _tag: "Sent", sending: 1, mark: "m2" })
    return step(decision, { _tag: "Refused", from: n2, sending: 1, answer })
  }

  it("goes to it again where all others refuse, and takes its late answer", () => {
    const decision = refuseAll()
    expect(decision).toMatchObject({ outcome: { _tag: "Wait" }, next: n1 })
    const done = { from: n1, sending: 0, answer: "done", isPassing: false }
    expect(ForwardDecision.step(decision, { _tag: "Answered", ...done }).outcome)
      .toMatchObject({ _tag: "Answer", answer: "done" })
  })

  it("ends as refused once that node refuses too, and in doubt where it never answers", () => {
    const { step } = ForwardDecision
    const decision = step(refuseAll(), { _tag: "Sent", sending: 2, mark: "m1" })
    expect(step(decision, { _tag: "Refused", from: n1, sending: 2, answer }).outcome)
      .toMatchObject({ _tag: "Answer", answer, noneApplied: true })
    expect(step(decision, { _tag: "Deadline" }).outcome).toEqual({ _tag: "Fail" })
  })
})

describe("a forwarded read", () => {
  const [n1, n2, n3] = [NodeId.make("n1"), NodeId.make("n2"), NodeId.make("n3")]

  it("that others refuse waits for a slow node, which alone is asked again", () => {
    const { make, step } = ForwardDecision
    const nodes = [n1, n2, n3]
    let decision = make<string>({ action: "read", nodes, tried: [] })
    let sending = 0
    const sent = () => step(decision, { _tag: "Sent", sending: sending++, mark: undefined })
    decision = step(sent(), { _tag: "Late" })
    for (const from of [n2, n3]) {
      expect(decision.next).toBe(from)
      decision = step(sent(), { _tag: "Refused", from, sending, answer: "it stops" })
    }
    expect(decision).toMatchObject({ outcome: { _tag: "Wait" }, next: n1 })
    decision = step(sent(), { _tag: "Late" })
    expect(decision.next).toBe(n1)
    const late = { from: n1, sending: 0, isPassing: false }
    expect(step(decision, { _tag: "Answered", ...late, answer: "found" }).outcome)
      .toMatchObject({ _tag: "Answer", answer: "found" })
    expect(step(decision, { _tag: "Refused", ...late, answer: "full" }).outcome)
      .toMatchObject({ _tag: "Answer", answer: "full" })
  })

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
