// Checks that a node ends a read that nobody waits for any more, over NATS with its timeout, and
// goes on with a write.
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { makeClient } from "../../src/client/Everwrite.ts"
import { NatsBackend } from "../../src/client/NatsBackend.ts"
import { makeDb } from "../../src/client/Promises.ts"
import { BucketName } from "../../src/core/model/Names.ts"
import { buckets, notes, profiles } from "../cluster/buckets.ts"
import { clusterName, makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { Asked, SteppedCluster } from "../cluster/steppedCluster.ts"
import { startServer } from "../http/served.ts"
import { until } from "../tooling/until.ts"

const waiting = { r: "all", timeout: "1 minute" } as const

// With five nodes and three replicas, some nodes carry a read out, and the others forward it.
let cluster: MemoryCluster
beforeEach(async () => {
  cluster = await makeCluster({ nodes: 5, buckets, timeoutMillis: 60_000 })
  for (const { id } of cluster.nodes) cluster.cut(id)
})
afterEach(() => cluster.stop())

const coordinator = (index: number) => cluster.nodes[index]!.core.coordinator
const indexes = () => cluster.nodes.keys()

describe("a read that is given up in the process of a node", () => {
  it("is ended there at once, by the primaries and by the nodes that forward it", async () => {
    let forwards = 0
    for (const index of indexes()) {
      const { notes: handle } = makeDb({ notes }, cluster.backends[index]!, async () => undefined)
      const aborting = new AbortController()
      const reading = handle.get("k", { ...waiting, signal: aborting.signal })
      await until("the node has it", () => coordinator(index).underWay() > 0)
      aborting.abort()
      await expect(reading).rejects.toMatchObject({ _tag: "Cancelled", mayHaveApplied: false })
      expect(coordinator(index).underWay()).toBe(0)
      expect(coordinator(index).counters().open).toBe(0)
      forwards += coordinator(index).counters().forwards
    }
    expect(forwards).toBe(2)
  })

  it("is ended by the interruption of its fiber", async () => {
    for (const index of indexes()) {
      const handle = makeClient(cluster.backends[index]!).bucket(notes)
      const fiber = Effect.runFork(handle.get("k", waiting))
      await until("the node has it", () => coordinator(index).underWay() > 0)
      await Effect.runPromise(Fiber.interrupt(fiber))
      expect(coordinator(index).underWay()).toBe(0)
    }
  })
})

describe("a write that is given up in the process of a node", () => {
  it("goes on there, and its error says that it may have applied", async () => {
    for (const index of indexes()) {
      const db = makeDb({ profiles }, cluster.backends[index]!, async () => undefined)
      const aborting = new AbortController()
      const options = { w: "all", timeout: "1 minute", signal: aborting.signal } as const
      const writing = db.profiles.put("k", { name: "x" }, options)
      await until("the node has it", () => coordinator(index).underWay() > 0)
      aborting.abort()
      await expect(writing).rejects.toMatchObject({ _tag: "Cancelled", mayHaveApplied: true })
      expect(coordinator(index).underWay()).toBe(1)
    }
  })
})

describe("a client of HTTP that goes away", () => {
  it.each([
    ["read", "/v1/buckets/notes/docs?key=k&r=all&timeout=60000"],
    ["explanation", "/v1/explain?bucket=notes&key=k&timeout=60000"],
    ["listing", "/v1/buckets/notes/keys?timeout=60000"]
  ])("has its %s ended", async (_, path) => {
    const server = await startServer({ backend: cluster.backends[0]! })
    try {
      const aborting = new AbortController()
      const reading = fetch(server.url + path, { signal: aborting.signal })
      const outcome = expect(reading).rejects.toMatchObject({ name: "AbortError" })
      await until("the node has it", () => coordinator(0).underWay() > 0)
      aborting.abort()
      await outcome
      await until("the node has ended it", () => coordinator(0).underWay() === 0)
    } finally {
      await server.stop()
    }
  })
})

describe("a read over NATS that is given up", () => {
  it("ends at its timeout at the latest, and costs its node fewer than 12 frames", async () => {
    const stepped = await SteppedCluster.start({ nodes: 3, buckets, timeoutMillis: 1_000 })
    let frames = 0
    stepped.loses = () => ++frames > 0
    const { runtime } = stepped
    const transport = stepped.cluster.connect()
    const backend = new NatsBackend({ runtime, transport, cluster: clusterName })
    backend.ready(() => undefined, () => undefined, () => undefined)
    runtime.runReady()
    const underWay = () =>
      stepped.nodes.reduce((sum, { core }) => sum + core.coordinator.underWay(), 0)
    const spentIn = (millis: number): number => {
      frames = 0
      for (let passed = 0; passed < millis; passed += 10) runtime.advance(10)
      return frames
    }
    const idle = spentIn(1_000)
    const asked = new Asked()
    const bucket = BucketName.make(notes.name)
    const request = { action: "read", bucket, body: { key: "k", r: "all" } } as const
    const cancel = backend.request(request, (outcome) => asked.outcomes.push(outcome))
    runtime.runReady()
    cancel?.()
    expect(underWay()).toBe(1)
    const spent = spentIn(1_000)
    expect(underWay()).toBe(0)
    expect(spent - idle).toBeLessThan(12)
    backend.close()
    stepped.stop()
  })
})
