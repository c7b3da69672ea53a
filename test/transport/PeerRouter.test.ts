// Checks which messages of a frame reach a handler, and that one of them costs no other.
import * as fc from "fast-check"
import { beforeEach, describe, expect, it } from "vitest"
import type { PeerMessage, PeerTag } from "../../schemas/PeerMessage.ts"
import { ByteWriter, Malformed } from "../../src/core/codec/Bytes.ts"
import { InvariantViolation } from "../../src/core/Invariant.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { type WorkLimits, WorkQueue } from "../../src/core/WorkQueue.ts"
import { writeMessage } from "../../src/transport/PeerMessageCodec.ts"
import { PeerRouter } from "../../src/transport/PeerRouter.ts"
import { messages, ringDigest } from "../schemas/messages.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"
import { handlersOf } from "./handlersOf.ts"

const peer = NodeId.make("n1")
const ring = "00112233aabbccdd"
const otherRing = "ffffffffffffffff"

const stored = (request: number): PeerMessage => ({
  _tag: "Stored",
  request,
  durable: true,
  completeness: "complete"
})

const frameMessagesMax = 1_000

/** A router of a node with the ring above, and the outcome of the messages that it took. */
class Bench {
  readonly runtime = new SteppedRuntime()
  malformed = 0
  readonly heard: Array<readonly [from: NodeId, message: PeerMessage]> = []
  readonly sent: Array<readonly [to: NodeId, message: PeerMessage]> = []
  readonly failures: Array<readonly [failure: unknown, tag: PeerTag]> = []
  handler: (message: PeerMessage) => void = () => {}
  onHandlerFailure = (failure: unknown, tag: PeerTag): void =>
    void this.failures.push([failure, tag])
  readonly router: PeerRouter

  constructor(limits: WorkLimits = lan.node) {
    this.router = this.#make(new WorkQueue({ runtime: this.runtime, limits }))
  }

  readonly #make = (work: WorkQueue) =>
    new PeerRouter({
      runtime: { mark: () => {} },
      handlers: handlersOf((message, from, reply) => {
        this.handler(message)
        this.heard.push([from, message])
        reply(stored(message.request))
      }),
      ringDigest: () => ring,
      send: (to, message) => this.sent.push([to, message]),
      onHandlerFailure: (failure, tag) => this.onHandlerFailure(failure, tag),
      onMalformed: () => this.malformed++,
      work,
      limits: { frameMessagesMax }
    })
}

let bench: Bench
beforeEach(() => {
  bench = new Bench()
})

const write = (all: ReadonlyArray<PeerMessage>, digest = ring): Uint8Array => {
  const writer = new ByteWriter()
  for (const message of all) writeMessage(writer, message, digest)
  return writer.finish()
}

const dependsOnRing = ({ _tag }: PeerMessage): boolean =>
  ["Store", "StoreDelta", "Fetch", "FetchAfter", "FetchSince", "List", "Forward"].includes(_tag)

const fromPeer = (all: ReadonlyArray<PeerMessage>) => all.map((message) => [peer, message])

describe("messages of a frame", () => {
  const some = fc.array(messages, { maxLength: 8 })

  it("reach their handlers in order, which reply to the node that they came from", () => {
    fc.assert(fc.property(some, (all) => {
      bench = new Bench()
      bench.router.take(peer, write(all))
      expect(bench.heard).toEqual(fromPeer(all))
      expect(bench.sent).toEqual(fromPeer(all.map(({ request }) => stored(request))))
    }))
  })

  it("reach their handlers in order where a turn ends between those of several frames", () => {
    fc.assert(fc.property(fc.array(some, { maxLength: 4 }), (frames) => {
      bench = new Bench({ ...lan.node, turnStepsMax: 1 })
      for (const all of frames) bench.router.take(peer, write(all))
      bench.runtime.runReady()
      expect(bench.heard).toEqual(fromPeer(frames.flat()))
    }))
  })

  it("of another ring reach their handlers unless they depend on it", () => {
    fc.assert(fc.property(some, ringDigest, (all, digest) => {
      fc.pre(digest !== ring)
      bench = new Bench()
      bench.router.take(peer, write(all, digest))
      const taken = all.filter((message) => !dependsOnRing(message))
      expect(bench.heard).toEqual(fromPeer(taken))
      expect(bench.router.otherRing).toBe(all.length - taken.length)
    }))
  })

  it("that depend on another ring are told this node's, where they want an answer", () => {
    const asking = messages.filter((message) => dependsOnRing(message))
    fc.assert(fc.property(fc.array(asking, { maxLength: 8 }), (all) => {
      bench = new Bench()
      const numbered = all.map((message, i) => ({ ...message, request: i % 3 }))
      bench.router.take(peer, write(numbered, otherRing))
      expect(bench.sent).toEqual(
        fromPeer(
          numbered.filter(({ request }) => request !== 0)
            .map(({ request }) => ({ _tag: "OtherRing", request, digest: ring }))
        )
      )
    }))
  })

  it("are taken up to the first that is malformed", () => {
    const bytes = Uint8Array.of(...write([stored(1), stored(2)]), 255, ...write([stored(3)]))
    bench.router.take(peer, bytes)
    expect(bench.malformed).toBe(1)
    expect(bench.heard).toEqual(fromPeer([stored(1), stored(2)]))
  })

  it("are taken up to the limit of their number", () => {
    const all = Array.from({ length: frameMessagesMax + 5 }, (_, i) => stored(i + 1))
    bench.router.take(peer, write(all))
    expect(bench.malformed).toBe(1)
    expect(bench.heard).toEqual(fromPeer(all.slice(0, frameMessagesMax)))
  })
})

describe("a message that its handler fails on", () => {
  const failures = [
    new InvariantViolation("one and one are two"),
    new Malformed("a document", 3),
    "a text"
  ]

  it.each(failures)("is counted and told, and the others are handled: %s", (failure) => {
    fc.assert(fc.property(fc.array(fc.boolean(), { maxLength: 8 }), (fails) => {
      bench = new Bench()
      bench.handler = ({ request }) => {
        if (fails[request]!) throw failure
      }
      const all = fails.map((_, request) => stored(request))
      bench.router.take(peer, write(all))
      expect(bench.heard).toEqual(fromPeer(all.filter(({ request }) => !fails[request]!)))
      const failed = fails.filter(Boolean).length
      expect(bench.failures).toEqual(Array.from({ length: failed }, () => [failure, "Stored"]))
      expect(bench.router.handlerFailures).toBe(failed)
    }))
  })

  it("ends the frame where it is to end the process", () => {
    const failure = new InvariantViolation("one and one are two")
    bench.handler = () => {
      throw failure
    }
    bench.onHandlerFailure = (thrown) => {
      throw thrown
    }
    expect(() => bench.router.take(peer, write([stored(1)]))).toThrow(failure)
  })
})
