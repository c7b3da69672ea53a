// Checks that a document with a history too large for a header can be read, written and deleted by
// HTTP, and that a caller whose headers are too large is told so.
import { request as httpRequest } from "node:http"
import { beforeAll, describe, expect, it } from "vitest"
import { HttpBackend } from "../../src/client/HttpBackend.ts"
import type { Backend } from "../../src/client/Backend.ts"
import { actor } from "../../src/core/clock/Dot.ts"
import * as Document from "../../src/core/crdt/Document.ts"
import { Incarnation } from "../../src/core/model/Incarnation.ts"
import { encodeKey } from "../../src/core/model/KeyFields.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { rowKeyOf } from "../../src/core/ring/Partition.ts"
import { read, write } from "../cluster/asked.ts"
import { notes } from "../cluster/buckets.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { call, problemIn } from "./served.ts"
import { useServedCluster } from "./servedCluster.ts"

const server = useServedCluster()
let far: Backend

beforeAll(async () => {
  far = new HttpBackend({ runtime: liveRuntime, url: server.url })
})

const contextOf = ({ headers }: Response): string => headers.get("everwrite-context") ?? ""

const docs = "/v1/buckets/notes/docs"

/** A note at every replica, with a value, after writes in `incarnations` incarnations of a node. */
const noteOf = async (key: string, incarnations: number): Promise<void> => {
  const actors = Array.from({ length: incarnations }, (_, i) =>
    actor({
      node: NodeId.make("n1"),
      incarnation: Incarnation.make(`0mi8${String(i).padStart(11, "0")}`),
      birth: 1
    }))
  const document: Document.Document = {
    ...Document.empty,
    context: new Map(actors.map((name) => [name, 1])),
    store: {
      kind: "values",
      siblings: [{ actor: actors[0]!, counter: 1, stamp: 0, value: "\"old\"" }]
    }
  }
  for (const { core } of server.cluster.nodes) {
    const { partitionCount } = core.view.ring
    const row = rowKeyOf({
      bucket: notes.name,
      key: encodeKey(notes.definition.key, key),
      partitionCount
    })
    await new Promise((resolve) => core.replica.join({ key: row, document }, resolve))
  }
}

const post = (action: string, json: object): Promise<Response> =>
  call(server, `/v1/buckets/notes/${action}`, { method: "POST", json })

describe("a document of 600 incarnations", () => {
  it("is read, replaced, read again in a session and deleted by our client", async () => {
    await noteOf("ours", 600)
    const seen = await read(far, "notes", { key: "ours" })
    expect(seen.values).toEqual(["old"])
    expect(seen.context.length).toBeGreaterThan(lan.http.headersBytesMax)
    const put = { key: "ours", op: "put", args: ["new"], context: seen.context }
    const replaced = await write(far, "notes", put)
    expect(replaced.values).toEqual(["new"])
    const after = [seen.context, replaced.context]
    expect((await read(far, "notes", { key: "ours", after })).values).toEqual(["new"])
    const gone = { key: "ours", op: "delete", context: replaced.context, w: "all" } as const
    expect((await write(far, "notes", gone)).values).toEqual([])
  })

  it("gives a plain reader its value, and says that the context is left out", async () => {
    await noteOf("plain", 600)
    for (const path of [docs, "/v1/buckets/notes/siblings"]) {
      const response = await call(server, `${path}?key=plain`)
      expect(response.status).toBe(200)
      expect(response.headers.get("everwrite-context")).toBeNull()
      expect(Number(response.headers.get("everwrite-context-omitted"))).toBeGreaterThan(16_384)
    }
    const put = await call(server, `${docs}?key=plain`, { method: "PUT", json: "more" })
    expect([put.status, await put.json()]).toEqual([200, { siblings: ["old", "more"] }])
    expect(put.headers.get("everwrite-context")).toBeNull()
  })

  it("is read and replaced by any program that carries its context in bodies", async () => {
    await noteOf("program", 600)
    const seen = Object(await (await post("read", { key: "program" })).json())
    const calls = [{ name: "put", args: ["new"] }]
    const written = await post("write", { key: "program", calls, context: seen.context })
    expect(await written.json()).toMatchObject({ values: ["new"], siblings: 1 })
  })
})

describe("a context that fits a header", () => {
  it("comes in it, and goes back in it", async () => {
    await noteOf("small", 150)
    const headers = { "everwrite-context": contextOf(await call(server, `${docs}?key=small`)) }
    expect(headers["everwrite-context"].length).toBeGreaterThan(4_000)
    const options = { method: "PUT", json: "new", headers }
    expect(await (await call(server, `${docs}?key=small`, options)).json()).toBe("new")
  })
})

describe("headers that are too large", () => {
  it("are refused with a problem that says where a context goes instead", async () => {
    const { port } = server
    const problem = await new Promise((resolve, reject) => {
      const headers = { "everwrite-context": "x".repeat(20_000) }
      const sent = httpRequest({ port, path: `${docs}?key=k`, headers }, (response) => {
        let body = ""
        response.on("data", (text) => void (body += text))
        response.on("end", () => resolve({ status: response.statusCode, ...JSON.parse(body) }))
      })
      sent.on("error", reject).end()
    })
    expect(problem).toMatchObject({
      status: 431,
      title: "Headers too large",
      detail: expect.stringContaining("/v1/buckets/BUCKET/read")
    })
  })
})

describe("a request in a body", () => {
  it.each([
    ["read", { key: "k", calls: [{ name: "put", args: ["x"] }] }, "calls"],
    ["read", { key: "k", args: ["x"] }, "calls"],
    ["write", { key: "k" }, "calls"],
    ["write", { key: "k", args: ["x"] }, "calls"],
    ["write", { calls: [] }, "key"],
    ["read", [], "body"],
    ["read", { key: "k", after: "x" }, "after"]
  ])("to %s that is %j is refused by name", async (action, json, setting) => {
    const response = await post(action, json)
    expect(await problemIn(response)).toMatchObject({ status: 400, setting })
  })
})
