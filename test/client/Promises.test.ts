// Checks the facade for programs with Promises: many buckets by name, sessions, and its end.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { connectWith, makeDb } from "../../src/client/Promises.ts"
import { InvalidRequest, NoAnswer } from "../../src/core/model/StoreError.ts"
import { TransportUnavailable } from "../../src/transport/Transport.ts"
import { startBroker } from "../../src/transport/broker/Broker.ts"
import { notes, profiles } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { freePort } from "../tooling/natsServer.ts"
import { until } from "../tooling/until.ts"
import { liveRuntime } from "../tooling/runtimes.ts"

describe("a db", () => {
  let cluster: MemoryCluster
  beforeAll(async () => {
    cluster = await makeCluster({ nodes: 3, buckets: [profiles, notes], timeoutMillis: 10_000 })
  })
  afterAll(() => cluster.stop())

  const open = (close: () => Promise<void> = async () => undefined) =>
    makeDb({ people: profiles, notes }, cluster.backends[0]!, close)

  it("has a handle for each bucket, by the program's own names", async () => {
    const db = open()
    await db.people.put("ada", { name: "Ada" })
    expect(await db.people.get("ada")).toEqual({ name: "Ada" })
    expect(await db.notes.get("ada")).toBeUndefined()
  })

  it("gives each user a session of their own, with the same buckets", async () => {
    const db = open()
    const [one, other] = [db.session(), db.session()]
    cluster.cut(cluster.nodes[0]!.id)
    await one.people.put("eve", { name: "Eve" }, { w: 1 })
    cluster.heal()
    const elsewhere = makeDb({ people: profiles }, cluster.backends[1]!, async () => undefined)
    expect(await one.people.get("eve", { r: 1 })).toEqual({ name: "Eve" })
    expect(await other.people.get("eve", { r: 1 })).toEqual({ name: "Eve" })
    expect(await elsewhere.people.get("eve", { r: "all" })).toEqual({ name: "Eve" })
  })

  it("closes once, however often and by whichever way it is asked to", async () => {
    let closed = 0
    const db = open(async () => void closed++)
    {
      await using scoped = db
      await scoped.people.get("ada")
    }
    await Promise.all([db.close(), db.close(), db.session().close()])
    expect(closed).toBe(1)
  })
})

describe("connecting", () => {
  it("fails where there is no broker, no node, or no such cluster or preset", async () => {
    const port = await freePort()
    await expect(connectWith(liveRuntime, { notes }, { servers: `127.0.0.1:${port}` }))
      .rejects.toBeInstanceOf(TransportUnavailable)
    const broker = await startBroker()
    try {
      await expect(connectWith(liveRuntime, { notes }, { servers: broker.url }))
        .rejects.toBeInstanceOf(NoAnswer)
      await until("the client has left", () => broker.stats().connections === 0)
      await expect(connectWith(liveRuntime, { notes }, { servers: broker.url, cluster: "A b" }))
        .rejects.toMatchObject({ _tag: "InvalidRequest", setting: "cluster", value: "A b" })
      await expect(connectWith(liveRuntime, { notes }, { servers: broker.url, cluster: "" }))
        .rejects.toBeInstanceOf(InvalidRequest)
      const moon: any = { servers: broker.url, preset: "moon" }
      await expect(connectWith(liveRuntime, { notes }, moon))
        .rejects.toMatchObject({ _tag: "InvalidRequest", setting: "preset", value: "moon" })
    } finally {
      await broker.close()
    }
  })
})
