// Checks that frames are read back as written, that their bytes stay the same, and that nothing
// else is read at all.
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import { ByteReader, ByteWriter, Malformed } from "../../src/core/codec/Bytes.ts"
import {
  decode,
  encode,
  type FrameBody,
  type FrameHeader,
  headerBytesMax,
  layout
} from "../../src/transport/Frame.ts"
import { readMessage, writeMessage } from "../../src/transport/PeerMessageCodec.ts"
import { unlessMalformed } from "../core/codec/unlessMalformed.ts"
import { type GoldenFrame, goldenFrames, goldenRing } from "./goldenFrames.ts"
import { testSeal } from "./testSeals.ts"

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"))

const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,63}$/u)
const incarnation = fc.stringMatching(/^[0-9a-z]{15}$/u)
const headers: fc.Arbitrary<FrameHeader> = fc.record({
  cluster: name,
  partitionCount: fc.integer({ min: 1, max: 65_536 }),
  senderIncarnation: incarnation,
  receiverIncarnation: fc.oneof(incarnation, fc.constant("")),
  clockMillis: fc.maxSafeNat(),
  number: fc.nat(2 ** 48 - 1),
  receiverClockMillis: fc.option(fc.integer({ min: 1 }), { nil: undefined }),
  heldMillis: fc.option(fc.integer({ min: 1 }), { nil: undefined }),
  position: fc.option(
    fc.record({ store: fc.nat(2 ** 31 - 1), changes: fc.integer({ min: 1 }) }),
    { nil: undefined }
  )
})
const content = fc.uint8Array({ maxLength: 200 })
const messageBodies: fc.Arbitrary<FrameBody> = fc.oneof(
  fc.record({ _tag: fc.constant("Whole" as const), messages: content }),
  fc.record({
    transfer: fc.maxSafeNat(),
    index: fc.maxSafeNat(),
    more: fc.integer({ min: 1, max: 1000 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 200 })
  }).filter(({ index, more }) => index + more >= 2 && Number.isSafeInteger(index + more))
    .map(({ bytes, index, more, transfer }): FrameBody => ({
      _tag: "Part",
      transfer,
      index,
      count: index + more,
      bytes
    }))
)
const bodies: fc.Arbitrary<FrameBody> = fc.oneof(
  messageBodies,
  fc.record({ transfer: fc.maxSafeNat(), bits: fc.uint8Array({ minLength: 1, maxLength: 9 }) })
    .map(({ bits, transfer }): FrameBody => ({
      _tag: "Missing",
      transfer,
      count: bits.length * 8,
      missing: bits
    })),
  fc.record({
    _tag: fc.constantFrom("Probe" as const, "ProbeAnswer" as const),
    nonce: fc.stringMatching(/^[0-9a-z]{26}$/u),
    startedAs: incarnation,
    storeId: fc.stringMatching(/^[0-9a-z]{26}$/u),
    isNamed: fc.boolean()
  })
)

/** Bytes that were read must be the very bytes that the frame is written as. */
const expectCanonical = (bytes: Uint8Array): void => {
  const frame = unlessMalformed(() => decode(bytes))
  if (frame === undefined) return
  const { body, header } = frame
  // MAC and key are not decoded.
  const written = encode(header, body)
  written.set(bytes.subarray(layout.mac, layout.incarnation), layout.mac)
  expect(hex(written)).toBe(hex(bytes))
}

const bodyOf = ({ content, own, part }: GoldenFrame): FrameBody => {
  if (own !== undefined) return own
  if (part !== undefined && content instanceof Uint8Array) {
    return { _tag: "Part", ...part, bytes: content }
  }
  const all = content instanceof Uint8Array ? [] : content
  return { _tag: "Whole", messages: new Uint8Array(Buffer.concat(all.map(written))) }
}

const written = (message: PeerMessage): Uint8Array => {
  const writer = new ByteWriter()
  writeMessage(writer, message, goldenRing)
  return writer.finish()
}

const messagesIn = (body: FrameBody): ReadonlyArray<PeerMessage> => {
  const reader = new ByteReader(body._tag === "Whole" ? body.messages : new Uint8Array(0))
  const read: Array<PeerMessage> = []
  while (reader.remaining > 0) {
    const { message, ring = goldenRing } = readMessage(reader)
    expect(ring).toBe(goldenRing)
    read.push(message)
  }
  return read
}

describe("a frame", () => {
  it("is read back as written", () => {
    fc.assert(fc.property(headers, bodies, (header, body) => {
      expect(decode(encode(header, body))).toEqual({ header, body })
    }))
  })

  it("adds no more to its content than is set aside for the header", () => {
    const header: FrameHeader = {
      cluster: "c".repeat(64),
      partitionCount: Number.MAX_SAFE_INTEGER,
      senderIncarnation: "z".repeat(15),
      receiverIncarnation: "z".repeat(15),
      clockMillis: Number.MAX_SAFE_INTEGER,
      number: 2 ** 48 - 1,
      receiverClockMillis: Number.MAX_SAFE_INTEGER,
      heldMillis: Number.MAX_SAFE_INTEGER,
      position: { store: 2 ** 32 - 1, changes: Number.MAX_SAFE_INTEGER }
    }
    const most = Number.MAX_SAFE_INTEGER
    const bytes = new Uint8Array(1)
    const part = { _tag: "Part", transfer: most, index: most - 1, count: most, bytes } as const
    expect(encode(header, part).length).toBeLessThanOrEqual(headerBytesMax + 1)
  })

  it("of a clock before 1970 or between milliseconds has a time all the same", () => {
    const { header } = goldenFrames["empty"]!
    const body = bodyOf(goldenFrames["empty"]!)
    const clockOf = (clockMillis: number) =>
      decode(encode({ ...header, clockMillis }, body)).header.clockMillis
    expect(clockOf(-5)).toBe(0)
    expect(clockOf(1.75)).toBe(1)
  })

  it("is refused as `Malformed` or is another frame, whichever bit flips", () => {
    for (const golden of Object.values(goldenFrames)) {
      const bytes = encode(golden.header, bodyOf(golden))
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = bytes.slice()
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        expectCanonical(flipped)
      }
    }
  })

  it("is refused as `Malformed` or is a frame when it is noise", () => {
    const noise = fc.tuple(fc.constantFrom(1, 2, 3, 4), fc.uint8Array({ maxLength: 120 }))
      .map(([version, bytes]) => Uint8Array.of(version, ...bytes))
    fc.assert(fc.property(noise, expectCanonical), { numRuns: 2000 })
  })

  it("is refused where its header is cut off, or of another version", () => {
    const bytes = encode(goldenFrames["empty"]!.header, bodyOf(goldenFrames["empty"]!))
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decode(bytes.subarray(0, length))).toThrow(Malformed)
    }
    expect(() => decode(Uint8Array.of(5, ...bytes.slice(1)))).toThrow(
      "expected a frame of version 4 at byte 0"
    )
  })

  it.each([
    ["with a bit too few", { count: 9, missing: Uint8Array.of(1) }],
    ["of one part", { count: 1, missing: Uint8Array.of(1) }]
  ])("is refused as a question for parts %s", (_, missing) => {
    const { header } = goldenFrames["part"]!
    const bytes = encode(header, { _tag: "Missing", transfer: 1, ...missing })
    expect(() => decode(bytes)).toThrow(Malformed)
  })

  it.each([
    ["the only one", { index: 0, count: 1, bytes: Uint8Array.of(1) }],
    ["beyond the last", { index: 2, count: 2, bytes: Uint8Array.of(1) }],
    ["without content", { index: 0, count: 2, bytes: new Uint8Array(0) }]
  ])("is refused as a part that is %s", (_, part) => {
    const { header } = goldenFrames["part"]!
    const bytes = encode(header, { _tag: "Part", transfer: 1, ...part })
    expect(() => decode(bytes)).toThrow(Malformed)
  })
})

describe("a header", () => {
  const { header } = goldenFrames["empty"]!
  const whole = { _tag: "Whole", messages: new Uint8Array(0) } as const

  it.each([
    ["a sender's incarnation of other characters", { senderIncarnation: "0MI8DFXMOABCDEF" }],
    ["a receiver's incarnation of another length", { receiverIncarnation: "0".repeat(14) }],
    ["a receiver's incarnation of a megabyte", { receiverIncarnation: "0".repeat(2 ** 20) }],
    ["a cluster's name that is none", { cluster: "Test" }],
    ["a cluster's name of a megabyte", { cluster: "c".repeat(2 ** 20) }],
    ["a store beyond 32 bits", { position: { store: 2 ** 32, changes: 1 } }]
  ])("is refused with %s", (_, wrong) => {
    expect(() => decode(encode({ ...header, ...wrong }, whole))).toThrow(Malformed)
  })

  it.each([
    ["nonce", { nonce: "" }],
    ["store's id", { storeId: "0".repeat(65) }],
    ["incarnation", { startedAs: "0" }]
  ])("is refused with a probe's %s that is none", (_, wrong) => {
    const identity = { nonce: "a", storeId: "b", startedAs: "0".repeat(15), isNamed: true }
    expect(() => decode(encode(header, { _tag: "Probe", ...identity, ...wrong })))
      .toThrow(Malformed)
  })
})

describe("frame version 4", () => {
  const folder = new URL("../golden/frame-4/", import.meta.url)
  const subject = "everwrite.test.v1.peer.n1.from.n2"

  it("is known by golden bytes, each of which is tested here", () => {
    const names = Object.keys(goldenFrames).map((name) => `${name}.hex`)
    expect(readdirSync(folder).sort()).toEqual(names.sort())
  })

  it.each(Object.entries(goldenFrames))("reads and writes its golden bytes: %s", (name, golden) => {
    const file = new URL(`${name}.hex`, folder)
    const { header } = golden
    const body = bodyOf(golden)
    const sealed = encode(header, body)
    testSeal.seal(subject, sealed)
    if (process.env["EVERWRITE_REWRITE"] === "1") writeFileSync(file, `${hex(sealed)}\n`)
    const bytes = readFileSync(file, "utf8").trim()
    expect(hex(sealed)).toBe(bytes)
    expect(testSeal.prove(subject, fromHex(bytes))).toBe("proved")
    expect(decode(fromHex(bytes))).toEqual({ header, body })
    if (body._tag === "Whole") expect(messagesIn(body)).toEqual(golden.content)
  })
})

describe.each([1, 2, 3])("frame version %i", (version) => {
  const folder = new URL(`../golden/frame-${version}/`, import.meta.url)

  it.each(readdirSync(folder))("is refused, since it has no MAC: %s", (name) => {
    const bytes = fromHex(readFileSync(new URL(name, folder), "utf8").trim())
    expect(bytes[0]).toBe(version)
    expect(testSeal.prove("everwrite.test.v1.peer.n1.from.n2", bytes)).toBe("forged")
    expect(() => decode(bytes)).toThrow("expected a frame of version 4 at byte 0")
  })
})
