// Checks when a node is believed down: only after it left a question unanswered, until its next
// frame.
import * as fc from "fast-check"
import { beforeEach, describe, expect, it } from "vitest"
import { lan } from "../../src/core/model/Limits.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { Liveness } from "../../src/gossip/Liveness.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"

const [n1, n2] = [NodeId.make("n1"), NodeId.make("n2")]
let runtime: SteppedRuntime
let liveness: Liveness
beforeEach(() => {
  runtime = new SteppedRuntime()
  liveness = new Liveness({ runtime, limits: lan.node })
})

describe("a node", () => {
  it("to which no question was sent is believed up, with or without frames", () => {
    runtime.advance(1_000_000)
    expect(liveness.isUp(n1)).toBe(true)
    liveness.heard(n1)
    runtime.advance(1_000_000)
    expect(liveness.isUp(n1)).toBe(true)
    expect(liveness.suspects()).toEqual([])
  })

  it("that leaves a question unanswered is suspect after a second, until its next frame", () => {
    liveness.heard(n2)
    liveness.expects(n1)
    runtime.advance(1_000)
    expect(liveness.isUp(n1)).toBe(true)
    runtime.advance(1)
    expect(liveness.isUp(n1)).toBe(false)
    expect(liveness.suspects()).toEqual([n1])
    liveness.heard(n1)
    expect(liveness.isUp(n1)).toBe(true)
    expect(liveness.suspects()).toEqual([])
  })

  it("is not up because it is heard, where it may not have got the question", () => {
    liveness.heard(n1)
    runtime.advance(100)
    liveness.expects(n1)
    runtime.advance(2_000)
    liveness.heard(n1, 100)
    expect(liveness.isUp(n1)).toBe(false)
    liveness.heard(n1, 101)
    expect(liveness.isUp(n1)).toBe(true)
  })

  it("is not believed up for longer because it is asked again", () => {
    for (let i = 0; i < 11; i++) {
      liveness.expects(n1)
      runtime.advance(100)
    }
    expect(liveness.isUp(n1)).toBe(false)
  })

  it("is quiet once two turns of greetings have passed without a word of it", () => {
    const quietAfter = (count: number, millis: number): boolean => {
      liveness = new Liveness({ runtime, limits: lan.node })
      for (let i = 1; i <= count; i++) liveness.heard(NodeId.make(`n${i}`))
      runtime.advance(millis)
      return liveness.isQuiet(n1)
    }
    expect([quietAfter(4, 1_000), quietAfter(4, 1_001)]).toEqual([false, true])
    expect([quietAfter(20, 5_000), quietAfter(20, 5_001)]).toEqual([false, true])
    expect(liveness.isQuiet(NodeId.make("stranger"))).toBe(false)
  })

  it("that answers in time stays up however much it is asked", () => {
    for (let i = 0; i < 11; i++) {
      liveness.expects(n1)
      runtime.advance(900)
      expect(liveness.isUp(n1)).toBe(true)
      liveness.heard(n1)
    }
  })

  it("is believed down exactly where its oldest open question is past the limit", () => {
    const events = fc.array(
      fc.oneof(fc.constantFrom("heard", "expects", "unanswered"), fc.nat(400)),
      { maxLength: 30 }
    )
    fc.assert(fc.property(events, fc.integer({ min: 1, max: 1_000 }), (all, suspectMillis) => {
      const stepped = new SteppedRuntime()
      const believed = new Liveness({ runtime: stepped, limits: { ...lan.node, suspectMillis } })
      let open: number | undefined
      for (const event of all) {
        if (typeof event === "number") stepped.advance(event)
        else {
          believed[event](n1)
          open = event === "heard" ? undefined : open ?? stepped.elapsed()
        }
        const isUp = open === undefined || stepped.elapsed() - open <= suspectMillis
        expect(believed.isUp(n1)).toBe(isUp)
        expect(believed.suspects()).toEqual(isUp ? [] : [n1])
      }
    }))
  })
})

describe("the time for which a node is unreachable", () => {
  it("is endless before the first frame, and counts from the last", () => {
    expect(liveness.sinceHeardMillis(n1)).toBe(Infinity)
    liveness.heard(n1)
    runtime.advance(300)
    expect(liveness.sinceHeardMillis(n1)).toBe(300)
    liveness.expects(n1)
    expect(liveness.sinceHeardMillis(n1)).toBe(300)
    liveness.heard(n1)
    expect(liveness.sinceHeardMillis(n1)).toBe(0)
  })

  it("is endless while an answer is overdue, until the node's next frame", () => {
    liveness.heard(n1)
    liveness.unanswered(n1)
    liveness.unanswered(n2)
    expect(liveness.sinceHeardMillis(n1)).toBe(Infinity)
    liveness.heard(n1)
    expect(liveness.sinceHeardMillis(n1)).toBe(0)
    expect(liveness.sinceHeardMillis(n2)).toBe(Infinity)
  })

  it("is forgotten with the node", () => {
    for (const node of [n1, n2]) {
      liveness.heard(node)
      liveness.unanswered(node)
    }
    runtime.advance(2_000)
    liveness.retain(new Set([n2]))
    expect(liveness.suspects()).toEqual([n2])
    expect(liveness.isUp(n1)).toBe(true)
  })
})
