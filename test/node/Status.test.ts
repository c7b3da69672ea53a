// Checks that each count of a node is in the text of /metrics, with its value.
import { afterEach, beforeEach, expect, it } from "vitest"
import { empty } from "../../src/core/crdt/Document.ts"
import { NodeMetrics } from "../../src/http/Metrics.ts"
import { alarmsOf } from "../../src/node/Alarms.ts"
import { healthOf, samplesOf } from "../../src/node/Status.ts"
import { buckets, notes, profiles } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets })
})
afterEach(() => stepped.stop())

/** The value in /metrics of each node for a name; undefined where it has no such line. */
const shown = (name: string): ReadonlyArray<string | undefined> =>
  stepped.nodes.map(({ core }) => {
    const metrics = new NodeMetrics()
    metrics.add(() => samplesOf(core))
    return new RegExp(`^everwrite_${name} (.*)$`, "mu").exec(metrics.text())?.[1]
  })

const put = (at: number, name: string) =>
  stepped.write(at, profiles, { key: "k", op: "put", args: [{ name }], w: 1 }).answer

it("shows the bytes held for an unreachable replica until they are given back", () => {
  stepped.cut(3)
  put(1, "Ada")
  const bytes = stepped.nodes[0]!.core.coordinator.lateBytes()
  expect(bytes).toBeGreaterThan(0)
  expect(shown("late_bytes")).toEqual([String(bytes), "0", "0"])
  stepped.runtime.advance(2_100)
  expect(shown("late_bytes")).toEqual(["0", "0", "0"])
})

/** Two write at once, and nodes 1 and 2 hold another last write than node 3. */
const writeApart = () => {
  stepped.cut(3)
  put(1, "Ada")
  // Until no node sends it any more: only its replicas receive the other.
  stepped.runtime.advance(2_100)
  put(3, "Grace")
}

it("a last write that is lost to another one is shown by the nodes that lose it", () => {
  writeApart()
  expect(shown("discards_total")).toEqual(["0", "0", "0"])
  stepped.heal()
  stepped.runtime.advance(1_000)
  expect(shown("discards_total")).toEqual(["1", "1", "0"])
})

it("a last write that is lost to another one in a read is shown by the node that reads", () => {
  writeApart()
  stepped.runtime.advance(2_100)
  stepped.heal()
  stepped.read(2, profiles, { key: "k", r: "all" })
  stepped.runtime.advance(1_000)
  expect(shown("discards_total")).toEqual(["0", "1", "0"])
})

it("a node whose store has a fault is not ready, says which, and says so until it ends", () => {
  const { core } = stepped.nodes[0]!
  const health = healthOf(core, () => false)
  expect([health.notReady(), health.alarms?.()]).toEqual([[], []])
  Object.assign(core.options.storage, { fault: () => "the log of the store was removed" })
  const said = ["the log of the store was removed: replace or rebuild this node"]
  expect([health.notReady(), health.alarms?.()]).toEqual([said, said])
  expect(alarmsOf(core).filter(({ name }) => name === "store").map((alarm) => alarm.count()))
    .toEqual([1])
})

it("a node that refuses writes is not ready, though its store has no fault any more", () => {
  const { core } = stepped.nodes[0]!
  const health = healthOf(core, () => false)
  let isWritable = false
  Object.assign(core.replica, { writable: () => isWritable })
  expect(health.notReady()).toEqual([
    "the disk failed a moment ago; writes are tried on it again in a moment"
  ])
  expect(health.alarms?.()).toEqual([])
  isWritable = true
  expect(health.notReady()).toEqual([])
})

/** The count of an alarm at each node. */
const alarmed = (alarm: string): ReadonlyArray<number | undefined> =>
  stepped.nodes.map(({ core }) => alarmsOf(core).find(({ name }) => name === alarm)?.count())

it("an exception in a handler raises an alarm at its node", () => {
  const { core } = stepped.nodes[1]!
  expect(alarmed("failure")).toEqual([0, 0, 0])
  expect(() => core.guard.failed(new Error("planted"), "a message", "message")).toThrow("planted")
  expect(alarmed("failure")).toEqual([0, 1, 0])
})

it("two contents of one dot raise an alarm at the node that finds them", () => {
  const { core: { replica } } = stepped.nodes[2]!
  const row = stepped.rowOf(profiles, "k")
  const dot = { actor: "n9.0mi8dfxmoabcdef.1", counter: 1 }
  const plant = (value: string) => {
    const context = new Map([[dot.actor, dot.counter]])
    const store = { kind: "latest", ...dot, stamp: 1, value } as const
    replica.join({ key: row, document: { ...empty, context, store } }, () => {})
  }
  plant("1000111")
  expect(alarmed("conflict")).toEqual([0, 0, 0])
  plant("9000111")
  expect(alarmed("conflict")).toEqual([0, 0, 1])
  expect(shown("conflicting_dots_total")).toEqual(["0", "0", "1"])
})

it("a document beyond half of a limit raises an alarm that names it", () => {
  const { core } = stepped.nodes[0]!
  const growth = alarmsOf(core).find(({ name }) => name === "growth")
  expect(growth?.count()).toBe(0)
  for (let i = 0; i <= 50; i++) {
    stepped.write(1, notes, { key: "k", op: "put", args: [`${i}`] })
  }
  expect(growth?.count()).toBe(1)
  expect(growth?.about?.()).toMatchObject({ bucket: "notes", limit: "siblings", had: 51 })
  expect(shown("documents_large_total")).toEqual(["1", "0", "0"])
})
