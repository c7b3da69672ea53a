// Checks how messages become frames and frames messages again, and which frames are not taken.
import * as fc from "fast-check"
import { beforeEach, describe, expect, it } from "vitest"
import type { PeerMessage, PeerTag } from "../../schemas/PeerMessage.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { ByteWriter } from "../../src/core/codec/Bytes.ts"
import { ClusterName, NodeId } from "../../src/core/model/Names.ts"
import * as Frame from "../../src/transport/Frame.ts"
import { makeMemoryBroker, type MemoryBroker } from "../../src/transport/MemoryTransport.ts"
import { PeerLink, type PeerLinkOptions } from "../../src/transport/PeerLink.ts"
import { writeMessage } from "../../src/transport/PeerMessageCodec.ts"
import { Subjects } from "../../src/transport/Subjects.ts"
import type { Message, TransportService } from "../../src/transport/Transport.ts"
import { messages } from "../schemas/messages.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"
import { handlersOf } from "./handlersOf.ts"
import { testSeal } from "./testSeals.ts"

const cluster = ClusterName.make("test")
const subjects = new Subjects(cluster)
const [n1, n2, n3] = [NodeId.make("n1"), NodeId.make("n2"), NodeId.make("n3")]
const maxPayload = 4096
const ring = "00112233aabbccdd"
const otherRing = "ffffffffffffffff"

/**
 * A node's link with the messages that it took; `incarnation` is its incarnation and may change.
 */
class Peer {
  readonly heard: Array<readonly [from: NodeId, message: PeerMessage]> = []
  readonly offsets: Array<readonly [from: NodeId, millis: number]> = []
  readonly failures: Array<readonly [failure: unknown, tag: PeerTag]> = []
  readonly link: PeerLink
  readonly transport: TransportService
  incarnation: string
  ring = ring

  constructor(runtime: SteppedRuntime, node: NodeId, options: Partial<PeerLinkOptions> = {}) {
    this.transport = options.transport ?? broker.connect()
    this.incarnation = `${node}incarnation`.padEnd(15, "0")
    this.link = new PeerLink({
      runtime,
      cluster,
      node,
      partitionCount: 16,
      limits: lan.node,
      seal: testSeal,
      isMember: (id) => [n1, n2, n3].includes(id),
      incarnation: () => this.incarnation,
      ringDigest: () => this.ring,
      handlers: handlersOf((message, from) => this.heard.push([from, message])),
      position: () => ({ store: 7, changes: 9 }),
      onHeard: (from, millis) => this.offsets.push([from, millis]),
      onHandlerFailure: (failure, tag) => this.failures.push([failure, tag]),
      ...options,
      transport: this.transport
    })
  }
}

let runtime: SteppedRuntime
let broker: MemoryBroker
/** Every frame that crossed the broker. */
let frames: Array<Message>
let spy: TransportService
beforeEach(() => {
  runtime = new SteppedRuntime()
  broker = makeMemoryBroker(runtime, { maxPayload })
  frames = []
  spy = broker.connect()
  spy.subscribe(">", (message) => frames.push(message))
  runtime.runReady()
})

const whole = { durable: true, completeness: "complete" } as const
const stored = (request: number): PeerMessage => ({ _tag: "Stored", request, ...whole })
const bytesOf = (length: number) => Array.from({ length }, (_, i) => i % 251)
const body = (length: number, request = 1): PeerMessage => ({
  _tag: "Forward",
  request,
  body: Uint8Array.from(bytesOf(length))
})
const requestsOf = ({ heard }: Peer) => heard.map(([, { request }]) => request)

describe("messages for one peer", () => {
  it("of one turn travel as one frame, in their order; those of the next as another", () => {
    const [a, b] = [new Peer(runtime, n1), new Peer(runtime, n2)]
    fc.assert(fc.property(fc.array(messages, { minLength: 1, maxLength: 8 }), (all) => {
      for (const turn of [all, all]) {
        frames.length = b.heard.length = 0
        for (const message of turn) a.link.send(n2, message)
        runtime.runReady()
        expect(frames).toHaveLength(1)
        expect(b.heard).toEqual(turn.map((message) => [n1, message]))
      }
    }))
    const { framesSent, messagesSent } = a.link.stats()
    expect(messagesSent).toBeGreaterThan(framesSent)
  })

  it("and those for another leave as a frame for each", () => {
    const [a, b, c] = [new Peer(runtime, n1), new Peer(runtime, n2), new Peer(runtime, n3)]
    for (let request = 1; request <= 6; request++) {
      a.link.send(request % 2 === 0 ? n2 : n3, stored(request))
    }
    runtime.runReady()
    expect(frames.map(({ subject }) => subject).sort()).toEqual([
      "everwrite.test.v1.peer.n2.from.n1",
      "everwrite.test.v1.peer.n3.from.n1"
    ])
    expect(requestsOf(b)).toEqual([2, 4, 6])
    expect(requestsOf(c)).toEqual([1, 3, 5])
  })

  it("leave before the link closes, and none after", () => {
    const [a, b] = [new Peer(runtime, n1), new Peer(runtime, n2)]
    a.link.send(n2, stored(1))
    a.link.close()
    a.link.send(n2, stored(2))
    b.link.send(n1, stored(3))
    runtime.runReady()
    expect(requestsOf(b)).toEqual([1])
    expect(requestsOf(a)).toEqual([])
  })

  it("that fit into frames of the broker's size are never split, however many they are", () => {
    const [a, b] = [new Peer(runtime, n1), new Peer(runtime, n2)]
    for (let request = 1; request <= 50; request++) a.link.send(n2, body(500, request))
    runtime.runReady()
    expect(requestsOf(b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
    expect(frames.every(({ data }) => Frame.decode(data).body._tag === "Whole")).toBe(true)
    expect(frames.length).toBeLessThan(10)
  })
})

describe("a message larger than the broker takes", () => {
  it("arrives whole, in frames that the broker takes, in any order", () => {
    fc.assert(fc.property(fc.nat(40_000), fc.infiniteStream(fc.nat()), (length, choices) => {
      runtime = new SteppedRuntime()
      broker = makeMemoryBroker(runtime, { maxPayload })
      const sent: Array<Message> = []
      broker.connect().subscribe(subjects.peersTo(n2), (message) => sent.push(message))
      const a = new Peer(runtime, n1)
      a.link.send(n2, stored(1))
      a.link.send(n2, body(length, 2))
      a.link.send(n2, stored(3))
      runtime.runReady()
      const b = new Peer(runtime, n2)
      runtime.runReady()
      const open = [...sent]
      while (open.length > 0) {
        const [frame] = open.splice(choices.next().value! % open.length, 1)
        broker.connect().publish(frame!.subject, frame!.data)
        runtime.runReady()
      }
      expect(requestsOf(b).sort((x, y) => x - y)).toEqual([1, 2, 3])
      const large = b.heard.find(([, { request }]) => request === 2)![1]
      expect(large._tag === "Forward" && [...large.body])
        .toEqual(bytesOf(length))
      expect(b.link.stats().refused.malformed).toBe(0)
    }))
  })

  it("is lost with one of its frames, and no other message with it", () => {
    const sent: Array<Message> = []
    broker.connect().subscribe(subjects.peersTo(n2), (message) => sent.push(message))
    const a = new Peer(runtime, n1)
    a.link.send(n2, stored(1))
    a.link.send(n2, body(20_000, 2))
    a.link.send(n2, stored(3))
    runtime.runReady()
    a.link.send(n2, stored(4))
    runtime.runReady()
    const b = new Peer(runtime, n2)
    runtime.runReady()
    for (const { data, subject } of sent.filter((_, i) => i !== 2)) spy.publish(subject, data)
    runtime.runReady()
    expect(requestsOf(b)).toEqual([1, 3, 4])
  })
})

/** A frame as `from` might send it, from the outside. */
const frame = (
  options: Partial<Frame.FrameHeader> & { readonly messages?: Uint8Array } = {}
): Uint8Array => {
  const { messages = write(stored(7)), ...header } = options
  return Frame.encode({ ...headerNow(), ...header }, { _tag: "Whole", messages })
}

let numbers = 0
const headerNow = (): Frame.FrameHeader => ({
  cluster,
  partitionCount: 16,
  senderIncarnation: "n1life000000000",
  number: ++numbers,
  receiverIncarnation: "",
  clockMillis: runtime.now(),
  position: { store: 0, changes: 0 }
})

const writeFor = (digest: string, ...all: ReadonlyArray<PeerMessage>): Uint8Array => {
  const writer = new ByteWriter()
  for (const message of all) writeMessage(writer, message, digest)
  return writer.finish()
}

const write = (...all: ReadonlyArray<PeerMessage>): Uint8Array => writeFor(ring, ...all)

const noRefusals = {
  malformed: 0,
  otherCluster: 0,
  formerIncarnation: 0,
  formerSender: 0,
  notMember: 0,
  otherVersion: 0,
  repeated: 0,
  otherKey: 0,
  forged: 0
}

const deliver = (data: Uint8Array, subject = subjects.peer({ to: n2, from: n1 })): void => {
  if (Frame.isLongEnough(data)) testSeal.seal(subject, data)
  spy.publish(subject, data)
  runtime.runReady()
}

describe("a frame", () => {
  let b: Peer
  beforeEach(() => {
    b = new Peer(runtime, n2)
    runtime.runReady()
  })

  it("is from the sender that its subject names, with any content", () => {
    deliver(frame(), subjects.peer({ to: n2, from: n3 }))
    expect(b.heard).toEqual([[n3, stored(7)]])
    deliver(frame(), "everwrite.test.v1.peer.n2.from.N3")
    deliver(frame(), "everwrite.other.v1.peer.n2.from.n3")
    expect(b.heard).toHaveLength(1)
  })

  it.each(
    [
      ["another cluster", { cluster: "prod" }, "otherCluster"],
      ["another number of partitions", { partitionCount: 32 }, "otherCluster"],
      [
        "a former incarnation of the receiver",
        { receiverIncarnation: "n2life0former00" },
        "formerIncarnation"
      ]
    ] as const
  )("of %s is refused, and none of it is heard", (_, header, reason) => {
    deliver(frame(header))
    expect(b.heard).toEqual([])
    expect(b.link.stats().refused).toEqual({ ...noRefusals, [reason]: 1 })
    deliver(frame())
    expect(requestsOf(b)).toEqual([7])
  })

  it("that is noise is refused, also under a MAC, and the next one is taken", () => {
    const refused = () => {
      const { forged, malformed, otherVersion } = b.link.stats().refused
      return forged + malformed + otherVersion
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, hasVersion) => {
      const before = refused()
      deliver(hasVersion ? Uint8Array.of(4, ...noise) : noise)
      expect(refused()).toBe(before + 1)
    }))
    deliver(frame())
    expect(requestsOf(b)).toEqual([7])
  })

  it("with a malformed message is taken up to there, and the next one wholly", () => {
    fc.assert(fc.property(
      fc.array(messages, { maxLength: 4 }),
      fc.uint8Array({ minLength: 1, maxLength: 20 }),
      (good, noise) => {
        // Noise that happens to be a message would be heard as one.
        const bad = Uint8Array.of(255, ...noise)
        b.heard.length = 0
        deliver(frame({ messages: Uint8Array.of(...write(...good), ...bad, ...write(stored(9))) }))
        deliver(frame())
        expect(b.heard).toEqual([...good, stored(7)].map((message) => [n1, message]))
      }
    ))
  })

  it("says how far the sender's clock is ahead, also when the ring is another", () => {
    deliver(frame({ clockMillis: runtime.now() + 5_000 }))
    deliver(frame({ clockMillis: runtime.now() - 250, messages: writeFor(otherRing, body(1)) }))
    deliver(frame({ clockMillis: 0, cluster: "prod" }))
    expect(b.offsets).toEqual([[n1, 5_000], [n1, -250]])
  })
})

describe("nodes that disagree about the ring", () => {
  it("agree again with the next message after one of them has the other's ring", () => {
    const [a, b] = [new Peer(runtime, n1), new Peer(runtime, n2)]
    runtime.runReady()
    a.ring = otherRing
    a.link.send(n2, body(1, 1))
    a.ring = ring
    a.link.send(n2, body(1, 2))
    runtime.runReady()
    expect(requestsOf(b)).toEqual([2])
    b.ring = otherRing
    a.link.send(n2, body(1, 3))
    runtime.runReady()
    expect(requestsOf(b)).toEqual([2])
    expect(a.heard.map(([, message]) => message)).toEqual([
      { _tag: "OtherRing", request: 1, digest: ring },
      { _tag: "OtherRing", request: 3, digest: otherRing }
    ])
  })
})

describe("a node that begins a new incarnation", () => {
  it("greets a sender that addresses the former one, whose next frame is taken", () => {
    const [a, b] = [new Peer(runtime, n1), new Peer(runtime, n2)]
    b.link.send(n1, stored(1))
    runtime.runReady()
    a.link.send(n2, stored(2))
    runtime.runReady()
    expect(requestsOf(b)).toEqual([2])
    b.incarnation = "n2life000000001"
    a.link.send(n2, stored(3))
    runtime.runReady()
    expect(b.link.stats().refused).toEqual({ ...noRefusals, formerIncarnation: 1 })
    expect(requestsOf(b)).toEqual([2])
    a.link.send(n2, stored(4))
    runtime.runReady()
    expect(requestsOf(b)).toEqual([2, 4])
    expect(requestsOf(a)).toEqual([1])
  })

  it("is believed and addressed even where its clock went back", () => {
    const [a, b] = [new Peer(runtime, n1), new Peer(runtime, n2)]
    for (const incarnation of ["zzzzzzzzzzzzzzz", "000000000000000"]) {
      b.incarnation = incarnation
      b.link.send(n1, stored(1))
      runtime.runReady()
      a.link.send(n2, stored(2))
      runtime.runReady()
    }
    expect(requestsOf(a)).toEqual([1, 1])
    expect(requestsOf(b)).toEqual([2, 2])
    expect(b.link.stats().refused).toEqual(noRefusals)
  })
})
