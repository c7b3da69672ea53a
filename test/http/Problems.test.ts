// Checks that every error reaches an HTTP client as a problem that says all it knows.
import { afterEach, describe, expect, it } from "vitest"
import { errorOf, Problem, problemOf, statusOf, typePrefix } from "../../schemas/Problem.ts"
import * as Schema from "effect/Schema"
import * as Errors from "../../src/core/model/StoreError.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { buckets, notes, scores } from "../cluster/buckets.ts"
import { write } from "../cluster/asked.ts"
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

const bucket = "notes"
const unreachable = ["n2"]

/** One of each, with the status it must have. */
const table: ReadonlyArray<readonly [status: number, error: Errors.StoreError]> = [
  [404, new Errors.UnknownBucket({ bucket })],
  [409, new Errors.BucketMismatch({ bucket, expected: "a", actual: "b" })],
  [404, new Errors.UnknownOperation({ bucket, operation: "x", known: ["put"] })],
  [422, new Errors.InvalidValue({ bucket, path: "$.lines[2].quantity", problem: "no number" })],
  [400, new Errors.InvalidKey({ bucket, problem: "too long" })],
  [400, new Errors.InvalidRequest({ setting: "r", value: "9", expected: "1 to 3" })],
  [400, new Errors.BadContext({ bucket, reason: "malformed" })],
  [428, new Errors.ContextRequired({ bucket })],
  [503, new Errors.StaleMark({ node: "n1", mark: "" })],
  [
    409,
    new Errors.OperationUnknown({
      nodes: [{ node: "n2", reason: "it does not answer" }],
      mayHaveApplied: true
    })
  ],
  [
    503,
    new Errors.ListingIncomplete({
      bucket,
      reached: 3,
      partitions: 4,
      unreachable: ["n2"],
      refused: []
    })
  ],
  [
    503,
    new Errors.QuorumNotMet({
      action: "write",
      needed: { w: 2, pw: 0, dw: 2 },
      had: { w: 1, pw: 1, dw: 0 },
      unreachable,
      refused: [{ node: "n3", reason: "full" }],
      mayHaveApplied: true
    })
  ],
  [503, new Errors.ContextNotCovered({ bucket, unreachable })],
  [409, new Errors.ContextTooOld({ bucket })],
  [409, new Errors.DocumentTooLarge({ bucket, limit: "siblings", had: 101, allowed: 100 })],
  [503, new Errors.NodeUnwritable({ node: "n1", reason: "its disk is full or failing" })],
  [503, new Errors.NodeUnavailable({ node: "n1", reason: "it is stopping" })],
  [503, new Errors.Overloaded({ node: "n1", retryAfterMillis: 1_200 })],
  [500, new Errors.Undecodable({ bucket, path: "$.a", problem: "no number" })],
  [503, new Errors.NoAnswer({ reason: "no answer in time", mayHaveApplied: true })],
  [403, new Errors.AccessDenied({ right: "publish", subject: "a.b", mayHaveApplied: false })],
  [503, new Errors.Closed({ closed: "client", mayHaveApplied: false })],
  [503, new Errors.Cancelled({ mayHaveApplied: true })]
]

describe("a problem", () => {
  it("is defined for every error of a request", () => {
    expect(new Set(table.map(([, error]) => error._tag))).toEqual(new Set(Object.keys(statusOf)))
  })

  it.each(table)(
    "%i: %s comes with all its fields, and is read back as itself",
    async (status, error) => {
      server = await startServer({
        backend: stubBackend({ request: (_, respond) => respond(error) })
      })
      const response = await call(server, "/v1/buckets/notes/docs", { query: { key: "k" } })
      expect(response.status).toBe(status)
      expect(response.headers.has("retry-after")).toBe(status === 503)
      if (error._tag === "Overloaded") expect(response.headers.get("retry-after")).toBe("2")
      const problem = await problemIn(response)
      const { _tag, ...fields } = Schema.encodeSync(Errors.StoreError)(error)
      expect(problem).toMatchObject({ type: typePrefix + _tag, detail: error.message, ...fields })
      expect(errorOf(problem)).toEqual(error)
    }
  )

  it("of another kind is read as no error of a request", () => {
    const other = { type: "about:blank", title: "x", status: 400, detail: "" }
    expect(errorOf(other)).toBeUndefined()
    expect(errorOf({ ...other, type: `${typePrefix}InvalidKey` })).toBeUndefined()
    expect(Schema.is(Problem)(problemOf(table[0]![1]))).toBe(true)
  })
})

const start = async () => {
  cluster = await makeCluster({ nodes: 3, buckets })
  server = await startServer({ backend: cluster.backends[0]! })
  return server
}

describe("a wrong request", () => {
  const docs = "/v1/buckets/notes/docs"
  const shelves = "/v1/buckets/shelves/docs"

  it.each([
    ["a bucket that is not there", "/v1/buckets/nothing/docs?key=k", {}, 404, "UnknownBucket"],
    ["a bucket's name that is none", "/v1/buckets/No%20Name/docs?key=k", {}, 404, "UnknownBucket"],
    ["no key", docs, {}, 400, "InvalidRequest"],
    ["two keys", `${docs}?key=a&key=b`, {}, 400, "InvalidRequest"],
    ["a key too long", `${docs}?key=${"x".repeat(2000)}`, {}, 400, "InvalidKey"],
    ["a key that is no object", "/v1/buckets/rooms/docs?key=k", {}, 400, "InvalidKey"],
    ["a key without its fields", "/v1/buckets/rooms/docs?key={}", {}, 400, "InvalidKey"],
    ["a setting that no nodes can meet", `${docs}?key=k&r=4`, {}, 400, "InvalidRequest"],
    ["a setting that is none", `${docs}?key=k&r=most`, {}, 400, "InvalidRequest"],
    ["a timeout that is none", `${docs}?key=k&timeout=-1`, {}, 400, "InvalidRequest"],
    ["a consistency that is none", `${docs}?key=k&consistency=x`, {}, 400, "InvalidRequest"],
    ["an unknown operation", `${shelves}/ops/burn?key=k`, { json: [] }, 404, "UnknownOperation"],
    ["a wrong argument", `${shelves}/ops/visits.add?key=k`, { json: ["x"] }, 422, "InvalidValue"],
    ["too few arguments", `${shelves}/ops/visits.add?key=k`, { json: [] }, 422, "InvalidValue"],
    [
      "no array of arguments",
      `${shelves}/ops/visits.add?key=k`,
      { json: 1 },
      400,
      "InvalidRequest"
    ],
    ["no array of operations", `${shelves}/ops/edit?key=k`, { json: [1] }, 400, "InvalidRequest"],
    ["an edit of nothing", `${shelves}/ops/edit?key=k`, { json: [] }, 400, "InvalidRequest"],
    ["no JSON", `${shelves}/ops/visits.add?key=k`, { body: "[1" }, 400, "InvalidRequest"],
    ["an empty body", `${shelves}/ops/visits.add?key=k`, { body: "" }, 400, "InvalidRequest"],
    ["a page's place that is none", "/v1/buckets/notes/keys?after=x", {}, 400, "InvalidRequest"],
    ["a page without end", "/v1/buckets/notes/keys?limit=5000", {}, 400, "InvalidRequest"],
    ["an unknown route", "/v1/nothing", {}, 404, "NoRoute"],
    ["text that is no URL", "/v1/buckets/%zz/docs?key=k", {}, 400, "InvalidRequest"]
  ])("%s is named", async (_what, path, options, status, name) => {
    const method = Object.keys(options).length === 0 ? "GET" : "POST"
    const problem = await problemIn(await call(await start(), path, { ...options, method }))
    expect([problem.status, problem.type]).toEqual([status, typePrefix + name])
  })

  it("where a value does not fit, the problem says where in the body", async () => {
    const path = "/v1/buckets/profiles/docs?key=k"
    const problem = await problemIn(
      await call(await start(), path, { method: "PUT", json: { name: 7 } })
    )
    expect(problem).toMatchObject({ status: 422, path: "$.name" })
  })

  it("a context of another document, a damaged one and none are refused by name", async () => {
    const at = await start()
    const put = { method: "PUT", json: "v" }
    const { headers } = await call(at, `${docs}?key=k`, put)
    const context = headers.get("everwrite-context")!
    const reasons = [
      [context, "other-document"],
      [`${context}AAAA`, "damaged"],
      ["!", "malformed"]
    ] as const
    for (const [text, reason] of reasons) {
      const options = { ...put, headers: { "everwrite-context": text } }
      const problem = await problemIn(await call(at, `${docs}?key=other`, options))
      expect(problem).toMatchObject({ status: 400, reason })
    }
  })

  it("another declaration of the bucket is refused, and the same one is not", async () => {
    const at = await start()
    const get = (fingerprint: string) =>
      call(at, `${docs}?key=k`, { headers: { "everwrite-fingerprint": fingerprint } })
    expect(await problemIn(await get("0000000000000000")))
      .toMatchObject({ status: 409, expected: notes.fingerprint })
    expect((await problemIn(await get(notes.fingerprint))).title).toBe("Absent")
  })
})

describe("a request that the cluster cannot carry out now", () => {
  it("a node that is stopping says so", async () => {
    cluster = await makeCluster({ nodes: 3, buckets })
    server = await startServer({ backend: cluster.backends[0]! })
    cluster.nodes[0]!.core.drain()
    const problem = await problemIn(await call(server, "/v1/buckets/notes/docs?key=k"))
    expect(problem).toMatchObject({ status: 503, node: "n1", title: "Node not available" })
  })

  it("a session that has seen more than the reachable replicas gets that error", async () => {
    cluster = await makeCluster({ nodes: 3, buckets, timeoutMillis: 200 })
    const [n1Client, , n3Client] = cluster.backends
    server = await startServer({ backend: n3Client! })
    cluster.cut(NodeId.make("n3"))
    const { context } = await write(n1Client!, "notes", { key: "k", op: "put", args: ["v"] })
    const problem = await problemIn(
      await call(server, "/v1/buckets/notes/docs?key=k&r=1", {
        headers: { "everwrite-after": context }
      })
    )
    expect(problem).toMatchObject({ status: 503, title: "Context not covered" })
  })

  it("stored values that a merge cannot read are named, and still shown as they are", async () => {
    const n1 = NodeId.make("n1")
    cluster = await makeCluster({
      nodes: 3,
      buckets: (node) => (node === n1 ? buckets : [scores.definition])
    })
    const [withCode, withoutCode] = cluster.backends
    await write(withoutCode!, "scores", { key: "k", op: "put", args: [1], w: "all" })
    await write(withoutCode!, "scores", { key: "k", op: "put", args: ["x"], w: "all" })
    server = await startServer({ backend: withCode! })
    const path = "/v1/buckets/scores/docs?key=k"
    const response = await call(server, path)
    expect(await problemIn(response)).toMatchObject({ status: 500, bucket: "scores", path: "$" })
    const listed = await call(server, `${path}&siblings=true`)
    expect(listed.headers.get("everwrite-siblings")).toBe("2")
    const headers = { "everwrite-context": listed.headers.get("everwrite-context")! }
    const unseen = await call(server, path, { method: "PUT", json: 2 })
    expect([unseen.status, unseen.headers.get("everwrite-siblings")]).toEqual([200, "3"])
    const mended = await call(server, path, { method: "PUT", json: 3, headers })
    expect([mended.status, await mended.json()]).toEqual([200, 3])
  })
})
