// Checks a node's beliefs about its cluster: its ring, the nodes that are up, the agreed clock.
import * as fc from "fast-check"
import { beforeEach, describe, expect, it } from "vitest"
import * as Result from "effect/Result"
import { lan } from "../../src/core/model/Limits.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import * as MembershipLog from "../../src/core/ring/MembershipLog.ts"
import * as RingState from "../../src/core/ring/RingState.ts"
import { ClusterView } from "../../src/gossip/ClusterView.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"

const [n1, n2, n3] = [NodeId.make("n1"), NodeId.make("n2"), NodeId.make("n3")]
const stranger = NodeId.make("x1")
const ring = RingState.make({
  partitionCount: 16,
  replicaCount: 3,
  log: MembershipLog.form([n1, n2, n3].map((id) => ({ id, weight: 1 })))
})

let runtime: SteppedRuntime
let view: ClusterView
beforeEach(() => {
  runtime = new SteppedRuntime()
  view = new ClusterView({ runtime, self: n1, ring, limits: lan.node })
})

const changed = (state: RingState.RingState, change: "Join" | "Leave"): RingState.RingState => {
  const log = MembershipLog.append(state.log, {
    author: n1,
    changes: [
      change === "Join"
        ? { _tag: "Join", member: { id: stranger, weight: 1 } }
        : { _tag: "Leave", id: n3 }
    ],
    settled: true
  })
  return Result.getOrThrow(Result.flatMap(log, (next) => RingState.step(state, next)))
}

describe("the ring of a view", () => {
  it("answers at once from the state to which it advanced, in all it says", () => {
    const next = changed(ring, "Join")
    const before = view.placement(3, 3)
    expect(view.placement(3, 3)).toBe(before)
    view.advance(next)
    expect(view.ringState()).toBe(next)
    expect(view.ring.digest).toBe(next.ring.digest)
    expect(view.members().map(({ id }) => id)).toEqual([n1, n2, n3, stranger])
    for (const partition of Array(16).keys()) {
      expect(view.preferenceList(partition)).toEqual(RingState.preferenceList(next, partition))
      const at = { partition, n: 3, withFallbacks: false }
      expect(view.placement(partition, 3)).toBe(RingState.placement(next, at))
    }
  })

  it("tells listeners of each change, until they close", () => {
    const told: Array<string> = []
    const listener = (next: RingState.RingState) => void told.push(next.ring.digest)
    const close = view.onRingChange(listener)
    const closeOther = view.onRingChange(listener)
    const [once, twice] = [changed(ring, "Join"), changed(changed(ring, "Join"), "Leave")]
    view.advance(ring)
    expect(told).toEqual([])
    view.advance(once)
    expect(told).toEqual([once.ring.digest, once.ring.digest])
    close()
    close()
    view.advance(twice)
    expect(told.slice(2)).toEqual([twice.ring.digest])
    closeOther()
    view.advance(ring)
    expect(told.length).toBe(3)
  })

  it("has changed completely before its listeners are told", () => {
    let digest = ""
    view.onRingChange(() => {
      digest = view.ring.digest
    })
    view.advance(changed(ring, "Join"))
    expect(digest).toBe(changed(ring, "Join").ring.digest)
  })

  it("decides whose frames are believed: a node that joined, and none that left", () => {
    view.heard(stranger, 0)
    expect(view.liveness.sinceHeardMillis(stranger)).toBe(Infinity)
    view.advance(changed(ring, "Join"))
    view.heard(stranger, 0)
    expect(view.liveness.sinceHeardMillis(stranger)).toBe(0)
    for (const node of [n2, n3]) view.heard(node, 3_600_000)
    const own = runtime.now()
    expect(view.agreedNow()).not.toBe(own)
    view.advance(changed(view.ringState(), "Leave"))
    view.heard(n3, 3_600_000)
    expect(view.liveness.sinceHeardMillis(n3)).toBe(Infinity)
    expect(view.agreedNow()).toBe(own)
  })
})

describe("the stamping clock", () => {
  it("is the own one while the cluster's median is near", () => {
    expect(view.agreedNow()).toBe(runtime.now())
    view.heard(n2, 900)
    view.heard(n3, 1_000)
    expect(view.agreedNow()).toBe(runtime.now())
    expect(view.clockClamps()).toBe(0)
  })

  it("is the median where the own clock is alone with its opinion", () => {
    view.heard(n2, 3_600_000)
    view.heard(n3, 3_600_010)
    expect(view.agreedNow()).toBe(runtime.now() + 3_600_000)
    expect(view.clockClamps()).toBe(1)
  })

  it("comes back to the own one when the peers do", () => {
    for (const offset of [3_600_000, 10]) {
      for (const node of [n2, n3]) view.heard(node, offset, { greatestMillis: offset })
    }
    expect(view.agreedNow()).toBe(runtime.now())
  })

  it("stays the own one while the node works off the frames that came during a pause", () => {
    for (const node of [n2, n3]) view.heard(node, 0, { greatestMillis: 1 })
    runtime.advance(5_000)
    for (let delay = 5_000; delay >= 0; delay -= 100) {
      for (const node of [n2, n3]) view.heard(node, -delay, { greatestMillis: 20 })
      expect(view.agreedNow()).toBe(runtime.now())
    }
    expect(view.clockClamps()).toBe(0)
  })

  it("stays the own one however long the pause was, and however the frames were delayed", () => {
    const delays = fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 20 })
    fc.assert(fc.property(fc.nat(200_000), delays, (pause, all) => {
      runtime.advance(pause)
      for (const delay of all) {
        view.heard(n2, -delay)
        view.heard(n3, -delay, { greatestMillis: delay })
        expect(view.agreedNow()).toBe(runtime.now())
      }
    }))
  })

  it("of a node that is ahead is the peers' after one answer of each to it", () => {
    view.heard(n2, -3_600_001, { greatestMillis: -3_600_000 })
    expect(view.agreedNow()).toBe(runtime.now())
    view.heard(n3, -3_600_001, { greatestMillis: -3_599_990 })
    expect(view.agreedNow()).toBe(runtime.now() - 3_599_990)
  })

  it("is the own one where the peers that said otherwise are unreachable since long", () => {
    view.heard(n2, 3_600_000)
    view.heard(n3, 3_600_000)
    runtime.advance(lan.node.clockWindowMillis - lan.node.clockWindowMillis / 5)
    expect(view.agreedNow()).not.toBe(runtime.now())
    runtime.advance(lan.node.clockWindowMillis)
    expect(view.agreedNow()).toBe(runtime.now())
    view.heard(n2, 3_600_000)
    expect(view.agreedNow()).toBe(runtime.now())
  })

  it("is not moved by a node that is no member", () => {
    view.heard(stranger, 3_600_000)
    view.heard(n2, 3_600_000)
    expect(view.agreedNow()).toBe(runtime.now())
    expect(view.liveness.sinceHeardMillis(stranger)).toBe(Infinity)
  })

  it("is the own clock among two, as neither can be shown to be wrong", () => {
    view.heard(n2, 3_600_000)
    expect(view.agreedNow()).toBe(runtime.now())
  })
})
