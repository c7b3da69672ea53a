// Checks that a running node keeps no ring of its own: all it says and asks follows its view.
import * as Result from "effect/Result"
import { afterEach, beforeEach, expect, it } from "vitest"
import type { ClusterDescription } from "../../schemas/ClusterDescription.ts"
import * as MembershipLog from "../../src/core/ring/MembershipLog.ts"
import * as RingState from "../../src/core/ring/RingState.ts"
import { buckets, notes } from "../cluster/buckets.ts"
import { node, SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 4, buckets })
})
afterEach(() => stepped.stop())

/** The ring without n4, settled. */
const without = (state: RingState.RingState): RingState.RingState => {
  const log = MembershipLog.append(state.log, {
    author: node(1),
    changes: [{ _tag: "Remove", id: node(4) }],
    settled: true
  })
  return RingState.settle(
    Result.getOrThrow(Result.flatMap(log, (next) => RingState.step(state, next)))
  )
}
const advance = (...nodeNumbers: ReadonlyArray<number>) => {
  for (const nodeNumber of nodeNumbers) {
    const { view } = stepped.nodes[nodeNumber - 1]!.core
    view.advance(without(view.ringState()))
  }
}
const described = (nodeNumber: number): ClusterDescription => {
  const told: Array<ClusterDescription> = []
  stepped.cluster.backends[nodeNumber - 1]!.describe((outcome) => {
    if (!(outcome instanceof Error)) told.push(outcome)
  })
  return told[0]!
}
const answers = (subject: string) => {
  const client = stepped.cluster.connect()
  const texts: Array<string> = []
  client.subscribe("_INBOX.test", ({ data }) => void texts.push(new TextDecoder().decode(data)))
  client.publish(subject, new Uint8Array(0), "_INBOX.test")
  stepped.runtime.runReady()
  return texts
}

it("a node whose ring changed sends and takes frames of the new ring alone", () => {
  advance(1)
  const refused = (nodeNumber: number) => stepped.nodes[nodeNumber - 1]!.core.link.stats().otherRing
  const keys = ["a", "b", "c", "d", "e", "f", "g", "h"]
  const written = keys.filter((key) => stepped.nodesOf(notes, key).primaries.includes(1))
  const asked = stepped.write(1, notes, { key: written[0]!, op: "put", args: ["v"], w: 2 })
  expect(asked.isOpen).toBe(true)
  expect(refused(2) + refused(3)).toBeGreaterThan(0)
  expect(refused(4)).toBe(0)
  advance(2, 3)
  stepped.runtime.advance(600)
  expect(asked.answer.replied).toBeGreaterThanOrEqual(2)
})

it("a node whose ring changed tells clients and tools of the new one", () => {
  const before = described(1)
  advance(1, 2, 3)
  const { digest } = stepped.nodes[0]!.core.view.ring
  expect(digest).not.toBe(before.ringDigest)
  const after = described(1)
  expect(after.ringDigest).toBe(digest)
  expect(after.members.map(({ id }) => id)).toEqual(["n1", "n2", "n3"])
  expect(after.owners!.indexes.length).toBe(16 * 3)
  expect(Math.max(...after.owners!.indexes)).toBe(2)
  const pings = answers("$SRV.PING").filter((text) => text.includes(`"ring":"${digest}"`))
  expect(pings.length).toBe(3)
  const descriptions = answers("everwrite.test.v1.cluster.describe")
  expect(descriptions.length).toBe(1)
})

it("a node whose ring changed asks the new primaries", () => {
  advance(1, 2, 3)
  const keys = Array.from({ length: 20 }, (_, index) => `k${index}`)
  for (const key of keys) {
    expect(stepped.write(1, notes, { key, op: "put", args: [key], w: 3 }).answer.replied).toBe(3)
    expect(stepped.held(notes, key).map((held) => held?.store === undefined))
      .toEqual([false, false, false, true])
  }
  for (const nodeNumber of [1, 2, 3]) expect(stepped.counts(nodeNumber).forwards).toBe(0)
})
