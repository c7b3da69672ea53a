// Checks who may ask by HTTP: pages of other sites may not, and beyond loopback a token is needed.
import * as fc from "fast-check"
import { afterEach, describe, expect, it } from "vitest"
import { HttpBackend } from "../../src/client/HttpBackend.ts"
import { readTokens } from "../../src/http/AccessTokens.ts"
import type { ServeOptions } from "../../src/http/Server.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { call, problemIn, startServer, type TestServer } from "./served.ts"
import { useServedCluster } from "./servedCluster.ts"
import { exchange, statusesIn } from "./wire.ts"

const server = useServedCluster()
const others: Array<TestServer> = []

afterEach(async () => {
  for (const other of others.splice(0)) await other.stop()
})

const serverWith = async (options: Partial<ServeOptions>): Promise<TestServer> => {
  const other = await startServer({ backend: server.cluster.backends[0]!, ...options })
  others.push(other)
  return other
}

const path = "/v1/buckets/shelves/docs?key=k"

const request = (...headers: ReadonlyArray<string>): string =>
  `GET ${path} HTTP/1.1\r\n${headers.join("\r\n")}\r\nconnection: close\r\n\r\n`

const statusOf = async (
  to: Pick<TestServer, "port">,
  ...headers: ReadonlyArray<string>
): Promise<number> => statusesIn(await exchange(to, request(...headers)))[0] ?? 0

describe("a node on loopback", () => {
  it.each(["localhost", "LOCALHOST", "localhost:7420", "127.0.0.1", "127.0.0.1:80", "[::1]:7420"])(
    "answers under the name %s",
    async (host) => {
      expect(await statusOf(server, `host: ${host}`)).toBe(404)
    }
  )

  it.each([
    "attacker.example",
    "attacker.example:7420",
    "localhost.attacker.example",
    "127.0.0.1.attacker.example",
    "localhost@attacker.example",
    "attacker.example#localhost",
    "10.0.0.1",
    "[::2]",
    ""
  ])("refuses a page that reaches it under the name %j", async (host) => {
    const status = await statusOf(server, `host: ${host}`)
    expect([400, 421]).toContain(status)
  })

  it("answers no name that is not its own, whatever the name", async () => {
    const name = fc.domain().filter((domain) => domain.toLowerCase() !== "localhost")
    await fc.assert(
      fc.asyncProperty(name, async (host) => {
        expect(await statusOf(server, `host: ${host}`)).toBe(421)
      }),
      { numRuns: 30 }
    )
  })

  it("answers under a name that a setting adds", async () => {
    const named = await serverWith({ hosts: ["everwrite.internal"] })
    expect(await statusOf(named, "host: everwrite.internal:80")).toBe(404)
    expect(await statusOf(named, "host: other.internal")).toBe(421)
  })

  it("says which names it answers under", async () => {
    const answer = await exchange(server, request("host: attacker.example"))
    expect(answer).toMatch(/WrongHost.*localhost, 127\.0\.0\.1, \[::1\].*EVERWRITE_HTTP_HOSTS/u)
  })
})

describe("a request", () => {
  it("with two hosts is refused, be they equal or not", async () => {
    expect(await statusOf(server, "host: localhost", "host: localhost")).toBe(400)
    expect(await statusOf(server, "host: localhost", "host: attacker.example")).toBe(400)
  })

  it.each(["http://attacker.example", "null", "https://localhost:1", "file://", "x"])(
    "of a page from %s is refused",
    async (origin) => {
      expect(await statusOf(server, "host: localhost:7420", `origin: ${origin}`)).toBe(403)
    }
  )

  it.each([
    ["localhost:7420", "http://localhost:7420"],
    ["localhost", "http://localhost:80"],
    ["localhost", "https://localhost"],
    ["127.0.0.1:1", "http://127.0.0.1:1"]
  ])("to %s of the node's own page at %s is answered", async (host, origin) => {
    expect(await statusOf(server, `host: ${host}`, `origin: ${origin}`)).toBe(404)
  })
})

it("no answer lets a browser guess its type", async () => {
  for (
    const asked of ["/livez", "/metrics", "/docs", "/openapi.json", "/nowhere", path, "/%ff"]
  ) {
    const response = await call(server, asked)
    await response.text()
    expect([asked, response.headers.get("x-content-type-options")]).toEqual([asked, "nosniff"])
  }
  expect(await exchange(server, "no http\r\n\r\n")).toContain("x-content-type-options: nosniff")
})

describe("where a token is asked for", () => {
  const [present, former] = ["present-token-0001", "former-token-00002"]
  const guarded = () => serverWith({ tokens: readTokens(`${present},${former}`) })

  it("either of the accepted tokens opens the way, as HTTP spells its scheme", async () => {
    const to = await guarded()
    for (const [scheme, token] of [["Bearer", present], ["bearer", former], ["BEARER", present]]) {
      expect((await call(to, path, { headers: { authorization: `${scheme} ${token}` } })).status)
        .toBe(404)
    }
  })

  it.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    `Bearer ${present}x`,
    `Bearer ${present.slice(1)}`,
    `Bearer ${present},${former}`,
    `Basic ${present}`,
    present
  ])("the credentials %j do not", async (authorization) => {
    const to = await guarded()
    const response = await call(to, path, {
      headers: authorization === undefined ? {} : { authorization }
    })
    expect(response.headers.get("www-authenticate")).toBe("Bearer")
    const text = await response.text()
    expect(text).toContain("NoAccess")
    for (const token of [present, former]) expect(text).not.toContain(token)
    expect(response.status).toBe(401)
  })

  it("health is told to all, and nothing else", async () => {
    const to = await guarded()
    for (const open of ["/livez", "/readyz"]) expect((await call(to, open)).status).toBe(200)
    const closed = ["/metrics", "/v1/cluster", "/docs", "/openapi.json", "/nowhere", "/livez/x"]
    for (const one of closed) expect((await problemIn(await call(to, one))).status).toBe(401)
  })

  it("our client sends it, and no error of its shows it", async () => {
    const to = await guarded()
    const ask = (token?: string) =>
      new Promise<unknown>((resolve) => {
        const given = token === undefined ? {} : { token }
        new HttpBackend({ runtime: liveRuntime, url: to.url, ...given }).describe(resolve)
      })
    expect(await ask(present)).toHaveProperty("members")
    const refused = await ask("wrong-token-000000")
    expect(refused).toBeInstanceOf(Error)
    expect(String(refused)).toMatch(/token/u)
    expect(JSON.stringify(refused)).not.toContain("wrong-token")
    expect(await ask()).toBeInstanceOf(Error)
  })
})
