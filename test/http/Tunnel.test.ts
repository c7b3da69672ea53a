// Checks that a client that asks for a tunnel (CONNECT) is told that there is none, and leaves
// nothing behind.
import { afterAll, beforeAll, expect, it } from "vitest"
import { lan } from "../../src/core/model/Limits.ts"
import { buckets } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { until } from "../tooling/until.ts"
import { startServer, type TestServer } from "./served.ts"
import { openWire, statusesIn } from "./wire.ts"

let cluster: MemoryCluster
let server: TestServer

beforeAll(async () => {
  cluster = await makeCluster({ nodes: 1, buckets })
  const limits = { ...lan.http, goodbyeMillis: 50 }
  server = await startServer({ backend: cluster.backends[0]!, limits })
})

afterAll(async () => {
  await server.stop()
  cluster.stop()
})

it.each(["example.com:443", "/v1/buckets", "localhost"])(
  "a request for a tunnel to %s is answered, and its connection ends",
  async (target) => {
    const client = openWire(server, { isStubborn: true })
    client.socket.write(`CONNECT ${target} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    await until("it is told", () => statusesIn(client.received())[0] === 405)
    await until("it is closed", () => {
      client.socket.write("x")
      return client.closed()
    })
    expect(client.received()).toContain("application/problem+json")
  }
)
