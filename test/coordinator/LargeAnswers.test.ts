// Checks how a node answers clients over NATS with more than fits into one message of the broker.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { TransportService } from "../../src/transport/Transport.ts"
import { buckets } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

const maxPayload = 4_096
const answersWaitingBytesMax = 60_000
const limits = { answersWaitingBytesMax, partsInFlightBytesMax: 10_000 }
/** That all messages together fill several times. */
const large = (letter: string) => letter.repeat(3_000)

let stepped: SteppedCluster
let client: TransportService
let answers: Array<string>
let room: number
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets, maxPayload, limits })
  room = Infinity
  for (const { core } of stepped.nodes) {
    Object.assign(core.options.transport, { answerRoom: () => room })
  }
  client = stepped.cluster.connect()
  answers = []
  client.subscribe("inbox.>", ({ data, noResponders }) => {
    expect(data.length).toBeLessThanOrEqual(maxPayload)
    if (!noResponders) answers.push(Buffer.from(data).toString("latin1"))
  })
  stepped.runtime.runReady()
})
afterEach(() => stepped.stop())

const publish = (subject: string, body: unknown, reply = "inbox.1") => {
  const data = new TextEncoder().encode(JSON.stringify(body))
  client.publish(`everwrite.test.v1.node.n1.${subject}`, data, reply)
  stepped.runtime.runReady()
}

/** The answers to a request, of which each is one message. */
const send = (subject: string, body: unknown): ReadonlyArray<any> => {
  answers.length = 0
  publish(subject, body)
  return answers.flatMap((text) => JSON.parse(text))
}

/** Puts answers together as any client may: by the line that begins each part. */
const assembled = (): ReadonlyArray<any> => {
  const runs = new Map<string, Array<string>>()
  const whole: Array<string> = []
  for (const text of answers) {
    if (!text.startsWith(`{"part":`)) {
      whole.push(text)
      continue
    }
    const end = text.indexOf("\n")
    const { of, part, run } = JSON.parse(text.slice(0, end))
    const pieces = runs.get(run) ?? []
    runs.set(run, pieces)
    pieces[part - 1] = text.slice(end + 1)
    if (Object.keys(pieces).length === of) whole.push(pieces.join(""))
  }
  return whole.flatMap((text) => JSON.parse(Buffer.from(text, "latin1").toString()))
}

const ask = (subject: string, body: object): any => {
  answers.length = 0
  publish(subject, { ...body, answerBytesMax: 1_000_000 })
  const found = assembled()
  expect(found.length).toBe(1)
  return found[0]
}

/** Three siblings that fill several messages, and their context. */
const disagree = (key = "k"): string => {
  for (const letter of ["a", "b", "c"]) {
    send("write.notes.put", { key, args: [large(letter)] })
  }
  return ask("read.notes.get", { key }).context
}

/** As many answers wait for as many clients as may. */
const waitForRoom = () => {
  room = 1
  for (let i = 0; i < 10; i++) {
    publish("read.notes.get", { id: i, key: "k", answerBytesMax: 1_000_000 }, `inbox.slow${i}.1`)
  }
}

const operationId = { session: "shopper", sequence: 1 }

describe("a write whose answer is more than its client takes", () => {
  it("is answered with a context and no value, the same again when it is sent again", () => {
    disagree()
    const add = { id: 7, key: "k", args: ["d"], operationId }
    for (const _ of ["first", "again", "and again"]) {
      const [answer] = send("write.notes.put", add)
      expect(answer).toMatchObject({ id: 7, unshown: true, replied: 2, node: "n1" })
      expect(answer.context).toMatch(/^[\w-]+$/u)
      expect(answer).not.toHaveProperty("values")
    }
    const all = ask("read.notes.get", { key: "k" })
    expect(all.values.map((text: string) => text.length)).toEqual([3_000, 3_000, 3_000, 1])
    const [{ context }] = send("write.notes.put", add)
    expect(send("write.notes.delete", { key: "k", context })).toMatchObject([{ values: [] }])
  })

  it("is answered so among others of its message, and each other with its value", () => {
    disagree()
    const bodies = [{ id: 1, key: "small", args: ["x"] }, { id: 2, key: "k", args: ["d"] }]
    expect(send("write.notes.put", bodies)).toMatchObject([
      { id: 1, values: ["x"] },
      { id: 2, unshown: true }
    ])
  })

  it("is answered so where too many answers wait for clients", () => {
    disagree()
    waitForRoom()
    const put = { id: 7, key: "k", args: ["d"], answerBytesMax: 1_000_000 }
    expect(send("write.notes.put", put)).toMatchObject([{ id: 7, unshown: true }])
    expect(send("read.notes.get", { id: 8, key: "k", answerBytesMax: 1_000_000 })).toMatchObject([
      { id: 8, error: { _tag: "Overloaded", node: "n1" } }
    ])
  })
})

describe("a read whose answer is more than its client takes", () => {
  it("is refused with an error that says how to ask for it", () => {
    disagree()
    expect(send("read.notes.get", { id: 5, key: "k" })).toMatchObject([{
      id: 5,
      error: {
        _tag: "InvalidRequest",
        setting: "answer",
        expected: expect.stringMatching(/4094 bytes.*answerBytesMax/u)
      }
    }])
  })
})

describe("an error whose text is more than its client takes", () => {
  it("is told by its name, and says whether the write may have applied", () => {
    const fingerprint = "f".repeat(3_980)
    expect(send("write.notes.put", { id: 1, key: "k", args: ["x"], fingerprint })).toMatchObject([{
      id: 1,
      error: {
        _tag: "NoAnswer",
        reason: expect.stringContaining("BucketMismatch"),
        mayHaveApplied: false
      }
    }])
    expect(ask("write.notes.put", { id: 1, key: "k", args: ["x"], fingerprint: fingerprint }))
      .toMatchObject({ error: { _tag: "BucketMismatch", actual: fingerprint } })
  })
})

describe("an answer in parts", () => {
  it("comes to every question that can be asked", () => {
    disagree()
    const keys = Array.from({ length: 20 }, (_, i) => `${i}`.padEnd(400, "k"))
    for (const key of keys) send("write.notes.put", { key, args: ["x"] })
    expect(ask("read.notes.get", { id: 3, key: "k" })).toMatchObject({ id: 3, siblings: 3 })
    expect(ask("read.notes.list", { id: 4 }).page.keys).toHaveLength(21)
    expect(ask("read.notes.explain", { id: 5, key: "k" })).toMatchObject({
      id: 5,
      explanation: { joined: { values: { length: 3 } } }
    })
    const text = "{\"answerBytesMax\":1000000}"
    answers.length = 0
    client.publish("everwrite.test.v1.cluster.describe", Buffer.from(text), "inbox.1")
    stepped.runtime.runReady()
    expect(assembled()).toMatchObject([{ cluster: "test" }])
  })

  it("names the request that it answers in each part", () => {
    disagree()
    ask("read.notes.get", { id: 3, key: "k" })
    const parts = answers.filter((text) => text.startsWith(`{"part":`))
    expect(parts.length).toBe(3)
    for (const text of parts) expect(text.slice(0, 200)).toContain(`,"id":3}\n`)
  })

  it("waits for room, and other clients' answers do not wait with it", () => {
    disagree()
    Object.assign(stepped.nodes[0]!.core.options.transport, {
      answerRoom: (reply: string) => reply.startsWith("inbox.slow.") ? room : Infinity
    })
    answers.length = 0
    room = 1
    publish("read.notes.get", { id: 1, key: "k", answerBytesMax: 1_000_000 }, "inbox.slow.1")
    expect(answers).toEqual([])
    expect(stepped.nodes[0]!.core.requests.answerParts.bytes).toBeGreaterThan(9_000)
    expect(ask("read.notes.get", { id: 2, key: "k" })).toMatchObject({ id: 2, siblings: 3 })
    answers.length = 0
    room = Infinity
    stepped.runtime.advance(100)
    expect(assembled()).toMatchObject([{ id: 1, siblings: 3 }])
    expect(stepped.nodes[0]!.core.requests.answerParts.bytes).toBe(0)
  })

  it("is dropped after a while where there is never room", () => {
    disagree()
    answers.length = 0
    room = 1
    publish("read.notes.get", { id: 1, key: "k", answerBytesMax: 1_000_000 })
    stepped.runtime.advance(6_000)
    room = Infinity
    stepped.runtime.advance(1_000)
    expect(answers).toEqual([])
    expect(stepped.nodes[0]!.core.requests.answerParts).toEqual({ bytes: 0, dropped: 1 })
  })

  it("is one of few that wait: a read beyond them is refused", () => {
    disagree()
    waitForRoom()
    const { bytes } = stepped.nodes[0]!.core.requests.answerParts
    expect(bytes).toBeGreaterThan(answersWaitingBytesMax / 3)
    expect(bytes).toBeLessThanOrEqual(answersWaitingBytesMax)
  })
})
