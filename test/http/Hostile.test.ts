// Checks that nothing that comes in by HTTP stops the node: it is refused, and the node goes on.
import { connect } from "node:net"
import { describe, expect, it } from "vitest"
import { lan } from "../../src/core/model/Limits.ts"
import { type Call, call, problemIn, startServer } from "./served.ts"
import { useServedCluster } from "./servedCluster.ts"

const { bodyBytesMax } = lan.http

const server = useServedCluster()

const docs = "/v1/buckets/shelves/docs"
const setLabel = `${docs}/ops/label.set?key=k`

const post = (path: string, options: Call) => call(server, path, { method: "POST", ...options })

/** Bytes on a socket, as no client library would send them; the answer, or the error. */
const raw = (
  bytes: string | ReadonlyArray<string>,
  options: { readonly half?: boolean } = {}
): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(server.port, "127.0.0.1")
    let answer = ""
    socket.setEncoding("latin1")
    socket.on("data", (text: string) => {
      answer += text
      if (options.half !== true) socket.end()
    })
    socket.on("error", () => resolve(answer))
    socket.on("close", () => resolve(answer))
    for (const part of typeof bytes === "string" ? [bytes] : bytes) socket.write(part)
    if (options.half === true) socket.end()
  })

const statusLine = (answer: string): string => answer.split("\r\n")[0] ?? ""

const request = (head: string, body = ""): string =>
  `POST ${setLabel} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${head}\r\n\r\n${body}`

const json = "content-type: application/json"

/** The node still serves requests. */
const works = async (): Promise<void> => {
  const written = await post(`${docs}/ops/visits.add?key=w`, { json: [1] })
  expect(written.status).toBe(200)
}

const nested = (levels: number, open = "[", close = "]"): string =>
  open.repeat(levels) + "1" + close.repeat(levels)

describe("nesting", () => {
  it("is taken up to 32 levels of a value, not counting the request around it", async () => {
    expect((await post(setLabel, { body: `[${nested(32)}]` })).status).toBe(200)
    const edit = (levels: number) =>
      post(`${docs}/ops/edit?key=k`, {
        body: `[{"name":"label.set","args":[${nested(levels)}]}]`
      })
    expect((await edit(32)).status).toBe(200)
    expect(await problemIn(await edit(33))).toMatchObject({ status: 422 })
    expect(await problemIn(await post(setLabel, { body: `[${nested(33)}]` })))
      .toMatchObject({ status: 422, title: "Invalid value" })
  })

  it.each([
    ["a 10,000-deep array", nested(10_000)],
    ["a 10,000-deep array that never ends", "[".repeat(10_000)],
    ["a 10,000-deep object", nested(10_000, "{\"a\":", "}")],
    ["a body of brackets", "[".repeat(bodyBytesMax)]
  ])("of %s is refused", async (_what, body) => {
    expect((await problemIn(await post(setLabel, { body }))).status).toBe(422)
    await works()
  })

  it("in a text counts nothing", async () => {
    const text = "[{\\\"".repeat(1000)
    const written = await post(setLabel, { json: [text] })
    expect(await written.json()).toMatchObject({ label: text })
  })
})

const bodyOf = (bytes: number) => `["${"x".repeat(bytes - 4)}"]`

describe("size", () => {
  it("of a body may be 1 MiB and not one byte more", async () => {
    const largest = await post(`${setLabel}&show=always`, { body: bodyOf(bodyBytesMax) })
    expect([largest.status, (await largest.text()).length > bodyBytesMax]).toEqual([200, true])
    const larger = await post(setLabel, { body: bodyOf(bodyBytesMax + 1) })
    expect((await problemIn(larger)).status).toBe(413)
  })

  it("is checked while a body without a length streams in", async () => {
    const chunk = "10000\r\n" + "x".repeat(0x10000) + "\r\n"
    const head = request(`${json}\r\ntransfer-encoding: chunked`)
    expect(statusLine(await raw([head, ...Array(40).fill(chunk)]))).toMatch(/ 413 /u)
    await works()
  })

  it("of a query or header beyond 16 KiB is refused", async () => {
    expect((await call(server, docs, { query: { key: "x".repeat(20_000) } })).status).toBe(431)
    const headers = { "everwrite-context": "x".repeat(20_000) }
    expect((await post(setLabel, { json: [1], headers })).status).toBe(431)
    await works()
  })

  it("of a value in elements is bounded too", async () => {
    const json = [Array(200_000).fill(0)]
    expect((await problemIn(await post(setLabel, { json }))).status).toBe(422)
  })
})

describe("headers", () => {
  it.each([
    ["two lengths", `${json}\r\ncontent-length: 3\r\ncontent-length: 4`, "[1]", /^HTTP\/1.1 400/u],
    ["a negative length", `${json}\r\ncontent-length: -1`, "", /^HTTP\/1.1 400/u],
    ["a length that lies", `${json}\r\ncontent-length: 9`, "[1]", /^HTTP\/1.1 400|^$/u],
    ["a huge length", `${json}\r\ncontent-length: 99999999999`, "[1]", /^HTTP\/1.1 413/u],
    ["two content types", `${json}\r\n${json}\r\ncontent-length: 3`, "[1]", /^HTTP\/1.1 200/u],
    ["no content type", "content-length: 3", "[1]", /^HTTP\/1.1 415/u],
    ["another content type", "content-type: text/json\r\ncontent-length: 3", "[1]", / 415 /u],
    [
      "two contexts",
      `${json}\r\neverwrite-context: a\r\neverwrite-context: b\r\ncontent-length: 3`,
      "[1]",
      /^HTTP\/1.1 400/u
    ],
    ["bytes that are no text", `${json}\r\ncontent-length: 4`, "[\u00ff]\u00fe", / 400 /u],
    ["no HTTP at all", "\u0000\u0001", "", /^HTTP\/1.1 400/u],
    ["an upgrade", "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x", "", /./u]
  ])("with %s are answered or the connection ends", async (_what, head, body, expected) => {
    const half = expected.source.includes("^$")
    expect(statusLine(await raw(request(head, body), { half }))).toMatch(expected)
    await works()
  })

  it("of an aborted request leave nothing behind", async () => {
    const aborted = Array.from({ length: 20 }, () =>
      new Promise<void>((resolve) => {
        const socket = connect(server.port, "127.0.0.1", () => {
          socket.write(request(`${json}\r\ncontent-length: 100`, "[1"))
          socket.destroy()
        })
        socket.on("close", () => resolve())
      }))
    await Promise.all(aborted)
    await works()
  })
})

describe("values that JSON or JavaScript would change", () => {
  it.each([
    ["a field named __proto__", "[{\"__proto__\":{\"polluted\":1}}]"],
    ["an integer beyond 2^53", "[9007199254740993]"],
    ["a number beyond all", "[1e400]"],
    ["half a character", "[\"\\ud800\"]"]
  ])("%s is refused and pollutes nothing", async (_what, body) => {
    expect((await problemIn(await post(setLabel, { body }))).status).toBe(422)
    expect("polluted" in {}).toBe(false)
  })
})

describe("a fault of the node", () => {
  it("is a problem without details, and the next request is served", async () => {
    let faults = 1
    const backend = server.cluster.backends[0]!
    const faulty = await startServer({
      backend: {
        ...backend,
        request: (request, respond) => {
          if (faults-- > 0) throw new Error("secret")
          backend.request(request, respond)
        }
      }
    })
    const path = "/v1/buckets/notes/docs?key=k"
    const problem = await problemIn(await call(faulty, path))
    expect(problem.status).toBe(500)
    expect(JSON.stringify(problem)).not.toContain("secret")
    expect(faulty.logged.join()).toContain("secret")
    expect((await problemIn(await call(faulty, path))).title).toBe("Absent")
    await faulty.stop()
  })
})
