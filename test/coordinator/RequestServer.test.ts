// Checks how a node answers clients' messages over NATS: well made, badly made, and too large.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import * as Schema from "effect/Schema"
import { ReplyBody } from "../../schemas/ClientAnswer.ts"
import { anonymous } from "../../src/core/model/Principal.ts"
import type { TransportService } from "../../src/transport/Transport.ts"
import { buckets } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

const maxPayload = 16 * 1024
let stepped: SteppedCluster
let client: TransportService
let messages: Array<string>
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets, maxPayload })
  client = stepped.cluster.connect()
  messages = []
  listen()
})
afterEach(() => stepped.stop())

/** Keeps each answer, but not the broker's word that there are no subscribers. */
const listen = (): void => {
  client.subscribe("inbox", ({ data, noResponders }) => {
    if (!noResponders) messages.push(new TextDecoder().decode(data))
  })
  stepped.runtime.runReady()
}

/** Publishes a body to a subject of the cluster; returns the replies, each message parsed. */
const send = (subject: string, body: unknown, raw?: Uint8Array): ReadonlyArray<any> => {
  messages.length = 0
  const data = raw ?? new TextEncoder().encode(JSON.stringify(body))
  client.publish(`everwrite.test.v1.${subject}`, data, "inbox")
  stepped.runtime.runReady()
  return messages.map((message): unknown => JSON.parse(message))
}

const encoded = (text: string) => new TextEncoder().encode(text)

const invalid = (expected: string) => ({
  error: { _tag: "InvalidRequest", expected: expect.stringContaining(expected) }
})

describe("a request", () => {
  it("needs no more than a key, and a write its arguments", () => {
    const [written] = send("write.notes.put", { key: "hello", args: ["world"] })
    expect(written).toMatchObject({ values: ["world"], replied: 2, siblings: 1 })
    expect(written).not.toHaveProperty("id")
    const [found] = send("read.notes.get", { key: "hello" })
    expect(found).toMatchObject({ values: ["world"] })
    expect(Schema.is(ReplyBody)(found)).toBe(true)
  })

  it("reaches any node, or the one that its subject names", () => {
    const named = [1, 2, 3].map((nodeNumber) => {
      send(`node.n${nodeNumber}.read.notes.get`, { key: "k" })
      return stepped.counts(nodeNumber).reads
    })
    expect(named).toEqual([1, 1, 1])
    for (let i = 0; i < 30; i++) send("read.notes.get", { key: "k" })
    for (const nodeNumber of [1, 2, 3]) expect(stepped.counts(nodeNumber).reads).toBeGreaterThan(2)
  })

  it("is an anonymous client's, though its body claims a user", () => {
    const principals: Array<unknown> = []
    for (const { core: { coordinator } } of stepped.nodes) {
      const handle = coordinator.handle.bind(coordinator)
      coordinator.handle = (request, address) => {
        principals.push(request.principal)
        handle(request, address)
      }
    }
    send("read.notes.get", { key: "k", principal: { _tag: "NatsUser", name: "root" } })
    expect(principals).toEqual([anonymous])
  })

  it("among others of one message is answered by its id, together with them", () => {
    const bodies = [
      { id: 7, key: "a", args: ["x"] },
      { id: 8, key: 5, args: ["x"] },
      { id: 9, key: "b" },
      "nonsense",
      { id: 10, key: "c", args: ["z"] }
    ]
    const answers = send("write.notes.put", bodies).flat()
    const byId = new Map(answers.map((answer) => [answer.id, answer]))
    expect(byId.get(7)).toMatchObject({ values: ["x"] })
    expect(byId.get(8)).toMatchObject({ error: { _tag: "InvalidKey" } })
    expect(byId.get(9)).toMatchObject({ error: { _tag: "InvalidValue" } })
    expect(byId.get(10)).toMatchObject({ values: ["z"] })
    expect(byId.get(undefined)).toMatchObject({ error: { _tag: "InvalidRequest" } })
    expect(answers).toHaveLength(5)
    expect(messages.length).toBeLessThan(5)
  })

  it("must ask for the operation of its subject; several go by the name of edit", () => {
    const drop = { name: "delete", args: [] }
    const put = { name: "put", args: ["x"] }
    const ask = (subject: string, calls: ReadonlyArray<unknown>) =>
      send(subject, { key: "k", calls })[0]
    expect(ask("write.notes.put", [put])).toMatchObject({ values: ["x"] })
    expect(ask("write.notes.put", [drop])).toMatchObject(invalid("the operation of the subject"))
    expect(ask("write.notes.put", [put, drop])).toMatchObject(
      invalid("the operation of the subject")
    )
    expect(ask("write.notes.edit", [put, drop])).toMatchObject({ values: [] })
    expect(send("write.notes.burn", { key: "k" })[0]).toMatchObject({
      error: { _tag: "UnknownOperation", known: ["put", "delete"] }
    })
  })

  it("that reads is a read, with any operation or calls that it names", () => {
    const calls = [{ name: "put", args: ["x"] }]
    expect(send("read.notes.put", { key: "k", calls })[0]).toMatchObject({ values: [] })
  })
})

describe("a request with a number that no double holds as it is written", () => {
  it.each([
    [
      "write.notes.put",
      `{"id":1,"key":"k","args":[9007199254740993]}`,
      { _tag: "InvalidValue", bucket: "notes", path: "$[0]" }
    ],
    [
      "write.shelves.edit",
      `{"id":1,"key":"k","calls":[{"name":"label.set","args":[{"a":[0,1e-400]}]}]}`,
      { _tag: "InvalidValue", path: "$[0].a[1]", problem: expect.stringContaining("become 0") }
    ],
    [
      "read.rooms.get",
      `{"id":1,"key":{"hotel":"h","floor":1e400,"name":"n"}}`,
      { _tag: "InvalidKey", problem: expect.stringContaining("$.floor: ") }
    ],
    ["read.rooms.explain", `{"id":1,"key":{"floor":1e400}}`, { _tag: "InvalidKey" }],
    ["read.notes.get", `{"id":1,"key":"k","timeoutMillis":1e400}`, {
      _tag: "InvalidRequest",
      setting: "timeoutMillis"
    }]
  ])("is refused by %s with its path: %s", (subject, text, error) => {
    expect(send(subject, undefined, encoded(text))).toMatchObject([{ id: 1, error }])
  })

  it("does not keep others of its message from being answered", () => {
    const text = `[{"id":1,"key":"a","args":["x"]},{"id":2,"key":"b","args":[1e400]}]`
    const answers = send("write.notes.put", undefined, encoded(text)).flat()
    expect(answers.find(({ id }) => id === 1)).toMatchObject({ values: ["x"] })
    expect(answers.find(({ id }) => id === 2)).toMatchObject({ error: { _tag: "InvalidValue" } })
    expect(answers).toHaveLength(2)
  })
})

describe("a message that is no request", () => {
  it.each([
    ["no JSON", "read.notes.get", Uint8Array.of(123, 34), "JSON"],
    ["no text", "read.notes.get", Uint8Array.of(255, 254), "JSON"],
    ["nothing", "read.notes.get", new Uint8Array(0), "JSON"],
    ["a number", "read.notes.get", Uint8Array.of(55), "a request"],
    ["of an unknown kind", "cluster.explode", Uint8Array.of(123, 125), "describe"],
    ["of a subject with a bad bucket", "read.Notes.get", Uint8Array.of(123, 125), "a bucket"],
    ["of a subject without an operation", "read.notes", Uint8Array.of(123, 125), "a bucket"]
  ])("is told what was expected: %s", (_, subject, raw, expected) => {
    const answers = send(subject, undefined, raw)
    expect(answers).toMatchObject([invalid(expected)])
    expect(stepped.nodes.map(({ core }) => core.requests.refused()).toSorted((a, b) => a - b))
      .toEqual([0, 0, 1])
  })

  it("is told in a sentence and in the headers of a micro service, where it came alone", () => {
    const faults: Array<unknown> = []
    client.subscribe("inbox", ({ fault }) => faults.push(fault))
    const request = { key: "k", r: "two" }
    const message = expect.stringMatching(/^r is "two", expected [^\n]*$/u)
    expect(send("read.notes.get", request)).toMatchObject([{ error: { setting: "r", message } }])
    const description = expect.stringMatching(/^InvalidRequest: r is "two", expected/u)
    expect(faults).toEqual([{ code: 400, description }])
    const [[batched]] = send("read.notes.get", [request])
    expect(batched.error).not.toHaveProperty("message")
    send("read.nothing.get", { key: "k" })
    send("read.notes.get", { key: "k" })
    expect(faults.slice(1)).toEqual([
      undefined,
      { code: 404, description: "UnknownBucket: there is no bucket nothing here" },
      undefined
    ])
  })

  it("is ignored where no subscriber waits for an answer", () => {
    client.publish("everwrite.test.v1.read.notes.get", Uint8Array.of(1))
    client.publish("everwrite.test.v1.write.notes.put", new TextEncoder().encode("{\"key\":\"k\"}"))
    stepped.runtime.runReady()
    expect(stepped.nodes.map(({ core }) => core.requests.refused())).toEqual([0, 0, 0])
  })

  it("is refused where it is nested too deeply, and the node goes on", async () => {
    stepped.stop()
    stepped = await SteppedCluster.start({ nodes: 3, buckets })
    client = stepped.cluster.connect()
    listen()
    for (const depth of [33, 1_000, 2_000, 400_000]) {
      const nested = `${"[".repeat(depth)}${"]".repeat(depth)}`
      for (const text of [`{"key":"k","args":[${nested}]}`, `{"key":${nested}}`, nested]) {
        const [answer] = send("write.notes.put", undefined, new TextEncoder().encode(text))
        const { error } = [answer].flat()[0]
        // A body that is far too deep is not even parsed, which alone would take a second.
        const isUnread = error.expected === "JSON, nested at most 1024 levels"
        expect(isUnread).toBe(depth > 1_024)
      }
    }
    expect(send("read.notes.get", { key: "k" })[0]).toMatchObject({ values: [] })
  })
})

describe("an answer that is larger than the broker takes", () => {
  const large = "x".repeat(maxPayload - 1_000)
  beforeEach(() => {
    for (const value of [large, large]) send("write.notes.put", { key: "large", args: [value] })
    send("write.notes.put", { key: "small", args: ["y"] })
  })

  it("is an error that says so, with the id of its request", () => {
    const [answer] = send("read.notes.get", { id: 5, key: "large" })
    expect(answer).toMatchObject({
      id: 5,
      error: {
        _tag: "InvalidRequest",
        setting: "answer",
        expected: expect.stringContaining("16382")
      }
    })
  })

  it("spoils no other answer of the same message", () => {
    const bodies = [
      { id: 1, key: "small" },
      { id: 2, key: "large" },
      { id: 3, key: "small" },
      { id: 4, key: "huge" }
    ]
    const answers = send("read.notes.get", bodies).flat()
    expect(answers.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4])
    const byId = new Map(answers.map((answer) => [answer.id, answer]))
    expect(byId.get(1)).toMatchObject({ values: ["y"] })
    expect(byId.get(2)).toMatchObject({ error: { setting: "answer" } })
    expect(byId.get(3)).toMatchObject({ values: ["y"] })
  })

  it("leaves alone those that fit, however many there are", () => {
    const bodies = Array.from({ length: 400 }, (_, id) => ({ id, key: "small" }))
    const half = bodies.length / 2
    const answers = [bodies.slice(0, half), bodies.slice(half)]
      .flatMap((part) => send("read.notes.get", part).flat())
    expect(answers).toHaveLength(400)
    expect(answers.every(({ values }) => values[0] === "y")).toBe(true)
  })
})

describe("a node that drains", () => {
  it("leaves requests to any node to the others, and tells its own that it stops", () => {
    stepped.nodes[0]!.core.drain()
    for (let i = 0; i < 20; i++) {
      expect(send("read.notes.get", { key: `k${i}` })[0]).toMatchObject({ values: [] })
    }
    expect(stepped.counts(1).reads).toBe(0)
    expect(send("node.n1.read.notes.get", { id: 3, key: "k" }))
      .toMatchObject([{ id: 3, error: { _tag: "NodeUnavailable", node: "n1" } }])
    stepped.nodes[0]!.core.close()
    expect(send("node.n1.read.notes.get", { key: "k" })).toEqual([])
  })
})
