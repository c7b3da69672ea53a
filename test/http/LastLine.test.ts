// Checks that each answer of JSON ends its line, once, and is as long as its headers say.
import { expect, it } from "vitest"
import { buckets } from "../cluster/buckets.ts"
import { call } from "./served.ts"
import { useServedCluster } from "./servedCluster.ts"
import { openWire } from "./wire.ts"
import { until } from "../tooling/until.ts"

const server = useServedCluster({ buckets })

const docs = "/v1/buckets/notes/docs"

/** The answer ends with one newline, and its length counts it. */
const expectLine = async (response: Response, status: number): Promise<void> => {
  expect(response.status).toBe(status)
  expect(response.headers.get("content-type")).toMatch(/json/u)
  const text = await response.text()
  expect(text).toMatch(/[^\n]\n$/u)
  expect(Number(response.headers.get("content-length"))).toBe(Buffer.byteLength(text))
}

it.each([
  [docs, 200],
  [`${docs}?key=absent`, 404],
  ["/v1/buckets/nosuch/docs?key=k", 404],
  ["/nosuch", 404],
  ["/v1/buckets", 200],
  ["/v1/buckets/notes", 200],
  ["/v1/buckets/notes/keys", 200],
  ["/v1/cluster", 200],
  ["/v1/explain?bucket=notes&key=k", 200],
  ["/openapi.json", 200],
  [`${docs}?key=k&W=3`, 400]
])("GET %s", async (path, status) => {
  const query = { key: "k" }
  await call(server, docs, { method: "PUT", query, json: "größer" })
  const isDocument = path === docs
  await expectLine(await call(server, path, isDocument ? { query } : {}), status)
})

it.each(["read", "write"])("POST to %s", async (action) => {
  const json = action === "read"
    ? { key: "k" }
    : { key: "k", calls: [{ name: "put", args: ["x"] }] }
  await expectLine(
    await call(server, `/v1/buckets/notes/${action}`, { method: "POST", json }),
    200
  )
})

it("an answer to bytes that are no request", async () => {
  const client = openWire(server)
  client.socket.write("garbage\r\n\r\n")
  await until("the connection ends", client.closed)
  const [head = "", body = ""] = client.received().split("\r\n\r\n")
  expect(body).toMatch(/^\{.*\}\n$/u)
  expect(head).toContain(`content-length: ${body.length}`)
})

it("a reader that has the answer is told so by its tag, and HEAD has the same length", async () => {
  const query = { key: "tagged" }
  await call(server, docs, { method: "PUT", query, json: "x" })
  const read = await call(server, docs, { query })
  const tag = read.headers.get("etag") ?? ""
  const again = await call(server, docs, { query, headers: { "if-none-match": tag } })
  expect([again.status, await again.text()]).toEqual([304, ""])
  const headers = await call(server, docs, { method: "HEAD", query })
  expect(headers.headers.get("content-length")).toBe(String((await read.text()).length))
})
