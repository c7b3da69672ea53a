// Checks that what nodes say is read back as written, and that nothing else is read at all.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type PeerMessage, readMessage, writeMessage } from "../../schemas/PeerMessage.ts"
import { ByteReader, ByteWriter, Malformed } from "../../src/core/codec/Bytes.ts"
import { unlessMalformed } from "../core/codec/unlessMalformed.ts"
import { messages } from "./messages.ts"

const write = (...all: ReadonlyArray<PeerMessage>): Uint8Array => {
  const writer = new ByteWriter(8)
  for (const message of all) writeMessage(writer, message)
  return writer.finish()
}

const readAll = (bytes: Uint8Array): ReadonlyArray<PeerMessage> => {
  const reader = new ByteReader(bytes)
  const read: Array<PeerMessage> = []
  while (reader.remaining > 0) read.push(readMessage(reader))
  return read
}

/** Bytes that were read must be the very bytes that the messages are written as. */
const expectCanonical = (bytes: Uint8Array): void => {
  const read = unlessMalformed(() => readAll(bytes))
  if (read !== undefined) expect([...write(...read)]).toEqual([...bytes])
}

const store: PeerMessage = {
  _tag: "Store",
  request: 7,
  bucket: "carts",
  fingerprint: "",
  key: { partition: "salice", sort: "" },
  sync: true,
  document: Uint8Array.of(1, 2, 3)
}

describe("messages", () => {
  it("are read back as written, one after the other", () => {
    fc.assert(fc.property(fc.array(messages, { maxLength: 5 }), (all) => {
      expect(readAll(write(...all))).toEqual(all)
    }))
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
    const noise = fc.tuple(fc.nat(9), fc.uint8Array({ maxLength: 40 }))
    fc.assert(
      fc.property(noise, ([tag, rest]) => expectCanonical(Uint8Array.of(tag, ...rest))),
      { numRuns: 5000 }
    )
  })

  it.each<[string, PeerMessage]>([
    ["a bucket's name that is none", { ...store, bucket: "Carts" }],
    ["a fingerprint that is none", { ...store, fingerprint: "0123" }],
    ["a key that nobody encoded", { ...store, key: { partition: "alice", sort: "" } }],
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
      places: []
    })
    const lying = new ByteWriter().raw(listed.subarray(0, -1)).varint(2 ** 50).finish()
    expect(() => readAll(lying)).toThrow("expected places that fits")
  })

  it("carry a reason of any text, cut to 500 characters and made well-formed", () => {
    const long: PeerMessage = { _tag: "Refused", request: 1, reason: "😀".repeat(400) }
    expect(readAll(write(long))).toEqual([{ ...long, reason: "😀".repeat(250) }])
    const torn: PeerMessage = { _tag: "Refused", request: 1, reason: `\ud83d${"x".repeat(600)}` }
    expect(readAll(write(torn))).toEqual([{ ...torn, reason: `\ufffd${"x".repeat(499)}` }])
  })
})
