// Checks the description of the interface as its readers see it: texts beside the parameters,
// paths of the buckets that are served, examples that the node takes, a way in from the root.
import { beforeAll, expect, it } from "vitest"
import { sampleBuckets } from "../../src/node/SampleBuckets.ts"
import { call } from "./served.ts"
import { useServedCluster } from "./servedCluster.ts"
import { openWire } from "./wire.ts"
import { until } from "../tooling/until.ts"

const server = useServedCluster({ buckets: sampleBuckets })
let paths: Readonly<Record<string, Readonly<Record<string, any>>>>

beforeAll(async () => {
  paths = JSON.parse(await (await call(server, "/openapi.json")).text()).paths
})

const operationsOf = () =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      operation
    }))
  )

it("each parameter and header has its description where a reader looks for it", () => {
  for (const { operation, path } of operationsOf()) {
    const headers = Object.values<any>(operation.responses)
      .flatMap((response) => Object.entries<any>(response.headers ?? {}))
    const named = [
      ...operation.parameters.map((one: any) => [one.name, one]),
      ...headers
    ]
    for (const [name, { description, schema }] of named) {
      expect(typeof description, `${path} ${name}`).toBe("string")
      expect(schema?.description, `${path} ${name}`).toBeUndefined()
    }
  }
})

it("the example of a problem has the status that it is an example of", () => {
  const problems = operationsOf().flatMap(({ operation }) =>
    Object.entries<any>(operation.responses).filter(([status]) => Number(status) >= 400)
  )
  for (const [status, { content }] of problems) {
    expect(content["application/problem+json"].example.status).toBe(Number(status))
  }
})

it("numbers and switches are typed as such", () => {
  const schemas = new Map<string, any>(
    operationsOf().flatMap(({ operation }) =>
      operation.parameters.map(({ name, schema }: any) => [name, schema])
    )
  )
  expect(schemas.get("timeout")).toMatchObject({ type: "integer", maximum: 60_000 })
  expect(schemas.get("limit")).toMatchObject({ type: "integer", maximum: 1_000 })
  expect(schemas.get("siblings")).toEqual({ type: "boolean" })
  expect(schemas.get("partial")).toEqual({ type: "boolean" })
})

it("each bucket has its paths, with a put where it takes whole values", () => {
  const carts = "/v1/buckets/carts/docs"
  expect(Object.keys(paths[carts]!)).toEqual(["get", "delete"])
  expect(Object.keys(paths["/v1/buckets/scratch/docs"]!)).toEqual(["get", "put", "delete"])
  expect(paths[`${carts}/ops/lines.add`]!["post"].requestBody.content["application/json"])
    .toMatchObject({
      schema: { prefixItems: [{ type: "string" }, { type: "integer" }], minItems: 2, maxItems: 2 },
      example: ["apple", 2]
    })
  expect(paths[carts]!["get"].responses["200"].content["application/json"].schema).toMatchObject({
    type: "object",
    properties: { lines: { additionalProperties: { type: "integer" } } }
  })
})

it("what an example asks for is carried out as it stands", async () => {
  const tried = operationsOf().filter(({ method, path }) =>
    method === "POST" && !path.includes("{") && path.includes("/ops/")
  )
  expect(tried.length).toBeGreaterThan(3)
  for (const { operation, path } of tried) {
    const { example } = operation.requestBody.content["application/json"]
    const key = operation.parameters.find(({ name }: any) => name === "key").example
    const json = path.endsWith("/edit") ? [{ name: "add", args: [1] }] : example
    const response = await call(server, path, { method: "POST", query: { key }, json })
    expect(response.status, `${path} ${await response.text()}`).toBeLessThan(300)
  }
})

it("the root leads to the page for people, which names the buckets", async () => {
  const client = openWire(server)
  client.socket.write("GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
  await until("it is answered", client.closed)
  expect(client.received()).toMatch(/^HTTP\/1\.1 302 /u)
  expect(client.received()).toMatch(/\r\nlocation: \/docs\r\n/u)
  expect(await (await call(server, "/docs")).text()).toContain(
    "/v1/buckets/carts/docs/ops/lines.add"
  )
})

it("a wrong method on the root is told the right one", async () => {
  const response = await call(server, "/", { method: "POST" })
  expect(response.status).toBe(405)
  expect(response.headers.get("allow")).toContain("GET")
})
