// Checks that whoever watches a node is answered, however many connections others hold.
import { afterEach, expect, it } from "vitest"
import type { Backend } from "../../src/client/Backend.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { buckets } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { until } from "../tooling/until.ts"
import { call, startServer, type TestServer } from "./served.ts"
import { openWire, type Wire } from "./wire.ts"

let cluster: MemoryCluster | undefined
let server: TestServer | undefined
const wires: Array<Wire> = []
const wire = ({ port }: Pick<TestServer, "port">): Wire => {
  const opened = openWire({ port })
  wires.push(opened)
  return opened
}
afterEach(async () => {
  for (const { socket } of wires.splice(0)) socket.destroy()
  await server?.stop()
  cluster?.stop()
})

const request = "GET /v1/buckets/profiles/docs?key=k HTTP/1.1\r\nhost: localhost\r\n\r\n"
/** Each begins, and leaves the node to wait for the rest of something. */
const unfinished = [
  "",
  "GET /livez HTTP/1.1\r\nhost: localhost\r\n",
  "POST /v1/buckets/profiles/docs/ops/put?key=k HTTP/1.1\r\nhost: localhost\r\n"
  + "content-type: application/json\r\ncontent-length: 1000\r\n\r\n[",
  request
]

it("a node is alive and ready with the greatest number of connections and many more", async () => {
  cluster = await makeCluster({ nodes: 1, buckets })
  const backend = cluster.backends[0]!
  let held = 0
  const holding: Backend["request"] = () => void held++
  const { http: limits } = lan
  const most = Math.min(limits.connectionsMax, limits.connectionsPerAddressMax)
  server = await startServer({ backend: { ...backend, request: holding }, limits })
  const { port } = server
  const working = Array.from({ length: most }, () => wire({ port }))
  for (const { socket } of working) socket.write(request)
  await until("all are at work", () => held === most, { withinMillis: 30_000 })
  for (let more = 0; more < 4 * limits.connectionsReservedMax; more++) {
    wire({ port }).socket.write(unfinished[more % unfinished.length]!)
    if (more % 16 > 0) continue
    for (const path of ["/livez", "/readyz"]) {
      const answer = await call(server, path)
      expect(answer.status, `${path} after ${more} more`).toBe(200)
      await answer.text()
    }
  }
}, 60_000)
