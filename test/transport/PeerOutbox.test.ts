// Checks that frames leave as few and as large as they may, and that no byte of a frame changes
// while the transport may still read it.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { ByteReader } from "../../src/core/codec/Bytes.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import * as Frame from "../../src/transport/Frame.ts"
import { readMessage } from "../../src/transport/PeerMessageCodec.ts"
import { PeerOutbox } from "../../src/transport/PeerOutbox.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"

const peers = ["n1", "n2", "n3"].map((id) => NodeId.make(id))

interface Published {
  readonly peer: NodeId
  readonly frame: Uint8Array
  readonly copy: ReadonlyArray<number>
}

/** An outbox on a transport that reads a frame no sooner than at the end of its turn. */
class Bench {
  readonly runtime = new SteppedRuntime()
  readonly published: Array<Published> = []
  readonly changed: Array<Published> = []
  frameBytesMax = 4096
  header: Frame.FrameHeader = {
    cluster: "test",
    partitionCount: 16,
    senderIncarnation: "n1incarnation00",
    number: 1,
    receiverIncarnation: "",
    clockMillis: 1,
    position: { store: 0, changes: 0 }
  }
  readonly outbox = new PeerOutbox({
    runtime: this.runtime,
    limits: lan.node,
    flush: (done) => this.runtime.endOfTurn(() => done(true)),
    frameBytesMax: () => this.frameBytesMax,
    ringDigest: () => "00112233aabbccdd",
    headerTo: () => this.header,
    publish: (peer, frame) => {
      const sent = { peer, frame, copy: [...frame] }
      this.published.push(sent)
      this.runtime.endOfTurn(() => {
        if (!sent.copy.every((byte, i) => frame[i] === byte)) this.changed.push(sent)
      })
    }
  })

  messagesTo(peer: NodeId): ReadonlyArray<PeerMessage> {
    return this.published.filter((sent) => sent.peer === peer).flatMap(({ copy }) => {
      const { body } = Frame.decode(Uint8Array.from(copy))
      const reader = new ByteReader(body._tag === "Whole" ? body.messages : new Uint8Array(0))
      const read: Array<PeerMessage> = []
      while (reader.remaining > 0) read.push(readMessage(reader).message)
      return read
    })
  }
}

const forward = (request: number, length: number): PeerMessage => ({
  _tag: "Forward",
  request,
  body: new Uint8Array(length).fill(request)
})

const stored: PeerMessage = { _tag: "Stored", request: 1, durable: true, completeness: "complete" }

describe("a frame", () => {
  it("keeps its bytes until the end of its turn, however its buffer is used again", () => {
    const sending = fc.record({ peer: fc.nat(2), length: fc.nat(3000) })
    const turns = fc.array(fc.array(sending, { maxLength: 6 }), { maxLength: 8 })
    fc.assert(fc.property(turns, fc.infiniteStream(fc.boolean()), (all, choices) => {
      const bench = new Bench()
      const sent = peers.map((): Array<PeerMessage> => [])
      let request = 0
      const send = ({ length, peer }: { readonly peer: number; readonly length: number }) => {
        const message = forward(++request % 200, length)
        bench.outbox.send(peers[peer]!, message)
        sent[peer]!.push(message)
      }
      for (const turn of all) {
        for (const sending of turn) {
          // Some of them in the tasks that this turn ends with.
          if (choices.next().value!) send(sending)
          else bench.runtime.endOfTurn(() => send(sending))
        }
        if (choices.next().value!) bench.outbox.greet(peers[0]!)
        bench.runtime.endTurn()
      }
      bench.runtime.runReady()
      expect(bench.changed).toEqual([])
      expect(peers.map((peer) => bench.messagesTo(peer))).toEqual(sent)
    }))
  })

  it("is written into a buffer of a turn before, once there are two", () => {
    const bench = new Bench()
    const buffersOf = (turns: number): Set<ArrayBufferLike> => {
      bench.published.length = 0
      for (let turn = 0; turn < turns; turn++) {
        for (const peer of peers) bench.outbox.send(peer, forward(1, 300))
        bench.runtime.runReady()
      }
      return new Set(bench.published.map(({ frame }) => frame.buffer))
    }
    const first = buffersOf(4)
    expect(first.size).toBeLessThanOrEqual(2 * peers.length)
    expect(buffersOf(100).difference(first).size).toBe(0)
  })

  it("has the header of the moment when it leaves, not of its first message", () => {
    const bench = new Bench()
    bench.outbox.send(peers[0]!, stored)
    bench.header = {
      cluster: "c".repeat(64),
      partitionCount: Number.MAX_SAFE_INTEGER,
      senderIncarnation: "z".repeat(15),
      number: 2 ** 48 - 1,
      receiverIncarnation: "y".repeat(15),
      clockMillis: Number.MAX_SAFE_INTEGER,
      position: { store: 2 ** 32 - 1, changes: Number.MAX_SAFE_INTEGER }
    }
    bench.runtime.runReady()
    expect(Frame.decode(bench.published[0]!.frame).header).toEqual(bench.header)
    expect(bench.messagesTo(peers[0]!)).toEqual([stored])
  })

  it("is closed in mid-turn where it grows large, below the broker's limit", () => {
    const bench = new Bench()
    bench.frameBytesMax = 8 * 1024 * 1024
    for (let i = 0; i < 40; i++) bench.outbox.send(peers[0]!, forward(i, 20_000))
    const inTurn = bench.published.length
    expect(inTurn).toBeGreaterThan(1)
    bench.runtime.runReady()
    expect(bench.published.every(({ frame }) => frame.length < 300_000)).toBe(true)
    expect(bench.messagesTo(peers[0]!)).toHaveLength(40)
    expect(bench.outbox.framesSent).toBe(bench.published.length)
  })

  it("is not sent where no message could be written into it", () => {
    const bench = new Bench()
    const broken: PeerMessage = { _tag: "OtherRing", request: 1, digest: "0123456789ABCDEF" }
    expect(() => bench.outbox.send(peers[0]!, broken)).toThrow("hexadecimal")
    bench.outbox.flush()
    expect(bench.published).toEqual([])
    bench.outbox.send(peers[0]!, stored)
    expect(() => bench.outbox.send(peers[0]!, broken)).toThrow("hexadecimal")
    bench.runtime.runReady()
    expect(bench.messagesTo(peers[0]!)).toEqual([stored])
    expect(bench.outbox.messagesSent).toBe(1)
  })
})
