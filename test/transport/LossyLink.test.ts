// Checks what two linked nodes make of lost parts, greetings, clocks and keys of each other.
import { beforeEach, describe, expect, it } from "vitest"
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import { lan, type NodeLimits } from "../../src/core/model/Limits.ts"
import { ByteWriter } from "../../src/core/codec/Bytes.ts"
import { ClusterName, NodeId } from "../../src/core/model/Names.ts"
import * as Frame from "../../src/transport/Frame.ts"
import { makeMemoryBroker, type MemoryBroker } from "../../src/transport/MemoryTransport.ts"
import { PeerLink, type PeerLinkOptions } from "../../src/transport/PeerLink.ts"
import { writeMessage } from "../../src/transport/PeerMessageCodec.ts"
import { Subjects } from "../../src/transport/Subjects.ts"
import type { Message, TransportService } from "../../src/transport/Transport.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"
import { handlersOf } from "./handlersOf.ts"
import { sealOf, testSeal } from "./testSeals.ts"

const cluster = ClusterName.make("test")
const subjects = new Subjects(cluster)
const [n1, n2] = [NodeId.make("n1"), NodeId.make("n2")]
const ring = "00112233aabbccdd"
const { partsPauseMillis, sentRunMillis } = lan.node

let runtime: SteppedRuntime
let broker: MemoryBroker
/** Every frame that crossed the broker. */
let frames: Array<Message>
beforeEach(() => {
  runtime = new SteppedRuntime()
  broker = makeMemoryBroker(runtime, { maxPayload: 4096 })
  frames = []
  broker.connect().subscribe(">", (message) => frames.push(message))
  runtime.runReady()
})

/** A node's link with the requests that it took, in order. */
class Peer {
  readonly requests: Array<number> = []
  readonly heard: Array<readonly [least: number, greatest: number, reachedAt: number]> = []
  readonly otherKeys: Array<NodeId> = []
  readonly link: PeerLink

  constructor(node: NodeId, options: Partial<PeerLinkOptions> = {}) {
    this.link = new PeerLink({
      runtime,
      transport: broker.connect(),
      cluster,
      node,
      partitionCount: 16,
      limits: lan.node,
      seal: testSeal,
      isMember: (id) => id === n1 || id === n2,
      incarnation: () => `${node}incarnation`.padEnd(15, "0"),
      ringDigest: () => ring,
      handlers: handlersOf(({ request }) => this.requests.push(request)),
      onHeard: (_, least, told) => this.heard.push([least, told.greatestMillis, told.reachedAt]),
      onOtherKey: (from) => this.otherKeys.push(from),
      onHandlerFailure: (failure) => {
        throw failure
      },
      ...options
    })
    runtime.runReady()
  }
}

const stored = (request: number): PeerMessage => ({
  _tag: "Stored",
  request,
  durable: true,
  completeness: "complete"
})
const large = (request: number, length = 30_000): PeerMessage => ({
  _tag: "Forward",
  request,
  body: Uint8Array.from({ length }, (_, i) => i % 251)
})

let numbers = 0
const headerNow = (): Frame.FrameHeader => ({
  cluster,
  partitionCount: 16,
  senderIncarnation: "n1life000000000",
  number: ++numbers,
  receiverIncarnation: "",
  clockMillis: runtime.now()
})

const write = (message: PeerMessage): Uint8Array => {
  const writer = new ByteWriter()
  writeMessage(writer, message, ring)
  return writer.finish()
}

const deliver = (data: Uint8Array): void => {
  const subject = subjects.peer({ to: n2, from: n1 })
  testSeal.seal(subject, data)
  broker.connect().publish(subject, data)
  runtime.runReady()
}

/** Two nodes, of which the second does not receive the frames that `loses` names. */
const pair = (
  loses: (frame: Frame.Frame) => boolean,
  changes: Partial<NodeLimits> = {}
): readonly [Peer, Peer] => {
  const transport = broker.connect()
  const lossy: TransportService = {
    ...transport,
    subscribe: (subject, handler, options) =>
      transport.subscribe(subject, (message) => {
        if (!loses(Frame.decode(message.data))) handler(message)
      }, options)
  }
  const limits = { ...lan.node, ...changes }
  return [new Peer(n1, { limits }), new Peer(n2, { limits, transport: lossy })]
}

const partsSent = (): number =>
  frames.filter(({ data }) => Frame.decode(data).body._tag === "Part").length

describe("a message in parts of which some are lost", () => {
  const noQuestions = { partsAsksMax: 1, sentRunsBytesMax: 1, partsPauseMillis: 10_000 }

  it("is whole after the missing ones were asked for, and none but these are sent again", () => {
    let lost = 0
    const [a, b] = pair(({ body }) => body._tag === "Part" && body.index % 3 === 1 && ++lost <= 3)
    a.link.send(n2, large(5))
    runtime.runReady()
    const before = partsSent()
    expect(b.requests).toEqual([])
    runtime.advance(3 * partsPauseMillis)
    expect(b.requests).toEqual([5])
    expect(partsSent() - before).toBe(3)
    expect(a.link.stats()).toMatchObject({ partsResent: 3 })
    expect(b.link.stats()).toMatchObject({ partsAsked: 1, abandonedRuns: 0 })
  })

  it("is whole once each part came in any of its sendings", () => {
    let sending = 0
    const [a, b] = pair(
      ({ body }) => body._tag === "Part" && body.index % 2 !== sending,
      noQuestions
    )
    for (; sending < 2; sending++) {
      a.link.send(n2, large(5))
      runtime.runReady()
    }
    expect(b.requests).toEqual([5])
  })

  it("is not mixed with another version of it", () => {
    let sending = 0
    const [a, b] = pair(
      ({ body }) => body._tag === "Part" && body.index % 2 !== sending,
      noQuestions
    )
    for (; sending < 2; sending++) {
      a.link.send(n2, large(5 + sending))
      runtime.runReady()
    }
    expect(b.requests).toEqual([])
  })

  it("is asked for again where its receiver had no room for all that came at once", () => {
    const [a, b] = pair(() => false, { reassemblyBytesMax: 40_000 })
    const requests = [1, 2, 3, 4]
    for (const request of requests) a.link.send(n2, large(request))
    runtime.advance(sentRunMillis)
    expect(new Set(b.requests)).toEqual(new Set(requests))
    expect(b.requests).toHaveLength(4)
    expect(b.link.stats().partBytes).toBe(0)
    runtime.advance(sentRunMillis)
    expect(a.link.stats().partBytes).toBe(0)
  })

  it("is refused where its parts do not fit together, as its number shows", () => {
    const b = new Peer(n2)
    const content = write(large(5, 300))
    for (const [index, bytes] of [content.subarray(0, 200), content.subarray(200)].entries()) {
      deliver(Frame.encode(headerNow(), { _tag: "Part", transfer: 9, index, count: 2, bytes }))
    }
    expect(b.requests).toEqual([])
    expect(b.link.stats().refused.malformed).toBe(1)
  })
})

describe("the frames of two nodes", () => {
  it("show each how far the other's clock is ahead, at least and at most", () => {
    const a = new Peer(n1)
    const b = new Peer(n2, { runtime: runtime.seenWith(() => -700) })
    b.link.send(n1, stored(1))
    runtime.advance(1_000)
    a.link.send(n2, stored(2))
    runtime.advance(1_000)
    b.link.send(n1, stored(3))
    runtime.runReady()
    expect(a.heard).toEqual([[-700, Infinity, Infinity], [-700, -700, Infinity]])
  })

  it("show by a greeting which frames the other had got, and by an answer that it is up", () => {
    const [a, b] = [new Peer(n1), new Peer(n2)]
    runtime.advance(50)
    a.link.send(n2, stored(1))
    runtime.advance(50)
    b.link.greet(n1)
    b.link.send(n1, stored(2))
    runtime.advance(50)
    expect(a.heard.map(([, , reachedAt]) => reachedAt)).toEqual([50, Infinity])
  })

  it("are no greetings while others are sent", () => {
    const [a, b] = [new Peer(n1), new Peer(n2)]
    a.link.send(n2, stored(1))
    runtime.runReady()
    a.link.greet(n2)
    runtime.runReady()
    expect(b.heard).toHaveLength(1)
    a.link.greet(n2)
    runtime.runReady()
    expect(b.heard).toHaveLength(2)
  })
})

describe("nodes that begin new incarnations", () => {
  it("find each other again where both clocks went back before either told the other", () => {
    const incarnations = { n1: "n1incarnation09", n2: "n2incarnation09" }
    const a = new Peer(n1, { incarnation: () => incarnations.n1 })
    const b = new Peer(n2, { incarnation: () => incarnations.n2 })
    a.link.send(n2, stored(1))
    b.link.send(n1, stored(1))
    runtime.runReady()
    incarnations.n1 = "n1incarnation01"
    incarnations.n2 = "n2incarnation01"
    for (const request of [2, 3]) {
      a.link.send(n2, stored(request))
      runtime.runReady()
      b.link.send(n1, stored(request))
      runtime.runReady()
    }
    expect(a.requests).toContain(3)
    expect(b.requests).toContain(3)
    const sent = frames.length
    runtime.advance(60_000)
    expect(frames).toHaveLength(sent)
  })
})

describe("nodes with different keys", () => {
  const [old, next] = ["of the last year", "of this year"]

  it("take nothing of each other, both notice, and neither answers", () => {
    const [a, b] = [new Peer(n1, { seal: sealOf(old) }), new Peer(n2, { seal: sealOf(next) })]
    a.link.send(n2, stored(1))
    b.link.send(n1, stored(2))
    runtime.runReady()
    expect([a.requests, b.requests, a.heard, b.heard]).toEqual([[], [], [], []])
    expect([a.otherKeys, b.otherKeys]).toEqual([[n2], [n1]])
    expect([a, b].map(({ link }) => link.stats().refused.otherKey)).toEqual([1, 1])
    expect(frames).toHaveLength(2)
  })

  it.each([
    ["a second one is made known", sealOf(old), sealOf(old, next)],
    ["the second one comes to seal", sealOf(next, old), sealOf(old, next)],
    ["the first one is retired", sealOf(next), sealOf(next, old)]
  ])("take each other's frames while %s", (_, sealOfA, sealOfB) => {
    const [a, b] = [new Peer(n1, { seal: sealOfA }), new Peer(n2, { seal: sealOfB })]
    a.link.send(n2, stored(1))
    b.link.send(n1, stored(2))
    runtime.runReady()
    expect([a.requests, b.requests]).toEqual([[2], [1]])
    expect([a.otherKeys, b.otherKeys]).toEqual([[], []])
  })
})
