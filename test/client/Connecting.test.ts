// Checks how a program connects: on its own connection, before the cluster is there, with defaults,
// and with buckets that mean the same on the nodes.
import { connect as connectToNats } from "@nats-io/transport-node"
import * as Schema from "effect/Schema"
import { afterAll, beforeAll, expect, it } from "vitest"
import type { ClientStatus } from "../../src/client/Connecting.ts"
import { connectWith, makeDb } from "../../src/client/Promises.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import type { Backend, BackendRequest } from "../../src/client/Backend.ts"
import { notes, profiles } from "../cluster/buckets.ts"
import { natsClusterName as cluster, startNatsCluster } from "../cluster/natsCluster.ts"
import {
  describeWithNats,
  freePort,
  type NatsServer,
  startNatsServer
} from "../tooling/natsServer.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { until } from "../tooling/until.ts"

describeWithNats("over a real nats-server", () => {
  let server: NatsServer
  let nodes: Awaited<ReturnType<typeof startNatsCluster>>
  beforeAll(async () => {
    server = await startNatsServer()
    const buckets = [profiles, notes]
    nodes = await startNatsCluster({ servers: server.url, buckets, storage: "direct" })
  })
  afterAll(async () => {
    await nodes.stop()
    await server.stop()
  })

  it("a db on the program's own connection leaves it open, and no subscription on it", async () => {
    const connection = await connectToNats({ servers: server.url })
    const db = await connectWith(liveRuntime, { profiles }, { connection, cluster })
    await db.profiles.put("own", { name: "Ada" })
    expect(await db.profiles.get("own")).toEqual({ name: "Ada" })
    await db.close()
    expect(connection.isClosed()).toBe(false)
    const again = await connectWith(liveRuntime, { profiles }, { connection, cluster })
    expect(await again.profiles.get("own")).toEqual({ name: "Ada" })
    await again.close()
    await connection.flush()
    await connection.close()
  })

  it("something else than a connection of this copy of the package is refused", async () => {
    const connection: any = {}
    await expect(connectWith(liveRuntime, { profiles }, { connection, cluster }))
      .rejects.toMatchObject({ _tag: "InvalidRequest", setting: "connection" })
  })

  it("a bucket that is declared otherwise on the nodes is refused when connecting", async () => {
    const other = Bucket.lww("profiles", { key: Key.text, value: Schema.String })
    const { url: servers } = server
    await expect(connectWith(liveRuntime, { other }, { servers, cluster })).rejects.toMatchObject({
      _tag: "BucketMismatch",
      bucket: "profiles",
      expected: profiles.fingerprint,
      actual: other.fingerprint
    })
  })

  it("a db tells its status, and each loss of the broker", async () => {
    const own = await startNatsServer()
    const others = await startNatsCluster({ servers: own.url, buckets: [notes], storage: "direct" })
    const told: Array<ClientStatus> = []
    const db = await connectWith(liveRuntime, { notes }, {
      servers: own.url,
      cluster,
      onStatus: (status) => told.push(status)
    })
    const nodeNames = ["n1", "n2", "n3"]
    expect(db.status()).toMatchObject({ connection: "connected", nodes: nodeNames })
    await own.stop()
    await until("the loss is told", () => told.length > 0)
    expect(told[0]).toMatchObject({ connection: "reconnecting", nodes: nodeNames })
    await db.close()
    expect(db.status().connection).toBe("closed")
    await others.stop()
  })

  it("a program that starts before the broker and the nodes waits for them", async () => {
    const own = await startNatsServer()
    const servers = own.url
    await own.stop()
    const connecting = connectWith(liveRuntime, { notes }, { servers, cluster, wait: "1 minute" })
    await own.start()
    const late = await startNatsCluster({ servers, buckets: [notes], storage: "direct" })
    const db = await connecting
    expect(await db.notes.get("k")).toBeUndefined()
    await db.close()
    await late.stop()
    await own.stop()
  })
})

it("connecting ends when its signal is aborted, however long the program will wait", async () => {
  const servers = `nats://127.0.0.1:${await freePort()}`
  const aborting = new AbortController()
  const { signal } = aborting
  const connecting = connectWith(liveRuntime, { notes }, { servers, wait: "1 hour", signal })
  aborting.abort()
  await expect(connecting).rejects.toMatchObject({ _tag: "Cancelled", mayHaveApplied: false })
  await expect(connectWith(liveRuntime, { notes }, { servers, signal }))
    .rejects.toMatchObject({ _tag: "Cancelled" })
})

it("defaults count where neither the request nor its bucket says anything", async () => {
  const asked: Array<BackendRequest["body"]> = []
  const backend: Backend = {
    runtime: liveRuntime,
    request: ({ body }) => void asked.push(body),
    describe: () => undefined,
    explain: () => undefined,
    list: () => undefined
  }
  const strict = Bucket.lww("strict", { key: Key.text, value: Schema.Int, consistency: "strict" })
  const db = makeDb({ profiles, strict }, backend, async () => undefined, {
    defaults: { consistency: "available", timeout: "700 millis", ifUnknown: "apply" }
  })
  void db.profiles.get("k")
  void db.profiles.get("k", { consistency: "balanced", timeout: "1 second" })
  void db.strict.get("k")
  void db.session().profiles.get("k")
  expect(asked.map(({ consistency, timeoutMillis }) => [consistency, timeoutMillis])).toEqual([
    ["available", 700],
    ["balanced", 1_000],
    [undefined, 700],
    ["available", 700]
  ])
  void db.profiles.put("k", { name: "x" })
  void db.profiles.put("k", { name: "x" }, { ifUnknown: "fail" })
  expect(asked.map(({ ifUnknown }) => ifUnknown))
    .toEqual([undefined, undefined, undefined, undefined, "apply", "fail"])
})
