// Checks how a node treats clients over NATS to whom more answers are under way than their share.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { TransportService } from "../../src/transport/Transport.ts"
import { buckets } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
let client: TransportService
let answers: Array<any>
/** Bytes that an answer to each reply subject may have; Infinity where none is set. */
let rooms: Map<string, number>
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets })
  rooms = new Map()
  const answerRoom = (reply: string) => rooms.get(reply) ?? Infinity
  for (const { core } of stepped.nodes) Object.assign(core.options.transport, { answerRoom })
  client = stepped.cluster.connect()
  answers = []
  client.subscribe("inbox.*", ({ data, noResponders }) => {
    if (!noResponders) answers.push(JSON.parse(new TextDecoder().decode(data)))
  })
  stepped.runtime.runReady()
})
afterEach(() => stepped.stop())

const send = (subject: string, body: unknown, reply = "inbox.slow"): any => {
  answers.length = 0
  const data = new TextEncoder().encode(JSON.stringify(body))
  client.publish(`everwrite.test.v1.node.n1.${subject}`, data, reply)
  stepped.runtime.runReady()
  return answers[0]
}

const refusal = {
  error: { _tag: "Overloaded", node: "n1", retryAfterMillis: 100 }
}
const server = () => stepped.nodes[0]!.core.requests

describe("a client that takes no answers", () => {
  it("is refused its reads at once, and others are not", () => {
    send("write.notes.put", { key: "k", args: ["x"] })
    rooms.set("inbox.slow", 0)
    const { reads } = stepped.counts(1)
    expect(send("read.notes.get", { id: 5, key: "k" })).toMatchObject({ id: 5, ...refusal })
    expect(send("read.notes.list", {})).toMatchObject(refusal)
    expect(send("read.notes.explain", { key: "k" })).toMatchObject(refusal)
    expect(stepped.counts(1).reads).toBe(reads)
    expect(server().congested()).toBe(3)
    expect(send("read.notes.get", { key: "k" }, "inbox.other")).toMatchObject({ values: ["x"] })
    rooms.clear()
    expect(send("read.notes.get", { key: "k" })).toMatchObject({ values: ["x"] })
  })

  it("has its writes carried out, since one that came before may have been", () => {
    rooms.set("inbox.slow", 0)
    expect(send("write.notes.put", { key: "k", args: ["x"] })).toMatchObject({ values: ["x"] })
  })

  it("gets as many answers of a batch as there is room for, and a refusal for each other", () => {
    send("write.notes.put", { key: "k", args: ["x".repeat(1_000)] })
    rooms.set("inbox.slow", 12_000)
    const batch = Array.from({ length: 40 }, (_, id) => ({ id, key: "k" }))
    const replies: ReadonlyArray<any> = send("read.notes.get", batch) ?? []
    const refused = replies.filter(({ error }) => error?._tag === "Overloaded")
    expect(replies.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual(batch.map(({ id }) => id))
    expect(replies.length - refused.length).toBeGreaterThan(1)
    expect(replies.length - refused.length).toBeLessThan(12)
    expect(server().congested()).toBe(refused.length)
  })
})

describe("a reply subject that is one of the system's, or of the broker's", () => {
  const subjects = [
    "everwrite.test.v1.peer.n2.from.n1",
    "everwrite.other.v1.write.notes.put",
    "$JS.API.STREAM.PURGE.orders",
    "$SYS.REQ.SERVER.PING"
  ]

  it.each(subjects)("gets no answer of a node: %s", (reply) => {
    const seen: Array<string> = []
    client.subscribe(reply, ({ noResponders, subject }) => {
      if (!noResponders) seen.push(subject)
    })
    const before = server().refused()
    send("read.notes.get", { key: "k" }, reply)
    send("no.request", {}, reply)
    for (const verb of ["PING", "INFO", "STATS"]) {
      client.publish(`$SRV.${verb}`, new Uint8Array(0), reply)
    }
    stepped.runtime.runReady()
    expect(seen).toEqual([])
    expect(server().refused()).toBe(before + 2)
  })
})
