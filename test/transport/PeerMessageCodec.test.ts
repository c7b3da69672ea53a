// Checks that messages are read back as written, and that other bytes are refused.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { ByteReader, ByteWriter, Malformed } from "../../src/core/codec/Bytes.ts"
import {
  readMessage,
  type ReceivedMessage,
  writeMessage
} from "../../src/transport/PeerMessageCodec.ts"
import { unlessMalformed } from "../core/codec/unlessMalformed.ts"
import { messages, ringDigest } from "../schemas/messages.ts"

const ring = "00112233aabbccdd"

const writeReceived = (all: ReadonlyArray<ReceivedMessage>): Uint8Array => {
  const writer = new ByteWriter(8)
  for (const { message, ring = "" } of all) writeMessage(writer, message, ring)
  return writer.finish()
}

const write = (...all: ReadonlyArray<PeerMessage>): Uint8Array =>
  writeReceived(all.map((message) => ({ message, ring })))

const receiveAll = (bytes: Uint8Array): ReadonlyArray<ReceivedMessage> => {
  const reader = new ByteReader(bytes)
  const read: Array<ReceivedMessage> = []
  while (reader.remaining > 0) read.push(readMessage(reader))
  return read
}

const readAll = (bytes: Uint8Array): ReadonlyArray<PeerMessage> =>
  receiveAll(bytes).map(({ message }) => message)

/** Bytes that were read must be the very bytes that the messages are written as. */
const expectCanonical = (bytes: Uint8Array): void => {
  const read = unlessMalformed(() => receiveAll(bytes))
  if (read !== undefined) expect([...writeReceived(read)]).toEqual([...bytes])
}

const isRingDependent = ({ _tag }: PeerMessage): boolean =>
  ["Store", "StoreDelta", "Fetch", "FetchAfter", "FetchSince", "List", "Forward"].includes(_tag)

const store: PeerMessage = {
  _tag: "Store",
  request: 7,
  bucket: "carts",
  fingerprint: "",
  key: { partition: "salice", sort: "" },
  sync: true,
  document: Uint8Array.of(1, 2, 3)
}

const fetchAfter: PeerMessage = {
  _tag: "FetchAfter",
  request: 7,
  bucket: "carts",
  fingerprint: "",
  key: { partition: "salice", sort: "" },
  digest: "",
  after: new Map()
}

describe("messages", () => {
  it("are read back as written, one after the other", () => {
    fc.assert(fc.property(fc.array(messages, { maxLength: 5 }), (all) => {
      expect(readAll(write(...all))).toEqual(all)
    }))
  })

  it("say the ring where they depend on it, and only there", () => {
    fc.assert(fc.property(messages, ringDigest, (message, digest) => {
      const written = writeReceived([{ message, ring: digest }])
      const expected = isRingDependent(message) ? digest : undefined
      expect(receiveAll(written)).toEqual([{ message, ring: expected }])
    }))
  })

  it("are refused where a certificate names its members in another order, or one twice", () => {
    const stores = [[NodeId.make("n2"), "a"], [NodeId.make("n1"), "b"]] as const
    const form = { _tag: "Form", request: 1, store: "a", own: "new", formed: true } as const
    expect(() => readAll(write({ ...form, stores }))).toThrow("node ids in order")
    expect(() => readAll(write({ ...form, stores: [stores[1], stores[1]] }))).toThrow(Malformed)
  })

  it("refuse a history whose actors are not in order, or have no counter", () => {
    const actors = ["n1.000000000000000.1", "n2.000000000000000.1"] as const
    const bytes = write(fetchAfter).slice(0, -1)
    const withEntries = (entries: ReadonlyArray<readonly [string, number]>) => {
      const writer = new ByteWriter().raw(bytes).varint(entries.length)
      for (const [actor, counter] of entries) writer.text(actor).varint(counter)
      return writer.finish()
    }
    expect(readAll(withEntries([[actors[0], 1], [actors[1], 1]]))).toHaveLength(1)
    for (
      const wrong of [
        [[actors[1], 1], [actors[0], 1]],
        [[actors[0], 1], [actors[0], 1]],
        [[actors[0], 0]],
        [["nobody", 1]]
      ] as const
    ) {
      expect(() => readAll(withEntries(wrong))).toThrow("actors in order")
    }
  })

  it("are refused as `Malformed` wherever they are cut off", () => {
    fc.assert(fc.property(messages, (message) => {
      const bytes = write(message)
      for (let length = 1; length < bytes.length; length++) {
        expect(() => readAll(bytes.subarray(0, length))).toThrow(Malformed)
      }
    }))
  })

  it("are refused as `Malformed` or are other messages, whichever bit flips", () => {
    fc.assert(
      fc.property(messages, fc.nat(), (message, choice) => {
        const bytes = write(message)
        const bit = choice % (bytes.length * 8)
        bytes[bit >> 3]! ^= 1 << (bit & 7)
        expectCanonical(bytes)
      }),
      { numRuns: 2000 }
    )
  })

  it("are refused as `Malformed` or are messages when they are noise", () => {
    const noise = fc.tuple(fc.nat(17), fc.uint8Array({ maxLength: 40 }))
    fc.assert(
      fc.property(noise, ([tag, rest]) => expectCanonical(Uint8Array.of(tag, ...rest))),
      { numRuns: 5000 }
    )
  })

  it.each<[string, PeerMessage]>([
    ["a bucket's name that is none", { ...store, bucket: "Carts" }],
    ["a fingerprint that is none", { ...store, fingerprint: "0123" }],
    ["a key that is no encoding", { ...store, key: { partition: "alice", sort: "" } }],
    ["a key that is longer than any", {
      ...store,
      key: { partition: `s${"a".repeat(2000)}`, sort: "" }
    }]
  ])("are refused with %s", (_, message) => {
    expect(() => readAll(write(message))).toThrow(Malformed)
  })

  it("allocate nothing for a count that lies", () => {
    const listed = write({
      _tag: "Listed",
      request: 1,
      through: { partition: 0, key: { partition: "", sort: "" } },
      keys: [],
      completeness: "complete"
    })
    const lying = new ByteWriter().raw(listed.subarray(0, -2)).varint(2 ** 50).finish()
    expect(() => readAll(lying)).toThrow("expected keys that fits")
  })

  it("carry a reason of any text, cut to 500 characters and made well-formed", () => {
    const long: PeerMessage = { _tag: "Refused", request: 1, reason: "😀".repeat(400) }
    expect(readAll(write(long))).toEqual([{ ...long, reason: "😀".repeat(250) }])
    const torn: PeerMessage = { _tag: "Refused", request: 1, reason: `\ud83d${"x".repeat(600)}` }
    expect(readAll(write(torn))).toEqual([{ ...torn, reason: `\ufffd${"x".repeat(499)}` }])
  })
})
