// Checks that a session is told of a loss in every way to a store.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { HttpBackend } from "../../src/client/HttpBackend.ts"
import { makeDb } from "../../src/client/Promises.ts"
import { buckets, notes } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { startServer, type TestServer } from "../http/served.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { ways } from "./ways.ts"

let cluster: MemoryCluster
beforeEach(async () => {
  cluster = await makeCluster({ nodes: 3, buckets, timeoutMillis: 2_000 })
})
afterEach(() => cluster.stop())

const loseAll = () => {
  for (const { disk } of cluster.nodes) disk.database.exec("DELETE FROM documents")
}

describe("a session", () => {
  it.each(ways)("by %s is told once that what it had seen is lost", async (_, open) => {
    const session = await (await open(cluster)).session()
    const handle = session.bucket(notes)
    await handle.update("k", () => "x", { w: "all" })
    loseAll()
    expect(await handle.entry("k", { timeout: 2_000 })).toMatchObject({
      _tag: "Absent",
      lost: true
    })
    expect(await handle.entry("k")).not.toHaveProperty("lost")
  })

  describe("over HTTP", () => {
    let server: TestServer
    beforeEach(async () => {
      server = await startServer({ backend: cluster.backends[0]! })
    })
    afterEach(() => server.stop())

    it("is told once, in the entry and in a header", async () => {
      const backend = new HttpBackend({ runtime: liveRuntime, url: server.url })
      const handle = makeDb({ notes }, backend, async () => undefined).session().notes
      const { context } = await handle.update("k", () => "x", { w: "all" })
      loseAll()
      const told = await fetch(`${server.url}/v1/buckets/notes/docs?key=k&timeout=2000`, {
        headers: { "everwrite-after": context }
      })
      expect([told.status, told.headers.get("everwrite-lost")]).toEqual([404, "true"])
      expect(await handle.entry("k")).toMatchObject({ _tag: "Absent", lost: true })
      expect(await handle.entry("k")).not.toHaveProperty("lost")
    })
  })
})
