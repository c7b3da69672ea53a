// Checks how requests of Node's server are taken and answered where HTTP itself says how: bodies
// that wait for a word, bodies that nobody reads, answers without a body.
import { channel } from "node:diagnostics_channel"
import type { EventEmitter } from "node:events"
import { afterAll, beforeAll, expect, it } from "vitest"
import { until } from "../tooling/until.ts"
import { startServer, type TestServer } from "./served.ts"
import { stubBackend } from "./stub.ts"
import { openWire, statusesIn } from "./wire.ts"

let server: TestServer
beforeAll(async () => {
  server = await startServer({ backend: stubBackend({}) })
})
afterAll(() => server.stop())

const head = (line: string, ...headers: ReadonlyArray<string>) =>
  [`${line} HTTP/1.1`, "host: localhost", ...headers, "", ""].join("\r\n")

const put = (...headers: ReadonlyArray<string>) =>
  head("PUT /v1/buckets/profiles/docs?key=k", "content-type: application/json", ...headers)

it("a client that waits with its body is told to go on, where it is read", async () => {
  const client = openWire(server)
  client.socket.write(put("expect: 100-continue", "content-length: 2"))
  await until("it is told to go on", () => statusesIn(client.received())[0] === 100)
  client.socket.write("{}")
  await until("it is answered", () => statusesIn(client.received()).length === 2)
  expect(statusesIn(client.received())).toEqual([100, 503])
  client.socket.destroy()
})

it("a client that waits with a body which is too large is told so at once", async () => {
  const client = openWire(server)
  client.socket.write(put("expect: 100-continue", "content-length: 5000000"))
  await until("the connection ends", client.closed)
  expect(statusesIn(client.received())).toEqual([413])
  expect(client.received()).toContain("connection: close")
})

it("a small body that nobody reads is dropped, and its connection goes on", async () => {
  const client = openWire(server)
  client.socket.write(head("POST /nosuch", "content-length: 3"))
  await until("it is answered", () => statusesIn(client.received()).length === 1)
  client.socket.write(`abc${head("GET /livez")}`)
  await until("the next one too", () => statusesIn(client.received()).length === 2)
  expect(statusesIn(client.received())).toEqual([404, 200])
  client.socket.destroy()
})

it("requests without a body follow each other on one connection", async () => {
  const client = openWire(server)
  client.socket.write(head("GET /livez").repeat(3))
  await until("all are answered", () => statusesIn(client.received()).length === 3)
  expect(client.received()).not.toContain("connection: close")
  expect(client.closed()).toBe(false)
  client.socket.destroy()
})

it.each([
  ["a large body", "content-length: 5000000"],
  ["a body of unknown length", "transfer-encoding: chunked"]
])("%s that nobody reads ends the connection after the answer", async (_, length) => {
  const client = openWire(server)
  client.socket.write(head("POST /nosuch", length))
  await until("the connection ends", client.closed)
  expect(statusesIn(client.received())).toEqual([404])
})

it("HEAD is answered as GET is, without the body", async () => {
  const client = openWire(server)
  client.socket.write(head("HEAD /livez", "connection: close"))
  await until("the connection ends", client.closed)
  expect(statusesIn(client.received())).toEqual([200])
  expect(client.received()).toMatch(/content-length: 5\r\n[\s\S]*\r\n\r\n$/u)
})

it("the host of a request that names its whole URL is the one in the URL", async () => {
  const client = openWire(server)
  client.socket.write(head("GET http://elsewhere.example/livez", "connection: close"))
  await until("the connection ends", client.closed)
  expect(statusesIn(client.received())).toEqual([421])
})

it("a request whose client leaves is interrupted", async () => {
  let asked = 0
  let answer: ((outcome: never) => void) | undefined
  const slow = await startServer({
    backend: stubBackend({
      request: (_, respond) => {
        asked++
        answer = respond
      }
    })
  })
  const client = openWire(slow)
  client.socket.write(head("GET /v1/buckets/profiles/docs?key=k"))
  await until("the request is under way", () => asked === 1)
  client.socket.destroy()
  await until("it is closed", client.closed)
  expect(answer).toBeDefined()
  // Nothing is left that would wait for the answer: the server ends at once.
  await slow.stop()
  expect(slow.logged).toEqual([])
})

it("an error of a body that nobody reads any more ends no node", async () => {
  const listening: Array<number> = []
  let isBegun = false
  const watch = (message: any): void => {
    const { request, response }: Record<"request" | "response", EventEmitter> = message
    const emit = request.emit.bind(request)
    // Node asks who listens before it tells of the error: who listened then may have left.
    request.listenerCount = () => 1
    request.emit = (name: string, ...values: Array<unknown>): boolean => {
      if (name !== "error") return emit(name, ...values)
      listening.push(request.listeners("error").length)
      return true
    }
    request.once("aborted", () => response.emit("close"))
    isBegun = true
  }
  const starts = channel("http.server.request.start")
  starts.subscribe(watch)
  try {
    const client = openWire(server)
    client.socket.write(`${put("content-length: 100")}half`)
    await until("the request begins", () => isBegun)
    client.socket.destroy()
    await until("the error is told", () => listening.length === 1)
    expect(listening).toEqual([1])
  } finally {
    starts.unsubscribe(watch)
  }
})
