// Checks the OpenAPI document against its rules, and against the server's real answers.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Schema from "effect/Schema"
import { Overloaded } from "../../src/core/model/StoreError.ts"
import { readTokens } from "../../src/http/AccessTokens.ts"
import { stubBackend } from "./stub.ts"
import { call, startServer, type TestServer } from "./served.ts"
import { exchange, statusesIn } from "./wire.ts"

const Operation = Schema.Struct({
  tags: Schema.Array(Schema.String),
  operationId: Schema.String,
  summary: Schema.String,
  parameters: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      in: Schema.Literals(["path", "query", "header"]),
      required: Schema.Boolean
    })
  ),
  responses: Schema.Record(
    Schema.String,
    Schema.Struct({
      description: Schema.String,
      content: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json))
    })
  )
})

const Document = Schema.Struct({
  openapi: Schema.String,
  info: Schema.Struct({ title: Schema.String, version: Schema.String }),
  paths: Schema.Record(Schema.String, Schema.Record(Schema.String, Operation)),
  components: Schema.Struct({ schemas: Schema.Record(Schema.String, Schema.Json) })
})

/** Of the paths that take any bucket. */
const groups = ["documents", "requests", "buckets", "cluster", "node"]

let server: TestServer
let text: string
let document: typeof Document.Type
let operations: ReadonlyArray<readonly [route: string, operation: typeof Operation.Type]>

beforeAll(async () => {
  server = await startServer({ backend: stubBackend({}) })
  text = await (await call(server, "/openapi.json")).text()
  document = Schema.decodeUnknownSync(Schema.fromJsonString(Document))(text)
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      [`${method.toUpperCase()} ${path}`, operation] as const
    )
  )
})

afterAll(() => server.stop())

describe("the OpenAPI document", () => {
  it("is of version 3.1 and names every route", () => {
    expect(document.openapi).toMatch(/^3\.1\./u)
    const general = operations.filter(([, { tags }]) => groups.includes(tags[0]!))
    expect(general.map(([route]) => route)).toEqual([
      "GET /v1/buckets/{bucket}/docs",
      "PUT /v1/buckets/{bucket}/docs",
      "DELETE /v1/buckets/{bucket}/docs",
      "POST /v1/buckets/{bucket}/docs/ops/{operation}",
      "GET /v1/buckets/{bucket}/siblings",
      "POST /v1/buckets/{bucket}/read",
      "POST /v1/buckets/{bucket}/write",
      "GET /v1/buckets",
      "GET /v1/buckets/{bucket}",
      "GET /v1/buckets/{bucket}/keys",
      "GET /v1/cluster",
      "GET /v1/explain",
      "POST /v1/sync",
      "GET /v1/hints",
      "GET /v1/status",
      "GET /livez",
      "GET /readyz",
      "GET /metrics"
    ])
  })

  it("has each operation under a name of its own, with every parameter of its path", () => {
    const ids = operations.map(([, { operationId }]) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const [route, { parameters }] of operations) {
      const inPath = parameters.filter((parameter) => parameter.in === "path")
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(route.match(/\{[a-z]+\}/gu) ?? [])
      expect(inPath.every(({ required }) => required)).toBe(true)
    }
  })

  it("points nowhere but into itself", () => {
    const references = [...text.matchAll(/"\$ref":"([^"]+)"/gu)].map(([, target]) => target!)
    expect(references.length).toBeGreaterThan(0)
    const known = Object.keys(document.components.schemas)
    for (const reference of references) {
      expect(known.map((name) => `#/components/schemas/${name}`)).toContain(reference)
    }
  })

  it("declares every error as a problem, and every other answer by its own schema", () => {
    for (const [route, { responses }] of operations) {
      for (const [status, { content }] of Object.entries(responses)) {
        const types = Object.keys(content ?? {})
        if (Number(status) >= 400) expect(types, route).toEqual(["application/problem+json"])
        else if (status === "204" || status === "304") expect(types, route).toEqual([])
        else expect(types, route).toHaveLength(1)
      }
    }
  })

  it("names the statuses that its operations answer", () => {
    const statuses = Object.fromEntries(
      operations.map(([route, { responses }]) => [route, Object.keys(responses).map(Number)])
    )
    expect(statuses["GET /v1/buckets/{bucket}/docs"])
      .toEqual([200, 304, 400, 401, 403, 404, 408, 409, 415, 421, 431, 500, 503])
    expect(statuses["PUT /v1/buckets/{bucket}/docs"])
      .toEqual([200, 400, 401, 403, 404, 405, 408, 409, 413, 415, 421, 422, 431, 500, 503])
    expect(statuses["DELETE /v1/buckets/{bucket}/docs"])
      .toEqual([200, 204, 400, 401, 403, 404, 408, 409, 415, 421, 428, 431, 500, 503])
    expect(statuses["GET /livez"]).toEqual([200, 400, 403, 408, 415, 421, 431, 500])
    expect(statuses["GET /readyz"]).toEqual([200, 400, 403, 408, 415, 421, 431, 500, 503])
  })

  it("has no place for a token where none is asked for", () => {
    expect(text).not.toContain("securitySchemes")
    expect(text).not.toContain("bearer")
  })
})

const overload = () => new Overloaded({ node: "n1", retryAfterMillis: 50 })
const refuse = (_: unknown, respond: (error: Overloaded) => void) => respond(overload())

describe("where a token is asked for", () => {
  const token = "a-token-for-the-tests"
  const authorization = `Bearer ${token}`
  let guarded: TestServer
  let described: any
  beforeAll(async () => {
    guarded = await startServer({
      backend: stubBackend({ overload, request: refuse, explain: refuse, list: refuse }),
      health: { notReady: () => ["it is a stub"] },
      tokens: readTokens(token)
    })
    described = await (await call(guarded, "/openapi.json", { headers: { authorization } })).json()
  })
  afterAll(() => guarded.stop())

  it("the document says so, and which operations need none", () => {
    expect(described.components.securitySchemes)
      .toEqual({ token: { type: "http", scheme: "bearer" } })
    const needs = Object.entries<any>(described.paths).flatMap(([path, methods]) =>
      Object.values<any>(methods).map(({ security }) => [path, security])
    )
    for (const [path, security] of needs) {
      expect(security, path).toEqual(/^\/(?:livez|readyz)$/u.test(path) ? [] : [{ token: [] }])
    }
  })

  it.each([
    ["no token", {}],
    ["another token", { authorization: "Bearer another-token-of-tests" }],
    ["the page of another site", { authorization, origin: "http://attacker.example" }],
    ["another host", { authorization, host: "attacker.example" }],
    ["no host", { authorization, host: "a b" }],
    ["too much to do", { authorization }],
    ["a body in another encoding", { authorization, "content-encoding": "gzip" }],
    ["headers that are too large", { authorization, "everwrite-context": "x".repeat(20_000) }]
  ])("each answer to a request is declared: %s", async (_, headers) => {
    for (const [route, { parameters, responses }] of operations) {
      const [method = "", path = ""] = route.split(" ")
      const asked = parameters.filter((parameter) => parameter.in === "query" && parameter.required)
      const query = asked.map(({ name }) => `${name}=notes`).join("&").replace(/^(?=.)/u, "?")
      const target = path.replace("{bucket}", "notes").replace("{operation}", "put")
      const lines = Object.entries({ host: "localhost", ...headers })
        .map(([name, value]) => `${name}: ${value}\r\n`)
      const answer = await exchange(
        guarded,
        `${method} ${target}${query} HTTP/1.1\r\n${lines.join("")}connection: close\r\n`
          + "content-type: application/json\r\ncontent-length: 2\r\n\r\n[]"
      )
      const [status] = statusesIn(answer)
      expect(Object.keys(responses), `${route}: ${answer}`).toContain(String(status))
    }
  })
})

describe("the page for people", () => {
  it("carries the document and its script, and loads nothing from elsewhere", async () => {
    const response = await call(server, "/docs")
    expect(response.headers.get("content-type")).toContain("text/html")
    const page = await response.text()
    expect(page).toContain("documents.operate")
    expect(response.headers.get("content-security-policy"))
      .toBe("default-src 'self' 'unsafe-inline' data:")
    expect(page).not.toMatch(/<script[^>]+src=/u)
    expect(page).not.toMatch(/<link[^>]+href=/u)
  })
})
