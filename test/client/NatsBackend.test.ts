// Checks how a remote client finds the node to ask, and what it does when messages, nodes and
// connections are lost.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { NatsBackend } from "../../src/client/NatsBackend.ts"
import { BucketName } from "../../src/core/model/Names.ts"
import { InvalidRequest, NoAnswer } from "../../src/core/model/StoreError.ts"
import type { Any } from "../../src/core/strategy/Bucket.ts"
import type { TransportService } from "../../src/transport/Transport.ts"
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import { buckets, notes, shelves } from "../cluster/buckets.ts"
import { clusterName } from "../cluster/memoryCluster.ts"
import { Asked, SteppedCluster } from "../cluster/steppedCluster.ts"

const maxPayload = 64 * 1024
let stepped: SteppedCluster
let transport: TransportService
let backend: NatsBackend
/** Subjects of the requests that reached the broker, without what all have in common. */
let sent: Array<string>
/** Whether what the client publishes is lost. */
let loses: (subject: string) => boolean
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 5, buckets, maxPayload })
  transport = stepped.cluster.connect()
  loses = () => false
  sent = []
  const wired: TransportService = {
    ...transport,
    publish: (subject, data, reply) => {
      if (loses(subject)) return
      sent.push(subject.replace("everwrite.test.v1.", ""))
      transport.publish(subject, data, reply)
    }
  }
  backend = new NatsBackend({ runtime: stepped.runtime, transport: wired, cluster: clusterName })
  const outcomes: Array<string> = []
  backend.ready(() => outcomes.push("ready"), (error) => outcomes.push(error._tag), () => undefined)
  stepped.runtime.runReady()
  expect(outcomes).toEqual(["ready"])
  sent.length = 0
})
afterEach(() => {
  backend.close()
  stepped.stop()
})

const ask = (action: "read" | "write", bucket: Any, body: RequestBody): Asked => {
  const asked = new Asked()
  const request = { action, bucket: BucketName.make(bucket.name), body }
  backend.request(request, (outcome) => asked.outcomes.push(outcome))
  return asked
}
const settled = (asked: Asked): Asked => {
  stepped.runtime.runReady()
  return asked
}
const read = (key: string, more: Partial<RequestBody> = {}) => ask("read", notes, { key, ...more })
const put = (length: number) =>
  ask("write", notes, { key: "k", calls: [{ name: "put", args: ["ä".repeat(length)] }] })
const visit = (more: Partial<RequestBody> = {}): Asked =>
  ask("write", shelves, {
    key: "k",
    calls: [{ name: "visits.add", args: [1] }],
    ...more
  })
const visits = () =>
  stepped.read(stepped.nodesOf(shelves, "k").primaries[0]!, shelves, {
    key: "k",
    r: "all"
  }).answer.values
const forwards = () => [1, 2, 3, 4, 5].reduce((sum, at) => sum + stepped.counts(at).forwards, 0)

describe("a request", () => {
  it("goes straight to a primary of the document", () => {
    for (let i = 0; i < 20; i++) expect(settled(read(`k${i}`)).answer.values).toEqual([])
    for (const [i, subject] of sent.entries()) {
      const [first] = stepped.nodesOf(notes, `k${i}`).primaries
      expect(subject).toBe(`node.n${first}.read.notes.get`)
    }
    expect(forwards()).toBe(0)
  })

  it("for a bucket that was not there at the start goes to any node", () => {
    const other = { ...notes, name: "others" }
    expect(settled(ask("read", other, { key: "k" })).error).toMatchObject({ _tag: "UnknownBucket" })
    expect(sent).toEqual(["read.others.get"])
  })

  it("of a key that is none is refused by a node", () => {
    expect(settled(ask("read", notes, { key: { no: "key" } })).error)
      .toMatchObject({ _tag: "InvalidKey" })
  })

  it("and others of one turn to the same node and operation travel as one message", () => {
    const keys = Array.from({ length: 40 }, (_, i) => `k${i}`)
    const asked = keys.map((key) => read(key))
    stepped.runtime.runReady()
    for (const { answer } of asked) expect(answer.values).toEqual([])
    expect(sent.length).toBeLessThanOrEqual(5)
    expect(new Set(sent).size).toBe(sent.length)
  })

  it("that is too large for the broker fails at once, and no other with it", () => {
    const asked = [put(10), put(maxPayload / 2), put(10)]
    stepped.runtime.runReady()
    expect(asked[1]!.error).toBeInstanceOf(InvalidRequest)
    expect(asked[1]!.error).toMatchObject({ setting: "request" })
    expect([asked[0]!.answer.replied, asked[2]!.answer.replied]).toEqual([2, 2])
  })

  it("beside others that together are too large arrives all the same", () => {
    const asked = Array.from(
      { length: 30 },
      () =>
        ask("write", notes, { key: "k", calls: [{ name: "put", args: ["x".repeat(9_000)] }], w: 1 })
    )
    stepped.runtime.runReady()
    // Thirty siblings are more than the broker takes back: what counts is that each arrived.
    expect(stepped.held(notes, "k").map((held) => held?.store?.kind)).toContain("values")
    expect(
      stepped.read(stepped.nodesOf(notes, "k").primaries[0]!, notes, { key: "k" }).answer.siblings
    )
      .toBe(30)
    expect(asked.every(({ isOpen }) => !isOpen)).toBe(true)
  })
})

describe("a node that is dead", () => {
  it("is passed over at once, where the broker says so, and left alone for a while", () => {
    const [first, second] = stepped.nodesOf(notes, "k").primaries
    stepped.cut(first!)
    const asked = settled(read("k", { r: 1 }))
    expect(asked.answer.values).toEqual([])
    expect(sent).toEqual([`node.n${first}.read.notes.get`, `node.n${second}.read.notes.get`])
    settled(read("k", { r: 1 }))
    expect(sent[2]).toBe(`node.n${second}.read.notes.get`)
    stepped.heal()
    stepped.runtime.advance(1_000)
    settled(read("k", { r: 1 }))
    expect(sent[3]).toBe(`node.n${first}.read.notes.get`)
  })

  it("takes no write with it: another primary carries it out, once", () => {
    const [first] = stepped.nodesOf(shelves, "k").primaries
    stepped.cut(first!)
    expect(settled(visit()).answer.values).toMatchObject([{ visits: 1 }])
    stepped.runtime.advance(2_500)
    stepped.heal()
    expect(visits()).toMatchObject([{ visits: 1 }])
  })

  it("and all its kind: any other node takes the request, and names those it lacks", () => {
    const { primaries } = stepped.nodesOf(notes, "k")
    stepped.cut(...primaries)
    const asked = settled(read("k", { timeoutMillis: 300 }))
    expect(asked.isOpen).toBe(true)
    expect(sent.at(-1)).toBe("read.notes.get")
    stepped.runtime.advance(1_000)
    expect(asked.error).toMatchObject({ _tag: "QuorumNotMet", had: { r: 0 } })
  })

  it("and all the others: the client hears that there are no nodes", () => {
    stepped.cut(1, 2, 3, 4, 5)
    for (const asked of [settled(read("k")), settled(visit())]) {
      expect(asked.error).toBeInstanceOf(NoAnswer)
      expect(asked.error).toMatchObject({
        reason: "no node of the cluster answers",
        mayHaveApplied: false
      })
    }
  })
})

describe("a node that cannot", () => {
  it("leaves the request to another primary, and the client hears of none of it", () => {
    const [first, second] = stepped.nodesOf(shelves, "k").primaries
    const { storage } = stepped.nodes[first! - 1]!.core.options
    Object.assign(storage, {
      write: (_: unknown, done: (failure: unknown) => void) =>
        done({ kind: "full", detail: "of the test" })
    })
    expect(settled(visit()).answer.values).toMatchObject([{ visits: 1 }])
    // Each is asked for its mark first.
    expect([...new Set(sent)]).toEqual([
      `node.n${first}.write.shelves.visits.add`,
      `node.n${second}.write.shelves.visits.add`
    ])
  })

  it("because it stops leaves its requests to another primary, and is left alone", () => {
    const [first, second] = stepped.nodesOf(shelves, "k").primaries
    const asked = [visit(), ask("read", shelves, { key: "k" })]
    stepped.nodes[first! - 1]!.core.drain()
    stepped.runtime.runReady()
    expect(asked[0]!.answer.values).toMatchObject([{ visits: 1 }])
    expect(asked[1]!.isOpen).toBe(false)
    sent.length = 0
    expect(settled(visit()).answer.values).toMatchObject([{ visits: 2 }])
    expect(sent).toEqual([`node.n${second}.write.shelves.visits.add`])
  })
})

describe("a message that is lost", () => {
  it.each([["with the request", true], ["with the answer", false]])(
    "%s is sent again to the same node, which carries it out once",
    (_, lostRequest) => {
      // The node's mark is known from then on: before, it would only be asked for it.
      settled(visit())
      sent.length = 0
      let lost = 0
      if (lostRequest) loses = () => lost++ === 0
      else {
        for (const { core } of stepped.nodes) {
          const { publish } = core.options.transport
          Object.assign(core.options.transport, {
            publish: (...args: Parameters<typeof publish>) => {
              if (args[0].startsWith("_INBOX") && lost++ === 0) return
              publish(...args)
            }
          })
        }
      }
      const asked = settled(visit())
      expect(asked.isOpen).toBe(true)
      stepped.runtime.advance(700)
      expect(asked.answer.values).toMatchObject([{ visits: 2 }])
      expect(new Set(sent).size).toBe(1)
      expect(visits()).toMatchObject([{ visits: 2 }])
    }
  )

  it("by a read is sent to another primary", () => {
    const [first, second] = stepped.nodesOf(notes, "k").primaries
    loses = (subject) => subject.includes(`node.n${first}.`)
    const asked = settled(read("k"))
    stepped.runtime.advance(700)
    expect(asked.answer.values).toEqual([])
    expect(sent).toEqual([`node.n${second}.read.notes.get`])
  })

  it("for ever ends in no answer, which says of a write that it may have applied", () => {
    settled(visit())
    loses = () => true
    const asked = [read("k", { timeoutMillis: 1_000 }), visit({ timeoutMillis: 1_000 })]
    stepped.runtime.advance(1_400)
    expect(asked.map(({ isOpen }) => isOpen)).toEqual([true, true])
    stepped.runtime.advance(200)
    expect(asked.map(({ error }) => error)).toMatchObject([
      { _tag: "NoAnswer", mayHaveApplied: false },
      { _tag: "NoAnswer", mayHaveApplied: true }
    ])
  })

  it("that cannot be read is as good as lost", () => {
    const asked = read("k")
    for (const text of ["", "{", "[1,null,{}]", "{\"id\":1}", "{\"id\":\"x\",\"values\":[]}"]) {
      const { publish } = transport
      loses = (subject) => subject.startsWith("everwrite") && asked.isOpen
      publish("_INBOX.absent", new TextEncoder().encode(text))
    }
    stepped.runtime.runReady()
    loses = () => false
    stepped.runtime.advance(700)
    expect(asked.answer.values).toEqual([])
  })
})

/** The message has left, as far as its client knows, and the node dies before it answers. */
const whileDying = (more: Partial<RequestBody>): Asked => {
  settled(visit())
  const [first] = stepped.nodesOf(shelves, "k").primaries
  loses = (subject) => subject.includes(`node.n${first}.`)
  const asked = settled(visit(more))
  loses = () => false
  stepped.cut(first!)
  for (let i = 0; i < 60 && asked.isOpen; i++) stepped.runtime.advance(20)
  return asked
}

describe("a write whose node does not answer", () => {
  it("goes to another node, and is applied once, though the first gets it late", () => {
    settled(visit())
    const [first, second] = stepped.nodesOf(shelves, "k").primaries
    const held: Array<() => void> = []
    const { core } = stepped.nodes[first! - 1]!
    const { publish } = core.options.transport
    Object.assign(core.options.transport, {
      publish: (...args: Parameters<typeof publish>) => void held.push(() => publish(...args))
    })
    sent.length = 0
    const asked = visit({ w: 1 })
    for (let i = 0; i < 100 && asked.isOpen && sent.at(-1)?.includes(`n${second}`) !== true; i++) {
      stepped.runtime.advance(20)
    }
    expect(sent.at(-1)).toBe(`node.n${second}.write.shelves.visits.add`)
    expect(asked.isOpen).toBe(true)
    Object.assign(core.options.transport, { publish })
    for (const release of held) release()
    stepped.runtime.advance(2_000)
    expect(asked.answer.values).toMatchObject([{ visits: 2 }])
    expect(visits()).toMatchObject([{ visits: 2 }])
  })

  it("is in doubt at once where the broker says that its node is gone", () => {
    expect(whileDying({}).error).toMatchObject({ _tag: "OperationUnknown", mayHaveApplied: true })
  })

  it("is applied elsewhere where its user prefers a second time to not knowing", () => {
    expect(whileDying({ ifUnknown: "apply" }).answer.values).toMatchObject([{ visits: 2 }])
  })
})

describe("a connection that breaks", () => {
  it("has open requests sent again as soon as it is back, and carried out once", () => {
    stepped.cluster.disconnect(transport)
    const asked = [settled(visit()), settled(read("k"))]
    expect(asked.map(({ isOpen }) => isOpen)).toEqual([true, true])
    stepped.runtime.advance(100)
    stepped.cluster.reconnect(transport)
    stepped.runtime.runReady()
    expect(asked[0]!.answer.values).toMatchObject([{ visits: 1 }])
    expect(asked[1]!.answer.values).toEqual([])
    expect(visits()).toMatchObject([{ visits: 1 }])
  })
})

describe("a client that closes", () => {
  it("answers open requests, once, and ends its subscriptions", () => {
    loses = () => true
    const asked = [read("k"), visit()]
    backend.close()
    backend.close()
    expect(asked.map(({ error }) => error._tag)).toEqual(["Closed", "Closed"])
    stepped.runtime.advance(10_000)
    expect(asked.map(({ outcomes }) => outcomes.length)).toEqual([1, 1])
  })
})
