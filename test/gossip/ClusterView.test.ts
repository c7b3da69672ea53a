// Checks what a node believes of its peers: who was heard, who was silent, whose clock counts.
import { beforeEach, describe, expect, it } from "vitest"
import * as Result from "effect/Result"
import { NodeId } from "../../src/core/model/Names.ts"
import { formation } from "../../src/core/ring/MembershipLog.ts"
import * as Ring from "../../src/core/ring/Ring.ts"
import { ClusterView } from "../../src/gossip/ClusterView.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"

const [n1, n2, n3] = [NodeId.make("n1"), NodeId.make("n2"), NodeId.make("n3")]
const stranger = NodeId.make("x1")

let runtime: SteppedRuntime
let view: ClusterView
beforeEach(() => {
  runtime = new SteppedRuntime()
  const [first, ...others] = [n1, n2, n3].map((id) => ({ id, weight: 1 }))
  const ring = Result.getOrThrow(
    Ring.make({ partitionCount: 16, replicaCount: 3, log: [formation([first!, ...others])] })
  )
  view = new ClusterView({ runtime, self: n1, ring, skewMillis: 1_000 })
})

describe("silence", () => {
  it("is endless before the first sign of life, and counts from the last", () => {
    expect(view.silenceMillis(n2)).toBe(Infinity)
    view.heard(n2, 0)
    runtime.advance(300)
    expect(view.silenceMillis(n2)).toBe(300)
    view.heard(n2, 0)
    expect(view.silenceMillis(n2)).toBe(0)
  })

  it("is endless again where a question was not answered, until the node is heard", () => {
    view.heard(n2, 0)
    view.missed(n2)
    expect(view.silenceMillis(n2)).toBe(Infinity)
    view.missed(n3)
    view.heard(n2, 0)
    expect(view.silenceMillis(n2)).toBe(0)
    expect(view.silenceMillis(n3)).toBe(Infinity)
  })
})

describe("the agreed time", () => {
  it("is the own clock's while that is near the median of all", () => {
    view.heard(n2, 900)
    view.heard(n3, 1_000)
    expect(view.agreedNow()).toBe(runtime.now())
    expect(view.clockClamps()).toBe(0)
  })

  it("is the median's where the own clock is further off, and counted", () => {
    view.heard(n2, 3_600_000)
    view.heard(n3, 3_600_010)
    expect(view.agreedNow()).toBe(runtime.now() + 3_600_000)
    expect(view.clockClamps()).toBe(1)
  })

  it("follows what a peer's clock said last", () => {
    for (const offset of [3_600_000, 0]) {
      view.heard(n2, offset)
      view.heard(n3, offset)
    }
    expect(view.agreedNow()).toBe(runtime.now())
  })

  it("is not moved by who is no member", () => {
    view.heard(stranger, 3_600_000)
    view.heard(n2, 3_600_000)
    expect(view.agreedNow()).toBe(runtime.now())
    expect(view.silenceMillis(stranger)).toBe(Infinity)
  })

  it("is the own clock's among two, of which none can say who is wrong", () => {
    view.heard(n2, 3_600_000)
    expect(view.agreedNow()).toBe(runtime.now())
  })
})
