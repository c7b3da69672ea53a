// Attacks a node of a running cluster with frames that no member made now, and checks that it
// believes, keeps and answers nothing.
import * as fc from "fast-check"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { lan } from "../../src/core/model/Limits.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { frameSeal } from "../../src/node/FrameKeys.ts"
import * as Frame from "../../src/transport/Frame.ts"
import type { Message, TransportService } from "../../src/transport/Transport.ts"
import { buckets, notes, shelves } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"
import { sealOf } from "./testSeals.ts"

let stepped: SteppedCluster
let outside: TransportService
/** Every frame to n1, in order. */
let captured: Array<Message>
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets, maxPayload: 2 ** 21 })
  outside = stepped.cluster.connect()
  captured = []
  outside.subscribe("everwrite.test.v1.peer.n1.from.*", (message) => captured.push(message))
  stepped.runtime.runReady()
  stepped.write(2, shelves, { key: "k", op: "visits.add", args: [1_000_111], w: "all" })
  stepped.write(2, notes, { key: "k", op: "put", args: ["x".repeat(300)], w: "all" })
  stepped.read(3, shelves, { key: "k", r: "all" })
  stepped.read(1, notes, { key: "k", r: "all" })
})
afterEach(() => stepped.stop())

const fromN2 = "everwrite.test.v1.peer.n1.from.n2"
const seal = () => frameSeal(core().options.keys)
const core = () => stepped.nodes[0]!.core

const deliver = (data: Uint8Array, subject = fromN2): void => {
  outside.publish(subject, data)
  stepped.runtime.runReady()
}

/** All that a frame may change at n1. */
const beliefs = () => {
  const { framesSent, messagesSent, partBytes, windowBytes } = core().link.stats()
  return {
    sent: [framesSent, messagesSent],
    kept: [partBytes, windowBytes],
    documents: [stepped.held(shelves, "k"), stepped.held(notes, "k")],
    incarnations: ["n2", "n3", "x"].map((id) => core().link.incarnationOf(NodeId.make(id))),
    clocks: [...core().view.clocks.offsets()],
    now: core().view.agreedNow()
  }
}

const refused = () => core().link.stats().refused

/** A frame as n2 might send it, but for a header of our own. */
const frameOf = (
  header: Partial<Frame.FrameHeader> = {},
  body: Frame.FrameBody = { _tag: "Whole", messages: new Uint8Array(0) }
): Uint8Array =>
  Frame.encode({
    cluster: "test",
    partitionCount: 16,
    senderIncarnation: "zzzzzzzzz000000",
    number: 1,
    receiverIncarnation: "",
    clockMillis: stepped.runtime.now(),
    ...header
  }, body)

const stillServes = (): void => {
  const body = { key: "k", op: "visits.add", args: [1], w: "all" } as const
  expect(stepped.write(1, shelves, body).answer.replied).toBe(3)
}

const restart = (number: number): Promise<void> => {
  stepped.cluster.crash(stepped.nodes[number - 1]!.id)
  return stepped.restart(number)
}

describe("a frame that was captured", () => {
  it("is not believed whichever of its bytes is turned, of any message", () => {
    const frames = [...captured]
    expect(frames.length).toBeGreaterThan(3)
    const before = beliefs()
    const turned = fc.tuple(fc.nat(frames.length - 1), fc.nat(), fc.integer({ min: 1, max: 255 }))
    fc.assert(
      fc.property(turned, ([place, choice, change]) => {
        const { data, subject } = frames[place]!
        const bytes = data.slice()
        bytes[choice % bytes.length]! ^= change
        deliver(bytes, subject)
      }),
      { numRuns: 2_000 }
    )
    expect(beliefs()).toEqual(before)
    stillServes()
  })

  it("is recognised when it comes again, ten thousand times, and not decoded", () => {
    const before = beliefs()
    const handled = core().coordinator.counters()
    const frames = [...captured]
    const each = Math.ceil(10_000 / frames.length)
    for (const { data, subject } of frames) {
      for (let i = 0; i < each; i++) outside.publish(subject, data)
      stepped.runtime.runReady()
    }
    expect(beliefs()).toEqual(before)
    expect(core().coordinator.counters()).toEqual(handled)
    expect(refused().repeated).toBe(each * frames.length)
    stillServes()
  })

  it("is not taken on the subject of another sender or another receiver", () => {
    const { data } = captured.find(({ subject }) => subject === fromN2)!
    const before = beliefs()
    deliver(data, "everwrite.test.v1.peer.n1.from.n3")
    // All nodes have one incarnation here, so that it may be a repeat of the other sender's.
    expect(refused().forged + refused().repeated).toBe(1)
    const third = stepped.nodes[2]!.core.link
    outside.publish("everwrite.test.v1.peer.n3.from.n2", data)
    stepped.runtime.runReady()
    const { forged, repeated } = third.stats().refused
    expect(forged + repeated).toBe(1)
    expect(beliefs()).toEqual(before)
  })

  it("of a former incarnation changes no belief about the present one of its sender", async () => {
    const frames = captured.filter(({ subject }) => subject === fromN2)
    await restart(2)
    stillServes()
    const present = core().link.incarnationOf(NodeId.make("n2"))
    for (const { data } of frames) deliver(data)
    expect(core().link.incarnationOf(NodeId.make("n2"))).toBe(present)
  })

  it("before its receiver started changes no belief about its sender", async () => {
    const frames = captured.filter(({ subject }) => subject === fromN2)
    for (const number of [2, 1]) await restart(number)
    stillServes()
    const present = core().link.incarnationOf(NodeId.make("n2"))
    for (const { data } of frames) {
      deliver(data)
      expect(core().link.incarnationOf(NodeId.make("n2"))).toBe(present)
    }
    expect(refused().formerSender + refused().repeated).toBe(frames.length)
    stillServes()
  })
})

describe("a forged frame", () => {
  it.each([
    ["an invented incarnation", {}],
    ["a far clock", { clockMillis: Number.MAX_SAFE_INTEGER }],
    ["an answer to this incarnation", { receiverIncarnation: "000000000000000" }]
  ])("with %s changes nothing, a thousand times", (_, header) => {
    const before = beliefs()
    for (let number = 0; number < 1_000; number++) {
      const senderIncarnation = number.toString(36).padStart(15, "z")
      const frame = frameOf({ ...header, number, senderIncarnation })
      // It names the key of the cluster, and has another one.
      sealOf("a guess").seal(fromN2, frame)
      frame.set(captured[0]!.data.subarray(Frame.layout.keyId, Frame.layout.incarnation), 17)
      deliver(frame)
    }
    expect(refused().forged).toBe(1_000)
    expect(beliefs()).toEqual(before)
    stillServes()
  })

  it("under another key raises an alarm about a member, and does nothing else", () => {
    const before = beliefs()
    for (let number = 0; number < 1_000; number++) {
      for (const from of ["n2", `stranger${number}`]) {
        const subject = `everwrite.test.v1.peer.n1.from.${from}`
        const frame = frameOf({ number })
        sealOf("another key").seal(subject, frame)
        deliver(frame, subject)
      }
    }
    expect(core().otherKeys.present()).toEqual(["n2"])
    expect(refused()).toMatchObject({ otherKey: 1_000, notMember: 1_000 })
    expect(beliefs()).toEqual(before)
    stillServes()
    expect(core().otherKeys.present()).toEqual([])
  })

  it.each([1, 2, 3, 5, 0, 255])("of version %i is refused by its version", (version) => {
    const before = beliefs()
    const frame = frameOf()
    seal().seal(fromN2, frame)
    frame[0] = version
    deliver(frame)
    expect(refused().otherVersion).toBe(1)
    expect(beliefs()).toEqual(before)
  })
})

describe("a stranger who has the key", () => {
  it("leaves nothing behind, whatever it sends under however many names", () => {
    const before = beliefs()
    const part = { transfer: 1, index: 0, count: 4, bytes: new Uint8Array(100) }
    for (let number = 0; number < 300; number++) {
      const subject = `everwrite.test.v1.peer.n1.from.stranger${number}`
      const frame = frameOf({ number }, { _tag: "Part", ...part })
      seal().seal(subject, frame)
      deliver(frame, subject)
    }
    expect(refused().notMember).toBe(300)
    expect(beliefs()).toEqual(before)
  })
})

describe("a member that has gone mad", () => {
  it("ends and silences nothing by frames of which any bytes are turned under its MAC", () => {
    const frames = [...captured]
    let number = 1_000
    const turns = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 4
    })
    fc.assert(
      fc.property(fc.nat(frames.length - 1), turns, (place, changes) => {
        const { data, subject } = frames[place]!
        const bytes = data.slice()
        // A frame that comes again is refused unread: each has a number of its own.
        number++
        for (let i = 0; i < 6; i++) bytes[Frame.layout.end - 1 - i] = Math.floor(number / 256 ** i)
        const room = bytes.length - Frame.layout.end
        for (const [choice, change] of changes) {
          bytes[Frame.layout.end + choice % room]! ^= change
        }
        seal().seal(subject, bytes)
        deliver(bytes, subject)
      }),
      { numRuns: 3_000 }
    )
    const { answer } = stepped.write(1, notes, { key: "another", op: "put", args: ["x"], w: "all" })
    expect(answer.replied).toBe(3)
  })

  it.each([
    ["the receiver's incarnation", { receiverIncarnation: "r".repeat(900_000) }],
    ["the cluster", { cluster: "c".repeat(900_000) }]
  ])("is not believed with a name of 900 KB for %s", (_, header) => {
    const before = beliefs()
    for (let number = 0; number < 50; number++) {
      const frame = frameOf({ ...header, number })
      seal().seal(fromN2, frame)
      deliver(frame)
    }
    expect(beliefs()).toEqual(before)
    expect(refused().malformed).toBe(50)
    stillServes()
  })

  it("begins any number of runs, which are counted in bytes, with all that is noted", () => {
    for (let transfer = 0; transfer < 3_000; transfer++) {
      const part = { transfer, index: 0, count: 4_000, bytes: new Uint8Array(60_000) }
      const frame = frameOf({ number: transfer }, { _tag: "Part", ...part })
      seal().seal(fromN2, frame)
      outside.publish(fromN2, frame)
      if (transfer % 100 === 0) stepped.runtime.runReady()
      expect(core().link.stats().partBytes).toBeLessThanOrEqual(lan.node.reassemblyBytesMax)
    }
  })
})
