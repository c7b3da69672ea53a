// Checks that a name that no operation can have is refused by every way in, and stops no client.
import { afterAll, beforeAll, expect, it } from "vitest"
import { HttpBackend } from "../../src/client/HttpBackend.ts"
import type { Backend } from "../../src/client/Backend.ts"
import { buckets, notes } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { startServer, type TestServer } from "../http/served.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { remote } from "./ways.ts"

let cluster: MemoryCluster
let server: TestServer
let nats: Awaited<ReturnType<typeof remote>>
beforeAll(async () => {
  cluster = await makeCluster({ nodes: 3, buckets })
  server = await startServer({ backend: cluster.backends[0]! })
  nats = await remote(cluster)
})
afterAll(async () => {
  nats.close()
  await server.stop()
  cluster.stop()
})

it.each<[name: string, backend: () => Backend]>([
  ["in the node's process", () => cluster.backends[0]!],
  ["over NATS", () => nats],
  ["over HTTP", () => new HttpBackend({ runtime: liveRuntime, url: server.url })]
])("a request for an operation that no bucket can have is refused %s", async (_, backend) => {
  for (const name of ["", "a b", "a..b", "*", ">", "é", "x".repeat(65), "a.".repeat(40) + "b"]) {
    const calls = [{ name, args: ["x"] }]
    const bucket = notes.definition.name
    const outcome = await new Promise((resolve) =>
      backend().request({ action: "write", bucket, body: { key: "k", calls } }, resolve)
    )
    expect(outcome).toMatchObject({ _tag: "UnknownOperation", operation: name })
  }
})
