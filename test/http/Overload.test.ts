// Checks that a node with too much to do refuses a request over HTTP before its body has come, and
// that the connection serves the next request.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { Overloaded } from "../../src/core/model/StoreError.ts"
import { until } from "../tooling/until.ts"
import { call, problemIn, startServer, type TestServer } from "./served.ts"
import { stubBackend } from "./stub.ts"
import { openWire, statusesIn } from "./wire.ts"

let server: TestServer
let isOverloaded = true
let requests = 0
beforeAll(async () => {
  server = await startServer({
    backend: stubBackend({
      overload: () =>
        isOverloaded ? new Overloaded({ node: "n1", retryAfterMillis: 2_500 }) : undefined,
      request: (_, respond) => {
        requests++
        respond({
          _tag: "Answer",
          values: ["v"],
          texts: ["\"v\""],
          context: "c",
          replied: 3,
          siblings: 1
        })
      }
    })
  })
})
afterAll(() => server.stop())
beforeEach(() => {
  isOverloaded = true
  requests = 0
})

const routes: ReadonlyArray<readonly [method: string, path: string]> = [
  ["PUT", "/v1/buckets/notes/docs?key=k"],
  ["POST", "/v1/buckets/shelves/docs/ops/books.add?key=k"],
  ["POST", "/v1/buckets/notes/read"],
  ["POST", "/v1/buckets/notes/write"]
]

const head = (method: string, path: string, length: number): string =>
  `${method} ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`
  + `content-length: ${length}\r\n\r\n`

describe.each(routes)("a node with too much to do, by %s %s,", (method, path) => {
  it("refuses before the body has come, and serves the connection's next request", async () => {
    const body = "\"text\""
    const { received, socket } = openWire(server)
    socket.write(head(method, path, body.length))
    await until("it is refused", () => statusesIn(received()).length === 1)
    expect(received()).toMatch(/^HTTP\/1\.1 503 /u)
    expect(received()).toMatch(/retry-after: 3\r\n/iu)
    expect(received()).toContain("urn:everwrite:problem:Overloaded")
    socket.write(`${body}GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    await until("the next is answered", () => statusesIn(received()).length === 2)
    expect(statusesIn(received())).toEqual([503, 200])
    socket.destroy()
  })

  it("reads no body, be it JSON or not, and carries out nothing", async () => {
    for (const body of ["\"text\"", "no JSON", "[".repeat(100_000)]) {
      const problem = await problemIn(await call(server, path, { method, body }))
      expect(problem).toMatchObject({ status: 503, retryAfterMillis: 2_500 })
    }
    expect(requests).toBe(0)
  })
})

it("a node that is no longer overloaded carries requests out over HTTP", async () => {
  isOverloaded = false
  const response = await call(server, "/v1/buckets/notes/docs?key=k", { method: "PUT", json: "v" })
  expect(response.status).toBe(200)
  expect(requests).toBe(1)
})
