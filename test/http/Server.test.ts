// Checks how the server begins and ends, and its account of the node.
import { connect } from "node:net"
import * as Effect from "effect/Effect"
import { afterEach, describe, expect, it } from "vitest"
import { NodeMetrics } from "../../src/http/Metrics.ts"
import { HttpUnavailable, serve } from "../../src/http/Server.ts"
import { buckets } from "../cluster/buckets.ts"
import { list, write } from "../cluster/asked.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { call, problemIn, startServer, type TestServer } from "./served.ts"
import { stubBackend } from "./stub.ts"

let server: TestServer | undefined
let cluster: MemoryCluster | undefined

afterEach(async () => {
  await server?.stop()
  cluster?.stop()
  server = cluster = undefined
})

const backend = stubBackend({})

const refusal = (host: string, port: number): Promise<HttpUnavailable> => {
  const health = { notReady: () => [] }
  const serving = serve({ backend, health, metrics: new NodeMetrics(), host, port })
  return Effect.runPromise(Effect.flip(Effect.scoped(serving)))
}

describe("the server", () => {
  it("listens on loopback only, unless it is told otherwise", async () => {
    server = await startServer({ backend })
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`)
    const elsewhere = await new Promise<string>((resolve) => {
      const socket = connect(server!.port, "127.0.0.2")
      socket.on("connect", () => resolve("connected"))
      socket.on("error", () => resolve("refused"))
    })
    expect(elsewhere).toBe("refused")
  })

  it("on a port that is taken, or an address not of this machine, fails and says so", async () => {
    server = await startServer({ backend })
    const taken = await refusal("127.0.0.1", server.port)
    expect(taken).toBeInstanceOf(HttpUnavailable)
    expect(taken).toMatchObject({ port: server.port, reason: "the port is taken" })
    expect(await refusal("192.0.2.1", 0)).toMatchObject({
      reason: expect.stringContaining("address")
    })
    expect((await call(server, "/livez")).status).toBe(200)
  })

  it("ends with its scope, also while a client holds a connection open", async () => {
    const { stop, port, url } = await startServer({ backend })
    const socket = connect(port, "127.0.0.1", () => socket.write("GET /livez HTTP/1.1\r\n"))
    const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()))
    socket.on("error", () => undefined)
    await call({ url }, "/livez")
    await stop()
    await closed
    await expect(call({ url }, "/livez")).rejects.toThrow()
    server = await startServer({ backend, port })
    expect(server.port).toBe(port)
  })
})

describe("a node's account of itself", () => {
  it("it runs and is ready, until it gives a reason why not", async () => {
    const reasons: Array<string> = []
    server = await startServer({ backend, health: { notReady: () => reasons } })
    expect((await call(server, "/livez")).status).toBe(200)
    expect((await call(server, "/readyz")).status).toBe(200)
    reasons.push("the node is stopping", "there is no connection to NATS")
    expect((await call(server, "/livez")).status).toBe(200)
    const notReady = await problemIn(await call(server, "/readyz"))
    expect(notReady).toMatchObject({ status: 503, reasons, detail: reasons.join("; ") })
  })

  it("its counts are read when they are asked for, in the format of Prometheus", async () => {
    let reads = 0
    const alarm = "No alarm."
    const metrics = new NodeMetrics()
    metrics.add(() => [
      { name: "requests_total", type: "counter", help: "Requests.", alarm, value: ++reads },
      {
        name: "frames",
        type: "gauge",
        help: "Frames.",
        alarm,
        value: { label: "reason", values: { malformed: 2, other: 0.5 } }
      }
    ])
    server = await startServer({ backend, metrics })
    await call(server, "/metrics")
    const response = await call(server, "/metrics")
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8")
    expect(await response.text()).toContain([
      "# HELP everwrite_requests_total Requests. No alarm.",
      "# TYPE everwrite_requests_total counter",
      "everwrite_requests_total 2",
      "# HELP everwrite_frames Frames. No alarm.",
      "# TYPE everwrite_frames gauge",
      "everwrite_frames{reason=\"malformed\"} 2",
      "everwrite_frames{reason=\"other\"} 0.5",
      ""
    ].join("\n"))
  })
})

describe("a cluster's account of itself", () => {
  it("its members and buckets, one bucket, a bucket's keys, and one document", async () => {
    cluster = await makeCluster({ nodes: 3, buckets })
    const [at] = cluster.backends
    server = await startServer({ backend: at! })
    for (const key of ["a", "b", "c"]) {
      await write(at!, "notes", { key, op: "put", args: ["v"], w: "all" })
    }
    const get = async (path: string) => (await call(server!, path)).json()
    const description = await get("/v1/cluster")
    expect(description).toMatchObject({ cluster: "test", node: "n1" })
    expect(await get("/v1/buckets")).toMatchObject({ buckets: { length: buckets.length } })
    expect(await get("/v1/buckets/notes")).toMatchObject({ definition: { name: "notes" } })
    const keys = await list(at!, "notes", { limit: 2 })
    expect(await get("/v1/buckets/notes/keys?limit=2")).toEqual(keys)
    const rest = await get(`/v1/buckets/notes/keys?after=${keys.next}`)
    expect(rest).toMatchObject({ keys: { length: 1 }, unreachable: [] })
    expect(await get("/v1/explain?bucket=notes&key=a"))
      .toMatchObject({ bucket: "notes", key: "a", agreed: true, joined: { values: ["v"] } })
  })
})
