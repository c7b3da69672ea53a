// Checks that a client over HTTP gets the same as one in the node's process, or knows that it does
// not.
import { createServer, type Server } from "node:http"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import type { Backend } from "../../src/client/Backend.ts"
import { HttpBackend } from "../../src/client/HttpBackend.ts"
import { explain, list, listAll, read, write } from "../cluster/asked.ts"
import { buckets } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { startServer, type TestServer } from "./served.ts"

let cluster: MemoryCluster
let server: TestServer
let near: Backend
let far: Backend

beforeAll(async () => {
  cluster = await makeCluster({ nodes: 3, buckets })
  near = cluster.backends[0]!
  server = await startServer({ backend: near })
  far = new HttpBackend({ runtime: liveRuntime, url: `${server.url}/` })
})

afterAll(async () => {
  await server.stop()
  cluster.stop()
})

/** An answer, or the error, both ways. */
const both = (ask: (backend: Backend) => Promise<unknown>): Promise<ReadonlyArray<any>> =>
  Promise.all([near, far].map((backend) => ask(backend).catch((error: unknown) => error)))

const describeBy = (backend: Backend) => new Promise((resolve) => backend.describe(resolve))

describe("a client over HTTP", () => {
  it("reads the same as a client in the process: absent, one, several, merged", async () => {
    const room = { hotel: "Ada", floor: 1, name: "blue" }
    await write(far, "rooms", { key: room, op: "put", args: [{ beds: 2 }], w: "all" })
    await write(far, "notes", { key: "k", op: "put", args: ["one"], w: "all" })
    await write(far, "notes", {
      key: "k",
      op: "put",
      args: [{ siblings: [] }].map(String),
      w: "all"
    })
    await write(far, "scores", { key: "k", op: "put", args: [3], w: "all" })
    await write(far, "scores", { key: "k", op: "put", args: [5], w: "all" })
    const requests: ReadonlyArray<readonly [string, RequestBody]> = [
      ["rooms", { key: room }],
      ["notes", { key: "k" }],
      ["notes", { key: "k", merge: true }],
      ["notes", { key: "absent" }],
      ["scores", { key: "k" }],
      ["scores", { key: "k", merge: true }]
    ]
    for (const [bucket, body] of requests) {
      const [here, there] = await both((backend) => read(backend, bucket, { ...body, r: "all" }))
      // The backend in this process has the texts as well; they say the same.
      expect(here).toEqual({ ...here, ...there, texts: expect.any(Array) })
      expect(there).toMatchObject({ _tag: "Answer", replied: 3 })
    }
  })

  it("takes a value that looks like siblings for the value that it is", async () => {
    const label = { siblings: ["not", "a", "list"] }
    await write(far, "shelves", { key: "s", op: "label.set", args: [label], w: "all" })
    const answer = await read(far, "shelves", { key: "s", merge: true })
    expect(answer).toMatchObject({ siblings: 1, values: [{ books: [], label, visits: 0 }] })
  })

  it("writes with a context, several operations at once, and once where it is named", async () => {
    const first = await write(far, "notes", { key: "c", op: "put", args: ["one"], w: "all" })
    const { context } = first
    const second = await write(far, "notes", {
      key: "c",
      op: "put",
      args: ["two"],
      context,
      w: "all"
    })
    expect(second.values).toEqual(["two"])
    const deletion = { key: "c", op: "delete", context: second.context, w: "all" } as const
    expect((await write(far, "notes", deletion)).values).toEqual([])
    const add = { key: "o", op: "visits.add", args: [1], w: "all" } as const
    for (let sent = 0; sent < 3; sent++) await write(far, "shelves", add, { id: "first" })
    const { values } = await write(far, "shelves", add, { id: "second" })
    expect(values).toMatchObject([{ visits: 2 }])
    const after = [second.context]
    expect((await read(far, "notes", { key: "c", after })).values).toEqual([])
  })

  it("gets the same errors, as the same classes", async () => {
    const requests: ReadonlyArray<readonly [string, RequestBody]> = [
      ["nothing", { key: "k" }],
      ["notes", { key: "k", fingerprint: "0000000000000000" }],
      ["notes", { key: "k".repeat(2000) }],
      ["notes", { key: "k", r: 4 }],
      ["notes", { key: "k", after: ["x"] }]
    ]
    for (const [bucket, body] of requests) {
      const [here, there] = await both((backend) => read(backend, bucket, body))
      expect(here).toBeInstanceOf(Error)
      expect(there).toEqual(here)
    }
    const [here, there] = await both((backend) =>
      write(backend, "shelves", { key: "k", op: "visits.add", args: ["x"] })
    )
    expect(here).toMatchObject({ _tag: "InvalidValue" })
    expect(there).toEqual(here)
    const [, unknown] = await both((backend) => write(backend, "notes", { key: "k", op: "burn" }))
    expect(unknown).toMatchObject({ _tag: "UnknownOperation", known: ["put", "delete"] })
  })

  it("asks about the cluster, a bucket's keys and a document", async () => {
    const asked = [
      describeBy,
      (backend: Backend) => list(backend, "notes", { limit: 1 }),
      (backend: Backend) => listAll(backend, "scores", 1),
      (backend: Backend) => list(backend, "nothing"),
      (backend: Backend) => explain(backend, "notes", { key: "k" }),
      (backend: Backend) =>
        explain(backend, "rooms", { key: { hotel: "Ada", floor: 1, name: "x" } }),
      (backend: Backend) => explain(backend, "notes", { key: "k".repeat(2000) })
    ]
    for (const ask of asked) {
      const [here, there] = await both(ask)
      expect(steady(there)).toEqual(steady(here))
    }
  })
})

/** The age of a peer's last frame is another one at each question. */
const steady = (answer: unknown) =>
  JSON.parse(
    JSON.stringify(answer)
      .replaceAll(/"lastFrameAgeMillis":\d+/gu, "\"lastFrameAgeMillis\":0")
      .replaceAll(/,"lastExchange":\{[^}]*\}/gu, "")
      // Gossip may tell the node more between two questions.
      .replaceAll(/,"(?:incarnation|status|clockOffsetMillis)":(?:"[^"]*"|-?\d+)/gu, "")
  )

const noAnswer = (mayHaveApplied: boolean, reason: string) =>
  expect.objectContaining({
    _tag: "NoAnswer",
    mayHaveApplied,
    reason: expect.stringContaining(reason)
  })

const put = { key: "k", op: "put", args: ["v"] } as const

/** The outcome of a read and of a write to a server that does this with every request. */
const outcomes = async (
  handle: (server: Server) => void,
  body: { readonly timeoutMillis?: number } = {}
): Promise<ReadonlyArray<unknown>> => {
  const other = createServer()
  handle(other)
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve))
  const address = other.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const backend = new HttpBackend({ runtime: liveRuntime, url: `http://127.0.0.1:${port}` })
  const asked = [
    read(backend, "notes", { key: "k", ...body }),
    write(backend, "notes", { ...put, ...body })
  ]
  const found = await Promise.all(asked.map((asking) => asking.catch((error: unknown) => error)))
  other.closeAllConnections()
  await new Promise((resolve) => other.close(resolve))
  return found
}

const answer = (status: number, body: string) =>
  outcomes((other) => other.on("request", (_, response) => response.writeHead(status).end(body)))

describe("without a node that answers, a client over HTTP", () => {
  it("knows that nothing was applied where no connection was made", async () => {
    const gone = await startServer({ backend: near })
    await gone.stop()
    const backend = new HttpBackend({ runtime: liveRuntime, url: gone.url })
    await expect(write(backend, "notes", put)).rejects.toEqual(
      noAnswer(false, "takes no connections")
    )
  })

  it("says that a write may have applied where the connection broke", async () => {
    const found = await outcomes((other) =>
      other.on("request", (request) => request.socket.destroy())
    )
    expect(found).toEqual([noAnswer(false, "answers nothing"), noAnswer(true, "answers nothing")])
  })

  it("gives up in time where nothing comes", async () => {
    const found = await outcomes((other) => other.on("request", () => undefined), {
      timeoutMillis: 1
    })
    const late = "does not answer in time"
    expect(found).toEqual([noAnswer(false, late), noAnswer(true, late)])
  })

  it("takes no other server's answer for a node's", async () => {
    for (const body of ["<html>", "{}", ""]) {
      expect(await answer(502, body)).toEqual([
        noAnswer(false, "answers 502"),
        noAnswer(true, "answers 502")
      ])
      expect(await answer(200, body)).toEqual([
        noAnswer(false, "not understood"),
        noAnswer(true, "not understood")
      ])
    }
    const backend = new HttpBackend({
      runtime: liveRuntime,
      url: "http://node.test",
      fetch: () => Promise.resolve(new Response("{}"))
    })
    await expect(list(backend, "notes")).rejects.toEqual(noAnswer(false, "not understood"))
  })
})
