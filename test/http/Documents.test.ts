// Checks documents over HTTP, family by family, as a program with nothing but HTTP meets them.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { makeDb } from "../../src/client/Promises.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { buckets, shelves } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { type Call, call, problemIn, siblingsIn, startServer, type TestServer } from "./served.ts"

let cluster: MemoryCluster
/** n1 and n2 have the buckets' code, n3 knows their definitions. */
let servers: ReadonlyArray<TestServer>

const n3 = NodeId.make("n3")

beforeAll(async () => {
  cluster = await makeCluster({
    nodes: 3,
    buckets: (node) => (node === n3 ? buckets.map(({ definition }) => definition) : buckets)
  })
  servers = await Promise.all(cluster.backends.map((backend) => startServer({ backend })))
})

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()))
  cluster.stop()
})

const docs = (bucket: string, options: Call, node = 0): Promise<Response> =>
  call(servers[node]!, `/v1/buckets/${bucket}/docs`, {
    ...options,
    query: options.method === undefined ? { r: "all", ...options.query } : options.query ?? {}
  })

const put = (bucket: string, key: string, json: unknown, options: Call = {}) =>
  call(servers[0]!, `/v1/buckets/${bucket}/docs`, {
    ...options,
    method: "PUT",
    json,
    query: { w: "all", ...options.query, key }
  })

const operate = (bucket: string, operation: string, key: string, json: unknown, node = 0) =>
  call(servers[node]!, `/v1/buckets/${bucket}/docs/ops/${operation}`, {
    method: "POST",
    json,
    query: { w: "all", key }
  })

const contextOf = (response: Response): string => response.headers.get("everwrite-context") ?? ""

describe("a document of which the last write wins", () => {
  it("is put, is replaced, and is gone after a delete", async () => {
    const first = await put("profiles", "ada", { name: "Ada" })
    expect([first.status, await first.json()]).toEqual([200, { name: "Ada" }])
    await put("profiles", "ada", { name: "Ada Lovelace" })
    const read = await docs("profiles", { query: { key: "ada" } })
    expect([read.status, await read.json()]).toEqual([200, { name: "Ada Lovelace" }])
    expect(read.headers.get("everwrite-replied")).toBe("3")
    const deleted = await docs("profiles", { method: "DELETE", query: { key: "ada", w: "all" } })
    expect([deleted.status, await deleted.text()]).toEqual([204, ""])
    const gone = await docs("profiles", { query: { key: "ada" } })
    expect(contextOf(gone)).not.toBe("")
    expect(await problemIn(gone)).toMatchObject({ status: 404, title: "Absent" })
  })

  it("can have any text as its key, and fields where the bucket says so", async () => {
    for (const key of ["", "a b", "ä/ö?&=#%", "{\"a\":1}", "😀".repeat(100)]) {
      await put("profiles", key, { name: key })
      const read = await docs("profiles", { query: { key } })
      expect(await read.json()).toEqual({ name: key })
    }
    const room = JSON.stringify({ hotel: "Ada", floor: -1, name: "blue" })
    await put("rooms", room, { beds: 2 })
    const sameRoom = JSON.stringify({ name: "blue", hotel: "Ada", floor: -1 })
    const read = await docs("rooms", { query: { key: sameRoom } })
    expect(await read.json()).toEqual({ beds: 2 })
  })
})

describe("a document that keeps siblings", () => {
  it("gains a sibling by a put without a context, and loses those that one has seen", async () => {
    await put("notes", "n", "one")
    const second = await put("notes", "n", "two")
    expect(second.headers.get("everwrite-siblings")).toBe("2")
    expect(await siblingsIn(second)).toEqual(new Set(["one", "two"]))
    const context = { "everwrite-context": contextOf(second) }
    await put("notes", "n", "unseen")
    await put("notes", "n", "both", { headers: context })
    const read = await docs("notes", { query: { key: "n" } })
    expect(await siblingsIn(read)).toEqual(new Set(["unseen", "both"]))
  })

  it("is deleted with the context of a read only, and keeps values not seen by it", async () => {
    await put("notes", "d", "seen")
    const query = { key: "d", w: "all" }
    const refused = await docs("notes", { method: "DELETE", query })
    expect(await problemIn(refused)).toMatchObject({ status: 428, bucket: "notes" })
    expect((await operate("notes", "delete", "d", [])).status).toBe(428)
    const headers = { "everwrite-context": contextOf(await docs("notes", { query: { key: "d" } })) }
    await put("notes", "d", "unseen")
    const deleted = await docs("notes", { method: "DELETE", query, headers })
    expect([deleted.status, await deleted.json()]).toEqual([200, "unseen"])
  })

  it("shows all its values where they are asked for, be there one or several", async () => {
    await put("notes", "s", "alone")
    const path = "/v1/buckets/notes/siblings"
    const one = await call(servers[0]!, path, { query: { key: "s" } })
    expect([one.headers.get("everwrite-siblings"), await one.json()])
      .toEqual(["1", { siblings: ["alone"] }])
    const same = await docs("notes", { query: { key: "s", siblings: "true" } })
    expect(await same.json()).toEqual({ siblings: ["alone"] })
    const none = await call(servers[0]!, path, { query: { key: "absent" } })
    expect((await problemIn(none)).status).toBe(404)
  })
})

describe("a document with an application merge", () => {
  it("is one value where the node has the code, and its siblings where it has not", async () => {
    await put("scores", "k", 3)
    const second = await put("scores", "k", 5)
    expect([second.headers.get("everwrite-merged"), await second.json()]).toEqual(["2", 5])
    const merged = await docs("scores", { query: { key: "k" } }, 1)
    expect([merged.headers.get("everwrite-merged"), await merged.json()]).toEqual(["2", 5])
    for (const [query, node] of [[{ siblings: "true" }, 1], [{}, 2]] as const) {
      const listed = await docs("scores", { query: { ...query, key: "k" } }, node)
      expect(listed.headers.get("everwrite-siblings")).toBe("2")
      expect(await siblingsIn(listed)).toEqual(new Set([3, 5]))
    }
  })
})

describe("a document of a data type", () => {
  it("is changed by its operations, and not by a put", async () => {
    const added = await operate("shelves", "books.add", "k", ["Emma"])
    expect(await added.json()).toEqual({ books: ["Emma"], label: null, visits: 0 })
    const refused = await put("shelves", "k", { books: [] })
    expect(refused.headers.get("allow")).toBe("GET, DELETE")
    const { known, status } = await problemIn(refused)
    expect([status, known]).toEqual([405, expect.arrayContaining(["books.add", "visits.add"])])
  })

  it("takes several operations as one change: all, or none where one is at fault", async () => {
    const book = { name: "books.add", args: ["Persuasion"] }
    const edited = await operate("shelves", "edit", "e", [book, { name: "visits.add", args: [2] }])
    expect(await edited.json()).toEqual({ books: ["Persuasion"], label: null, visits: 2 })
    const other = { name: "books.add", args: ["Evelina"] }
    const refused = await operate("shelves", "edit", "e", [other, {
      name: "visits.add",
      args: ["x"]
    }])
    expect((await problemIn(refused)).status).toBe(422)
    const read = await docs("shelves", { query: { key: "e" } })
    expect(await read.json()).toMatchObject({ books: ["Persuasion"], visits: 2 })
  })

  it("is empty, and no error, when an operation leaves nothing in it", async () => {
    await operate("shelves", "books.add", "gone", ["Emma"])
    expect((await operate("shelves", "books.remove", "gone", ["Emma"])).status).toBe(204)
    expect((await docs("shelves", { query: { key: "gone" } })).status).toBe(404)
  })
})

const count = (key: string, idempotencyKey: string, node: number) =>
  call(servers[node]!, "/v1/buckets/shelves/docs/ops/visits.add", {
    method: "POST",
    json: [1],
    query: { w: "all", key },
    headers: { "idempotency-key": idempotencyKey }
  })

describe("a write with an Idempotency-Key", () => {
  it("is applied once, however often and wherever it arrives", async () => {
    for (const node of [0, 1, 0, 2]) await count("i", "the first: x", node)
    await count("i", "the second", 0)
    const read = await docs("shelves", { query: { key: "i" } })
    expect(await read.json()).toMatchObject({ visits: 2 })
  })

  it("is another write for another document", async () => {
    for (const key of ["i1", "i2"]) await count(key, "for two", 0)
    for (const key of ["i1", "i2"]) {
      const read = await docs("shelves", { query: { key } })
      expect(await read.json()).toMatchObject({ visits: 1 })
    }
  })

  it("is applied once, though it arrives at all nodes at once", async () => {
    for (let round = 0; round < 10; round++) {
      const key = `at once ${round}`
      const answers = await Promise.all([0, 1, 2, 0, 1, 2].map((node) => count(key, "one", node)))
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200])
      const read = await docs("shelves", { query: { key } })
      expect(await read.json()).toMatchObject({ visits: 1 })
    }
  })

  it("is the same write as one that a program names so by its options", async () => {
    const db = makeDb({ shelves }, cluster.backends[1]!, async () => undefined)
    await db.shelves.visits.add("both", 1, { id: "of both", w: "all" })
    await count("both", "of both", 0)
    expect(await db.shelves.get("both", { r: "all" })).toMatchObject({ visits: 1 })
  })

  it("has a name that every way in takes as it is: visible ASCII", async () => {
    for (const name of ["ü", "a\tb"]) {
      expect(await problemIn(await count("i4", name, 0)))
        .toMatchObject({ status: 400, setting: "idempotency-key" })
    }
    expect((await count("i4", "a b \"c\", {d}", 0)).status).toBe(200)
  })

  it("takes 200 characters and not 201", async () => {
    expect((await count("i3", "x".repeat(200), 0)).status).toBe(200)
    expect(await problemIn(await count("i3", "x".repeat(201), 0)))
      .toMatchObject({ status: 400, setting: "idempotency-key" })
  })

  it("is in doubt while a node that may have it is away, unless twice is preferred", async () => {
    cluster.cut(n3)
    try {
      const send = (headers: { readonly [name: string]: string }) =>
        call(servers[0]!, "/v1/buckets/shelves/docs/ops/visits.add", {
          method: "POST",
          json: [1],
          query: { w: "1", key: "away" },
          headers: { "idempotency-key": "away", ...headers }
        })
      expect(await problemIn(await send({}))).toMatchObject({
        status: 409,
        type: "urn:everwrite:problem:OperationUnknown",
        mayHaveApplied: true,
        nodes: [{ node: "n3" }]
      })
      const applied = await send({ "everwrite-if-unknown": "apply" })
      expect(await applied.json()).toMatchObject({ visits: 1 })
      expect(await problemIn(await send({ "everwrite-if-unknown": "maybe" })))
        .toMatchObject({ status: 400, setting: "everwrite-if-unknown" })
    } finally {
      cluster.heal()
    }
  })
})

const addToLarge = (element: string, query = {}) =>
  call(servers[0]!, "/v1/buckets/shelves/docs/ops/books.add", {
    method: "POST",
    json: [element],
    query: { key: "large", ...query }
  })

describe("the settings of a request", () => {
  it("have a write of a large document show it, which it does not otherwise", async () => {
    const long = "x".repeat(20_000)
    const unshown = await addToLarge(long)
    expect(unshown.headers.get("everwrite-unshown")).toBe("true")
    const shown = await addToLarge("y", { show: "always" })
    expect(shown.headers.get("everwrite-unshown")).toBeNull()
    expect(await shown.json()).toMatchObject({ books: [long, "y"] })
    expect(await problemIn(await addToLarge("y", { show: "never" })))
      .toMatchObject({ status: 400, setting: "show" })
  })

  it("reach the quorum: fewer replicas are asked for, and fewer needed", async () => {
    cluster.cut(n3)
    try {
      const strict = await put("profiles", "q", { name: "Q" }, { query: { timeout: "100" } })
      expect(await problemIn(strict)).toMatchObject({
        status: 503,
        needed: { w: 3 },
        had: { w: 2 },
        unreachable: ["n3"],
        mayHaveApplied: true
      })
      expect(strict.headers.get("retry-after")).toBe("1")
      const lenient = await put("profiles", "q", { name: "Q" }, { query: { w: "1" } })
      expect(lenient.status).toBe(200)
      const consistency = { key: "q", consistency: "strict", r: "1", pr: "2" }
      expect((await call(servers[0]!, "/v1/buckets/profiles/docs", { query: consistency })).status)
        .toBe(200)
    } finally {
      cluster.heal()
    }
  })

  it("of a session are contexts that the answer must cover, however many", async () => {
    const context = contextOf(await put("profiles", "after", { name: "A" }))
    const headers = { "everwrite-after": `${context}, ${context}` }
    expect((await docs("profiles", { query: { key: "after" }, headers })).status).toBe(200)
    const foreign = await docs("profiles", { query: { key: "other" }, headers })
    expect(await problemIn(foreign)).toMatchObject({ status: 400, reason: "other-document" })
  })
})
