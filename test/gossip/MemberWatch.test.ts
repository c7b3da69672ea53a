// Nodes learn of each other by pings and gossip: of dead nodes, cut links and restarts.
import { expect, it } from "vitest"
import type { NodeId } from "../../src/core/model/Names.ts"
import { buckets, notes } from "../cluster/buckets.ts"
import { node, SteppedCluster } from "../cluster/steppedCluster.ts"

const coreOf = (stepped: SteppedCluster, at: number) => stepped.nodes[at - 1]!.core

const isUp = (stepped: SteppedCluster, at: number, of: number): boolean =>
  coreOf(stepped, at).view.liveness.isUp(node(of))

const knownOf = (stepped: SteppedCluster, at: number, of: NodeId) =>
  coreOf(stepped, at).memberWatch.facts().find((facts) => facts.node === of)

it("a node that dies is believed down by idle nodes within 3 s, and up again soon", async () => {
  for (let turn = 0; turn < 20; turn++) {
    const stepped = await SteppedCluster.start({ nodes: 3, buckets })
    // It dies at another moment of the others' pings each time.
    stepped.runtime.advance(5_000 + 137 * turn)
    stepped.cut(3)
    stepped.runtime.advance(3_000)
    expect([1, 2].map((at) => isUp(stepped, at, 3))).toEqual([false, false])
    expect([1, 2].map((at) => coreOf(stepped, at).memberWatch.belief(node(3)))).toEqual([
      "down",
      "down"
    ])
    expect(isUp(stepped, 1, 2)).toBe(true)
    stepped.heal()
    stepped.runtime.advance(3_000)
    expect([1, 2].map((at) => isUp(stepped, at, 3))).toEqual([true, true])
    stepped.stop()
  }
})

it("two nodes whose link is cut know each other to be up, and hear of each other", async () => {
  const stepped = await SteppedCluster.start({ nodes: 3, buckets })
  stepped.loses = ({ from, to }) =>
    (from === node(1) && to === node(2)) || (from === node(2) && to === node(1))
  for (let i = 0; i < 40; i++) {
    stepped.runtime.advance(250)
    expect(coreOf(stepped, 1).memberWatch.belief(node(2))).not.toBe("down")
  }
  stepped.cluster.crash(node(2))
  await stepped.restart(2)
  stepped.runtime.advance(5_000)
  const told = knownOf(stepped, 2, node(2))
  expect(told?.version.incarnation).toBe(coreOf(stepped, 2).replica.incarnation())
  expect(knownOf(stepped, 1, node(2))).toEqual(told)
  stepped.stop()
})

it("each node knows what the others tell of themselves", async () => {
  const stepped = await SteppedCluster.start({ nodes: 4, buckets })
  stepped.runtime.advance(5_000)
  for (const at of [1, 2, 3, 4]) {
    const own = knownOf(stepped, at, node(at))
    expect(own).toMatchObject({ status: "serving" })
    for (const other of [1, 2, 3, 4]) expect(knownOf(stepped, other, node(at))).toEqual(own)
  }
  coreOf(stepped, 4).drain()
  stepped.runtime.advance(2_000)
  expect(knownOf(stepped, 1, node(4))).toMatchObject({ status: "stopping" })
  stepped.stop()
})

it("a late frame of a node's former incarnation does not delay what is sent to it", async () => {
  const stepped = await SteppedCluster.start({ nodes: 2, buckets })
  stepped.runtime.advance(2_000)
  const late: Array<{ readonly subject: string; readonly data: Uint8Array }> = []
  stepped.loses = ({ data, from, subject }) => {
    if (from === node(2)) late.push({ subject, data: data.slice() })
    return from === node(2)
  }
  stepped.runtime.advance(600)
  expect(late.length).toBeGreaterThan(0)
  stepped.loses = () => false
  stepped.cluster.crash(node(2))
  await stepped.restart(2)
  stepped.runtime.advance(1_000)

  const broker = stepped.cluster.connect()
  for (const { data, subject } of late) broker.publish(subject, data)
  stepped.runtime.runReady()
  const written = stepped.write(1, notes, { key: "k", op: "put", args: ["v"], w: 2 })
  expect(written.isOpen).toBe(false)
  expect(written.texts).toEqual(["v"])
  stepped.stop()
})
