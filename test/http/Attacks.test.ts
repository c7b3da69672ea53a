// Checks that clients which read nothing, send nothing or send slowly hold a bounded share of a
// node, and that other clients are answered meanwhile.
import * as fc from "fast-check"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import type { Backend } from "../../src/client/Backend.ts"
import { type HttpLimits, lan } from "../../src/core/model/Limits.ts"
import { buckets } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { until } from "../tooling/until.ts"
import { call, startServer, type TestServer } from "./served.ts"
import { openWire, statusesIn, type Wire, type WireOptions } from "./wire.ts"

let cluster: MemoryCluster
const servers: Array<TestServer> = []
const wires: Array<Wire> = []

beforeAll(async () => {
  cluster = await makeCluster({ nodes: 3, buckets })
})
afterEach(async () => {
  for (const { socket } of wires.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) await server.stop()
})
afterAll(() => cluster.stop())

const serverWith = async (
  limits: Partial<HttpLimits>,
  backend: Backend = cluster.backends[0]!
): Promise<TestServer> => {
  const server = await startServer({ backend, limits: { ...lan.http, ...limits } })
  servers.push(server)
  return server
}

const wire = (server: TestServer, options?: WireOptions): Wire => {
  const opened = openWire(server, options)
  wires.push(opened)
  return opened
}

const documents = "/v1/buckets/shelves/docs"
const setLabel = `${documents}/ops/label.set?key=k`
const host = "host: localhost"

const get = (key: string): string => `GET ${documents}?key=${key} HTTP/1.1\r\n${host}\r\n\r\n`

const post = (length: number | string, body: string): string =>
  `POST ${setLabel} HTTP/1.1\r\n${host}\r\ncontent-type: application/json\r\n`
  + `content-length: ${length}\r\n\r\n${body}`

const metric = async (server: TestServer, name: string): Promise<number> => {
  const text = await (await call(server, "/metrics")).text()
  const [, value] = new RegExp(`^everwrite_${name} (\\d+)$`, "mu").exec(text) ?? []
  return Number(value)
}

const honest = async (server: TestServer): Promise<number> => {
  const response = await call(server, `${documents}?key=absent`)
  await response.text()
  return response.status
}

/** A backend that counts the requests under way at once, and answers each after a moment. */
const counted = () => {
  const backend = cluster.backends[0]!
  const counts = { underWay: 0, most: 0, all: 0 }
  const request: Backend["request"] = (asked, respond) => {
    counts.underWay++
    counts.all++
    counts.most = Math.max(counts.most, counts.underWay)
    backend.runtime.after(1, () => {
      counts.underWay--
      backend.request(asked, respond)
    })
  }
  return { backend: { ...backend, request }, counts }
}

describe("requests of one connection", () => {
  it("are carried out one at a time, in order, however their bytes come", async () => {
    const { backend, counts } = counted()
    const server = await serverWith({}, backend)
    const sent = fc.array(fc.constantFrom("get", "length", "chunks", "odd"), {
      minLength: 1,
      maxLength: 12
    })
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(sent, cuts, async (kinds, sizes) => {
        counts.most = 0
        const texts = kinds.map((kind, at) => {
          const body = kind === "odd" ? `["\r\n\r\n"]` : `["v${at}"]`
          if (kind === "get") return get(`absent${at}`)
          return kind === "chunks"
            ? post(0, "").replace("content-length: 0", "transfer-encoding: chunked")
              + `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
            : post(body.length, body)
        })
        const bytes = texts.join("")
        const client = wire(server)
        let at = 0
        for (let n = 0; at < bytes.length; n++) {
          const end = at + (sizes[n % sizes.length] ?? 1)
          client.socket.write(bytes.slice(at, end), "latin1")
          at = end
        }
        await until("all are answered", () => statusesIn(client.received()).length === kinds.length)
        expect(statusesIn(client.received()))
          .toEqual(kinds.map((kind) => kind === "get" ? 404 : kind === "odd" ? 400 : 200))
        expect(counts.most).toBeLessThanOrEqual(1)
        client.socket.destroy()
      }),
      { numRuns: 30 }
    )
  })

  it("wait unread where the client reads no answers", async () => {
    const { backend, counts } = counted()
    const server = await serverWith({}, backend)
    await call(server, setLabel, { method: "POST", json: ["x".repeat(900_000)] })
    counts.all = 0
    const client = wire(server)
    client.socket.pause()
    client.socket.write(get("k").repeat(2_000))
    await until("it has begun", () => counts.all > 2)
    const pipelined = await metric(server, "http_answer_bytes")
    expect(pipelined).toBeLessThanOrEqual(1_000_000)
    // The kernel takes some; the node computes no more than fits there and one beyond.
    expect(counts.all).toBeLessThan(20)
    expect(await honest(server)).toBe(404)
  })
})

describe("answers that no client takes", () => {
  it("are bounded in all: more are refused, to be asked again later", async () => {
    const answersBytesMax = 3_000_000
    const server = await serverWith({ answersBytesMax, patienceMillis: 600_000 })
    await call(server, setLabel, { method: "POST", json: ["x".repeat(900_000)] })
    // Each holds one answer here, once the kernel has taken all that it does.
    for (let n = 0; n < 5; n++) {
      const client = wire(server)
      client.socket.pause()
      client.socket.write(get("k").repeat(100))
    }
    await until(
      "they fill the bound",
      async () => await metric(server, "http_answer_bytes") > answersBytesMax - 1_000_000,
      { withinMillis: 25_000 }
    )
    const refused = async () => {
      const response = await call(server, `${documents}?key=k`)
      await response.text()
      return response.status === 503 && response.headers.get("retry-after") === "1"
    }
    await until("a request is refused", refused)
    expect(await metric(server, "http_answer_bytes")).toBeLessThanOrEqual(answersBytesMax)
    for (const open of ["/livez", "/readyz", "/metrics"]) {
      expect((await call(server, open)).status).toBe(200)
    }
  })

  it("are given up for others after the patience, and in any case at their deadline", async () => {
    const server = await serverWith({
      answersBytesMax: 1_000_000,
      patienceMillis: 50,
      answerTimeoutMillis: 1_000,
      connectionsCheckMillis: 50
    })
    await call(server, setLabel, { method: "POST", json: ["x".repeat(900_000)] })
    const clients = [1, 2, 3].map(() => wire(server))
    for (const { socket } of clients) {
      socket.pause()
      socket.write(get("k").repeat(100))
    }
    await until("a request with a large answer is carried out", async () => {
      const response = await call(server, `${documents}?key=k`)
      return (await response.text()).length > 900_000
    })
    await until("none is left", async () => await metric(server, "http_answer_bytes") === 0)
  })
})

describe("bodies that do not come", () => {
  it("are bounded in all, and an honest body is taken", async () => {
    const bodiesBytesMax = 3_000_000
    const server = await serverWith({ bodiesBytesMax, patienceMillis: 50 })
    const stalled = Array.from({ length: 10 }, () => wire(server))
    for (const { socket } of stalled) socket.write(post(1_000_000, "x".repeat(900_000)))
    await until(
      "most are ended",
      () => stalled.filter(({ received }) => received() !== "").length > 5
    )
    expect(await metric(server, "http_body_bytes")).toBeLessThanOrEqual(bodiesBytesMax)
    await until("an honest body is taken", async () => {
      const response = await call(server, setLabel, { method: "POST", json: ["y".repeat(900_000)] })
      await response.text()
      return response.ok
    })
    const statuses = stalled.flatMap(({ received }) => statusesIn(received()))
    expect(statuses.every((status) => status === 408 || status === 503)).toBe(true)
  })

  it("are ended with 408 where they make no progress", async () => {
    const server = await serverWith({ bodyStallMillis: 50, connectionsCheckMillis: 20 })
    const client = wire(server)
    client.socket.write(post(100, "[1"))
    await until("it is told", () => client.closed())
    expect(statusesIn(client.received())).toEqual([408])
    expect(client.received()).toContain("TooSlow")
    expect(await metric(server, "http_body_bytes")).toBe(0)
  })
})

describe("connections that ask nothing", () => {
  const idle = ["", "G", "GET /livez HTTP/1.1\r\nhost: localhost\r\nx: "]

  it.each(idle)("and sent %j make room for new ones, the longest idle first", async (bytes) => {
    const server = await serverWith({ connectionsMax: 5, connectionsPerAddressMax: 5 })
    const clients: Array<Wire> = []
    for (let n = 0; n < 12; n++) {
      const client = wire(server)
      clients.push(client)
      client.socket.write(bytes)
      expect(await honest(server)).toBe(404)
    }
    await until("the first are closed", () => clients.slice(0, 6).every(({ closed }) => closed()))
    expect(clients.at(-1)?.closed()).toBe(false)
  })

  it("of an address each make room for new ones, the longest idle first", async () => {
    const server = await serverWith({ connectionsMax: 5, connectionsReservedMax: 0 })
    const clients: Array<Wire> = []
    for (let n = 0; n < 12; n++) {
      const client = wire(server, { from: `127.0.0.${n + 2}` })
      clients.push(client)
      client.socket.write("G")
      expect(await honest(server)).toBe(404)
    }
    await until("the first are closed", () => clients.slice(0, 6).every(({ closed }) => closed()))
    expect(clients.at(-1)?.closed()).toBe(false)
  })

  it("of one address make room among themselves only", async () => {
    const server = await serverWith({ connectionsMax: 100, connectionsPerAddressMax: 3 })
    const other = wire(server, { from: "127.0.0.2" })
    other.socket.write(get("absent"))
    await until("the other is answered", () => statusesIn(other.received()).length === 1)
    const clients = Array.from({ length: 10 }, () => wire(server))
    await until(
      "all but three are closed",
      () => clients.filter(({ closed }) => closed()).length >= 7
    )
    expect(other.closed()).toBe(false)
    other.socket.write(get("absent"))
    await until("the other is answered", () => statusesIn(other.received()).length === 2)
  })

  it("end at the deadline of the headers, and those that idle later at theirs", async () => {
    const server = await serverWith({
      headersTimeoutMillis: 100,
      requestTimeoutMillis: 100,
      keepAliveMillis: 100,
      connectionsCheckMillis: 20
    })
    const clients = [...idle, get("absent")].map((bytes) => {
      const client = wire(server)
      client.socket.write(bytes)
      return client
    })
    await until("all are closed", () => clients.every(({ closed }) => closed()))
    expect(clients.map(({ received }) => statusesIn(received())))
      .toEqual([[408], [408], [408], [404]])
  })
})

it("where all connections are at work, health is told and other requests are refused", async () => {
  const backend = cluster.backends[0]!
  const held: Array<() => void> = []
  const request: Backend["request"] = (asked, respond) =>
    void held.push(() => backend.request(asked, respond))
  const server = await serverWith(
    { connectionsMax: 4, connectionsPerAddressMax: 4, connectionsReservedMax: 2 },
    { ...backend, request }
  )
  const working = Array.from({ length: 4 }, () => wire(server))
  for (const { socket } of working) socket.write(get("absent"))
  await until("all work", () => held.length === 4)
  for (let n = 0; n < 5; n++) {
    for (const open of ["/livez", "/readyz", "/metrics"]) {
      expect((await call(server, open)).status).toBe(200)
    }
    const refused = await call(server, `${documents}?key=k`)
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"])
    await refused.text()
  }
  for (const go of held.splice(0)) go()
  await until(
    "all are answered",
    () => working.every(({ received }) => statusesIn(received()).length === 1)
  )
})

it("a refused request leaves no connection open to a client that never ends its side", async () => {
  const server = await serverWith({ goodbyeMillis: 50 })
  const client = wire(server, { isStubborn: true })
  client.socket.write("no http\r\n\r\n")
  await until("it is told", () => statusesIn(client.received())[0] === 400)
  await until("it is closed", () => {
    client.socket.write("x")
    return client.closed()
  })
})

it("refused clients that stay are ended for the sake of others that are refused", async () => {
  const server = await serverWith({
    goodbyeMillis: 2_000,
    connectionsMax: 3,
    connectionsPerAddressMax: 3,
    bodiesBytesMax: 1_000
  })
  for (let n = 0; n < 12; n++) {
    const client = wire(server, { isStubborn: true })
    client.socket.write(post(500_000, "x".repeat(200_000)))
    await until("it is told, or ended", () => client.received() !== "" || client.closed())
    expect(await metric(server, "http_connections\\{share=\"leaving\"\\}")).toBeLessThanOrEqual(3)
  }
  expect(await honest(server)).toBe(404)
})
