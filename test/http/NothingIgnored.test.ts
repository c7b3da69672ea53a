// Checks that a request is carried out with all that it asks for, or refused: a misspelt setting
// must not leave a write at the bucket's defaults, nor a condition be overwritten.
import { gzipSync } from "node:zlib"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Call, call, problemIn } from "./served.ts"
import { useServedCluster } from "./servedCluster.ts"

const server = useServedCluster()

const docs = "/v1/buckets/profiles/docs"
const ada = { key: "ada" }

const send = (method: string, path: string, options: Call = {}): Promise<Response> =>
  call(server, path, { method, ...options })

const put = (options: Call = {}): Promise<Response> =>
  send("PUT", docs, { json: { name: "Ada" }, ...options, query: { ...ada, ...options.query } })

const get = (headers: Readonly<Record<string, string>> = {}, query = {}): Promise<Response> =>
  send("GET", docs, { query: { ...ada, r: "all", ...query }, headers })

/** A request of each route, which is carried out. */
const routes: ReadonlyArray<readonly [method: string, path: string, options: Call]> = [
  ["GET", docs, { query: ada }],
  ["PUT", docs, { query: ada, json: { name: "Ada" } }],
  ["DELETE", docs, { query: ada }],
  ["POST", "/v1/buckets/shelves/docs/ops/visits.add", { query: ada, json: [1] }],
  ["GET", "/v1/buckets/profiles/siblings", { query: ada }],
  ["POST", "/v1/buckets/profiles/read", { json: ada }],
  ["POST", "/v1/buckets/profiles/write", {
    json: { ...ada, calls: [{ name: "put", args: [{ name: "Ada" }] }] }
  }],
  ["GET", "/v1/buckets", {}],
  ["GET", "/v1/buckets/profiles", {}],
  ["GET", "/v1/buckets/profiles/keys", {}],
  ["GET", "/v1/cluster", {}],
  ["GET", "/v1/explain", { query: { bucket: "profiles", ...ada } }],
  ["POST", "/v1/sync", { query: { bucket: "profiles", timeout: "100" } }],
  ["GET", "/v1/hints", {}],
  ["GET", "/v1/status", { query: { timeout: "500" } }],
  ["GET", "/livez", {}],
  ["GET", "/readyz", {}],
  ["GET", "/metrics", {}],
  ["GET", "/openapi.json", {}]
]

describe("a parameter that a request does not have is refused, and the nearest named:", () => {
  it.each([
    ["PUT", "W", "w"],
    ["PUT", "consitency", "consistency"],
    ["GET", "Consistency", "consistency"],
    ["GET", "time_out", "timeout"],
    ["PUT", "r", "key, consistency, sloppy, timeout, siblings, show, w, pw or dw"],
    ["GET", "w", "key, consistency, sloppy, timeout, r, pr or siblings"]
  ])("%s ?%s", async (method, name, expected) => {
    const options = method === "PUT" ? { json: { name: "Eve" } } : {}
    const refused = await send(method, docs, { ...options, query: { ...ada, [name]: "1" } })
    expect(await problemIn(refused)).toMatchObject({
      status: 400,
      detail: `${name} is no parameter of this request, expected ${expected}`,
      setting: name
    })
  })

  it.each(routes)("on %s %s", async (method, path, options) => {
    await put()
    const name = fc.sample(fc.stringMatching(/^[a-z]{4,12}z$/u), 1)[0]!
    const query = { ...options.query, [name]: "1" }
    expect(await problemIn(await send(method, path, { ...options, query })))
      .toMatchObject({ status: 400, setting: name })
    expect((await send(method, path, options)).status).toBeLessThan(300)
  })

  it("on a path that is written in another way", async () => {
    for (const path of [`${docs}/`, docs.replace("docs", "DOCS"), docs.replace("docs", "%64ocs")]) {
      expect((await send("GET", path, { query: { ...ada, W: "1" } })).status).not.toBe(200)
    }
  })
})

describe("a header of this interface that a request does not have is refused:", () => {
  it.each([
    ["PUT", "everwrite-contxt", "everwrite-context"],
    ["GET", "everwrite-context", "everwrite-after or everwrite-fingerprint"],
    ["GET", "idempotency-key", "everwrite-after or everwrite-fingerprint"]
  ])("%s %s", async (method, name, expected) => {
    const options = method === "PUT" ? { json: { name: "Eve" } } : {}
    const refused = await send(method, docs, { ...options, query: ada, headers: { [name]: "1" } })
    expect(await problemIn(refused)).toMatchObject({
      status: 400,
      detail: `${name} is no header of this request, expected ${expected}`
    })
  })
})

describe("a condition", () => {
  it.each([
    ["if-match", "\"x\""],
    ["if-match", "*"],
    ["if-none-match", "*"],
    ["if-unmodified-since", "Sat, 29 Oct 1994 19:43:31 GMT"]
  ])("%s: %s of a write is refused, and nothing is changed", async (name, value) => {
    const before = (await get()).headers.get("everwrite-context")
    const headers = { [name]: value }
    const writes = [
      put({ headers, json: { name: "Eve" } }),
      send("DELETE", docs, { query: ada, headers }),
      send("PATCH", docs, { query: ada, headers, json: { name: "Eve" } }),
      ...routes.filter(([method]) => method === "POST").map(([method, path, options]) =>
        send(method, path, { ...options, headers })
      )
    ]
    for (const response of await Promise.all(writes)) {
      const problem = await problemIn(response)
      expect(problem).toMatchObject({ status: 400, setting: name })
      expect(problem.detail).toContain("Everwrite-Context")
    }
    expect((await get()).headers.get("everwrite-context")).toBe(before)
  })

  it.each(["if-match", "if-unmodified-since"])("%s of a read is refused", async (name) => {
    expect(await problemIn(await get({ [name]: "\"x\"" }))).toMatchObject({ status: 400 })
  })

  it("if-none-match that is no list of tags is refused", async () => {
    await put()
    expect(await problemIn(await get({ "if-none-match": "abc" }))).toMatchObject({
      status: 400,
      setting: "if-none-match"
    })
  })
})

const etagOf = (response: Response): string => response.headers.get("etag") ?? "none"

describe("a read that names what it has", () => {
  it("is answered 304, with the context and no body, while the document is the same", async () => {
    await put({ query: { w: "all" } })
    const first = await get()
    const etag = etagOf(first)
    expect(etag).toMatch(/^"[\w-]{20,}"$/u)
    for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, `"a,b",${etag}`, "*"]) {
      const again = await get({ "if-none-match": tags })
      expect([again.status, await again.text(), etagOf(again)]).toEqual([304, "", etag])
      expect(again.headers.get("everwrite-context")).toBe(first.headers.get("everwrite-context"))
    }
    const other = await get({ "if-none-match": "\"other\"" })
    expect([other.status, await other.json()]).toEqual([200, { name: "Ada" }])
    const head = await send("HEAD", docs, { query: ada, headers: { "if-none-match": etag } })
    expect(head.status).toBe(304)
  })

  it("has another tag after every write, one of the same value too", async () => {
    const seen = new Set<string>()
    for (let write = 0; write < 5; write++) {
      await put({ query: { w: "all" } })
      seen.add(etagOf(await get()))
    }
    expect(seen.size).toBe(5)
  })

  it("has another tag for siblings than for the value merged of them", async () => {
    const path = "/v1/buckets/scores/docs"
    const query = { key: "etag" }
    for (const json of [3, 5]) await send("PUT", path, { query: { ...query, w: "all" }, json })
    const merged = await send("GET", path, { query })
    const siblings = await send("GET", path, { query: { ...query, siblings: "true" } })
    const headers = { "if-none-match": etagOf(siblings) }
    expect(etagOf(siblings)).not.toBe(etagOf(merged))
    expect((await send("GET", path, { query, headers })).status).toBe(200)
    const own = await send("GET", path.replace("docs", "siblings"), { query, headers })
    expect(own.status).toBe(304)
  })

  it("is told of an absent document", async () => {
    const headers = { "if-none-match": "*" }
    const absent = await send("GET", docs, { query: { key: "nobody" }, headers })
    expect((await problemIn(absent)).status).toBe(404)
  })
})

it("a body that is compressed is refused, with the encoding that is taken", async () => {
  const body = gzipSync(JSON.stringify({ name: "Eve" }))
  const refused = await fetch(`${server.url}${docs}?key=gzip`, {
    method: "PUT",
    headers: { "content-type": "application/json", "content-encoding": "gzip" },
    body
  })
  expect(refused.headers.get("accept-encoding")).toBe("identity")
  expect(await problemIn(refused)).toMatchObject({ status: 415 })
  const plain = await put({ headers: { "content-encoding": "identity" } })
  expect(plain.status).toBe(200)
})

describe("a method that a path does not have is refused, and its methods are named:", () => {
  it.each([
    ["PATCH", docs, "GET, HEAD, PUT, DELETE"],
    ["POST", docs, "GET, HEAD, PUT, DELETE"],
    ["OPTIONS", docs, "GET, HEAD, PUT, DELETE"],
    ["GET", "/v1/buckets/shelves/docs/ops/visits.add", "POST"],
    ["PUT", "/v1/buckets/profiles/read", "POST"],
    ["DELETE", "/v1/buckets/profiles", "GET, HEAD"],
    ["POST", "/livez", "GET, HEAD"],
    ["POST", "/docs", "GET, HEAD"]
  ])("%s %s", async (method, path, allowed) => {
    const refused = await send(method, path)
    expect(refused.headers.get("allow")).toBe(allowed)
    expect(await problemIn(refused)).toMatchObject({ status: 405 })
  })

  it("and a path that is none is still not found", async () => {
    expect((await problemIn(await send("PATCH", "/v1/nothing"))).status).toBe(404)
  })
})
