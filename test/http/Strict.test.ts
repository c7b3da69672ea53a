// Checks that a request is read as its bytes say, or refused: nothing in it is guessed or repaired.
import { connect } from "node:net"
import { describe, expect, it } from "vitest"
import * as Schema from "effect/Schema"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { buckets } from "../cluster/buckets.ts"
import { call, problemIn } from "./served.ts"
import { useServedCluster } from "./servedCluster.ts"

/** Keys whose parts have several texts in their schemas. */
const days = Bucket.lww("days", {
  key: Key.make({ partition: { day: Schema.Date }, sort: { place: Schema.Int } }),
  value: Schema.Json
})

const server = useServedCluster({ buckets: [...buckets, days] })

const docs = "/v1/buckets/notes/docs"

/** The status and the body that answer a request whose target is sent as it is. */
const sent = (target: string): Promise<{ readonly status: number; readonly text: string }> =>
  new Promise((resolve, reject) => {
    const socket = connect(server.port, "127.0.0.1")
    let answer = ""
    socket.on("data", (bytes) => void (answer += bytes.toString("utf8")))
    socket.on("error", reject)
    socket.on("close", () => {
      const [top = "", text = ""] = answer.split("\r\n\r\n")
      resolve({ status: Number(top.split(" ")[1]), text })
    })
    socket.write(`GET ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`, "latin1")
  })

describe("a request is refused, and the fault named, when it has", () => {
  it.each([
    ["malformed percent-encoding in a key", `${docs}?key=al%FG`, "key"],
    ["half a percent-encoding in a key", `${docs}?key=al%f`, "key"],
    ["bytes in a key that are no UTF-8", `${docs}?key=al%FF`, "key"],
    ["half a character in a key", `${docs}?key=%F0%9F%98`, "key"],
    ["a surrogate in a key", `${docs}?key=%ED%A0%80`, "key"],
    ["an overlong encoding in a key", `${docs}?key=%C0%AF`, "key"],
    ["malformed percent-encoding in a setting's name", `${docs}?key=a&%FF=1`, "query"],
    ["malformed percent-encoding in a path", "/v1/buckets/no%FFtes/docs?key=a", "path"],
    ["half a percent-encoding in a path", "/v1/buckets/notes/docs/ops/put%?key=a", "path"],
    ["a fragment", `${docs}?key=a#b`, "path"],
    ["a backslash in its path", "/v1\\buckets/notes/docs?key=a", "path"],
    ["two keys", `${docs}?key=a&key=b`, "key"],
    ["one key twice", `${docs}?key=a&%6Bey=a`, "key"],
    ["a cursor that is no UTF-8", "/v1/buckets/notes/keys?after=%FF", "after"],
    ["a key to explain that is no UTF-8", "/v1/explain?bucket=notes&key=%FF", "key"]
  ])("%s", async (_, target, setting) => {
    const { status, text } = await sent(target)
    expect([status, text]).toEqual([400, expect.stringContaining(`"setting":"${setting}"`)])
  })

  it("bytes beyond ASCII in a key, which Node refuses itself", async () => {
    expect(await sent(`${docs}?key=é`)).toMatchObject({ status: 400 })
  })
})

const putDay = (key: string, value: unknown) =>
  call(server, "/v1/buckets/days/docs", { method: "PUT", query: { key }, json: value })

const getDay = (key: string) => call(server, "/v1/buckets/days/docs", { query: { key } })

describe("a key", () => {
  it("is the text that is percent-encoded, with every character that a text can have", async () => {
    const keys = [
      "al%FF",
      "al%25FF",
      "a+b",
      "a b",
      "a&b=c",
      "a=b",
      "#",
      "é",
      "\u{1f600}",
      "%",
      "1.0"
    ]
    for (const key of keys) {
      const written = await call(server, docs.replace("notes", "profiles"), {
        method: "PUT",
        query: { key },
        json: { name: key }
      })
      expect(written.status).toBe(200)
    }
    for (const key of keys) {
      const target = `/v1/buckets/profiles/docs?key=${encodeURIComponent(key)}`
      expect(await sent(target)).toMatchObject({ status: 200 })
      expect(JSON.parse((await sent(target)).text)).toEqual({ name: key })
    }
  })

  it("is one document in each of its texts, where this node has the bucket's code", async () => {
    expect((await putDay(`{"day":"1970-01-01","place":1.0}`, "first")).status).toBe(200)
    const other = await getDay(`{"place":1e0,"day":"1970-01-01T00:00:00.000Z"}`)
    expect(await other.json()).toBe("first")
    for (
      const key of [
        `{"day":"nope","place":1}`,
        `{"day":"1970-01-01","place":9007199254740993}`,
        `{"day":"1970-01-01","place":1,"x":1}`,
        `{"day":"1970-01-01"}`,
        "1970-01-01"
      ]
    ) {
      const refused = await getDay(key)
      expect(refused.status).toBe(400)
      expect((await problemIn(refused)).type).toContain("InvalidKey")
    }
  })
})

describe("a number in a body", () => {
  it.each([
    ["PUT", "days/docs", `{"a":[1,1e400]}`, "$.a[1]"],
    ["PUT", "days/docs", `{"a":9007199254740993}`, "$.a"],
    ["PUT", "days/docs", `[1e-400]`, "$[0]"],
    ["POST", "shelves/docs/ops/label.set", `[{"a":1e400}]`, "$[0].a"],
    ["POST", "shelves/docs/ops/edit", `[{"name":"label.set","args":[{"a":1e400}]}]`, "$[0].a"],
    [
      "POST",
      "shelves/write",
      `{"key":"k","calls":[{"name":"label.set","args":[{"a":1e400}]}]}`,
      "$[0].a"
    ]
  ])("is refused where no double holds it: %s %s %s", async (method, path, body, at) => {
    const key = path.startsWith("days") ? `{"day":"1970-01-01","place":2}` : "k"
    const query: Readonly<Record<string, string>> = path.endsWith("/write") ? {} : { key }
    const refused = await call(server, `/v1/buckets/${path}`, { method, query, body })
    expect(refused.status).toBe(422)
    expect(await problemIn(refused)).toMatchObject({ path: at })
  })

  it("is any double, and of equal names the last counts, escaped or not", async () => {
    const key = `{"day":"1970-01-01","place":3}`
    const body = `{"b":[1e21,1.5e300,9007199254740992,0.1],"a":1,"\\u0061":2,"a":3}`
    const options = { method: "PUT", query: { key }, body }
    const written = await call(server, "/v1/buckets/days/docs", options)
    expect(await written.text()).toBe(`{"a":3,"b":[1e+21,1.5e+300,9007199254740992,0.1]}\n`)
  })
})
