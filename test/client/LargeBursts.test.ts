// Checks reads whose answers come in parts: many at once, and with a part that is lost.
import { afterEach, describe, expect, it } from "vitest"
import { NatsBackend } from "../../src/client/NatsBackend.ts"
import { makeDb } from "../../src/client/Promises.ts"
import * as Task from "../../src/client/Task.ts"
import type { TransportService } from "../../src/transport/Transport.ts"
import { buckets, profiles } from "../cluster/buckets.ts"
import { clusterName, makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { liveRuntime } from "../tooling/runtimes.ts"

const maxPayload = 4_096

let cluster: MemoryCluster
afterEach(() => cluster.stop())

const connect = (transport: TransportService = cluster.connect()) =>
  new NatsBackend({ runtime: liveRuntime, transport, cluster: clusterName })

describe("a burst of reads of large documents", () => {
  it("is answered whole, though a node has room for two of the answers at a time", async () => {
    const limits = {
      answersWaitingBytesMax: 50_000,
      partsInFlightBytesMax: 10_000,
      answerRefusedMillis: 10
    }
    cluster = await makeCluster({ nodes: 3, buckets, maxPayload, limits, timeoutMillis: 10_000 })
    const inProcess = makeDb({ profiles }, cluster.backends[0]!, async () => undefined)
    const keys = Array.from({ length: 40 }, (_, i) => `k${i}`)
    for (const key of keys) await inProcess.profiles.put(key, { name: "x".repeat(20_000) })
    const backend = connect()
    await Task.toPromise(backend.ready)
    const db = makeDb({ profiles }, backend, async () => backend.close())
    const { profiles: read } = await db.many({ profiles: keys })
    expect(cluster.nodes.some(({ core }) => core.requests.congested() > 0)).toBe(true)
    expect(read.map(({ _tag }) => _tag)).toEqual(keys.map(() => "Found"))
    await db.close()
  })
})

describe("a client that connects", () => {
  it("asks again within its time where a part of the first answers is lost", async () => {
    cluster = await makeCluster({ nodes: 3, buckets, maxPayload: 1_024, timeoutMillis: 10_000 })
    const transport = cluster.connect()
    let lost = 0
    const subscribe: TransportService["subscribe"] = (subject, handler, options) =>
      transport.subscribe(subject, (message) => {
        const isSecond = Buffer.from(message.data.subarray(0, 10)).toString() === "{\"part\":2,"
        if (isSecond && lost < 5) lost++
        else handler(message)
      }, options)
    const backend = connect({ ...transport, subscribe })
    const startedAt = liveRuntime.elapsed()
    await Task.toPromise(backend.ready)
    expect(lost).toBe(5)
    expect(liveRuntime.elapsed() - startedAt).toBeLessThan(2_900)
    backend.close()
  })
})
