// Checks that frames are read back as written, that their bytes stay what they are, and that
// nothing else is read at all.
import { readdirSync, readFileSync } from "node:fs"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Malformed } from "../../src/core/codec/Bytes.ts"
import {
  decode,
  encode,
  type FrameBody,
  type FrameHeader,
  headerBytesMax
} from "../../src/transport/Frame.ts"
import { unlessMalformed } from "../core/codec/unlessMalformed.ts"
import { goldenFrames } from "./goldenFrames.ts"

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"))

const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,63}$/u)
const incarnation = fc.stringMatching(/^[0-9a-z]{15}$/u)
const headers: fc.Arbitrary<FrameHeader> = fc.record({
  cluster: name,
  partitionCount: fc.integer({ min: 1, max: 65_536 }),
  senderIncarnation: incarnation,
  receiverIncarnation: fc.oneof(incarnation, fc.constant("")),
  ringDigest: fc.stringMatching(/^[0-9a-f]{16}$/u),
  clockMillis: fc.maxSafeNat()
})
const content = fc.uint8Array({ maxLength: 200 })
const bodies: fc.Arbitrary<FrameBody> = fc.oneof(
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

/** Bytes that were read must be the very bytes that the frame is written as. */
const expectCanonical = (bytes: Uint8Array): void => {
  const frame = unlessMalformed(() => decode(bytes))
  if (frame !== undefined) expect(hex(encode(frame.header, frame.body))).toBe(hex(bytes))
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
      ringDigest: "f".repeat(16),
      clockMillis: Number.MAX_SAFE_INTEGER
    }
    const most = Number.MAX_SAFE_INTEGER
    const bytes = new Uint8Array(1)
    const part = { _tag: "Part", transfer: most, index: most - 1, count: most, bytes } as const
    expect(encode(header, part).length).toBeLessThanOrEqual(headerBytesMax + 1)
  })

  it("of a clock before 1970 or between milliseconds has a time all the same", () => {
    const { body, header } = goldenFrames["empty"]!
    const clockOf = (clockMillis: number) =>
      decode(encode({ ...header, clockMillis }, body)).header.clockMillis
    expect(clockOf(-5)).toBe(0)
    expect(clockOf(1.75)).toBe(1)
  })

  it("is refused as `Malformed` or is another frame, whichever bit flips", () => {
    for (const { body, header } of Object.values(goldenFrames)) {
      const bytes = encode(header, body)
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = bytes.slice()
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        expectCanonical(flipped)
      }
    }
  })

  it("is refused as `Malformed` or is a frame when it is noise", () => {
    const noise = fc.uint8Array({ maxLength: 60 }).map((bytes) => Uint8Array.of(1, ...bytes))
    fc.assert(fc.property(noise, expectCanonical), { numRuns: 2000 })
  })

  it("is refused where its header is cut off, or of another protocol", () => {
    const { body, header } = goldenFrames["empty"]!
    const bytes = encode(header, body)
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decode(bytes.subarray(0, length))).toThrow(Malformed)
    }
    expect(() => decode(Uint8Array.of(2, ...bytes.slice(1)))).toThrow(
      "expected protocol version 1 at byte 0"
    )
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

describe("frame format 1", () => {
  const folder = new URL("../golden/frame-1/", import.meta.url)

  it("is known by golden bytes, each of which is tested here", () => {
    const names = Object.keys(goldenFrames).map((name) => `${name}.hex`)
    expect(readdirSync(folder).sort()).toEqual(names.sort())
  })

  it.each(Object.entries(goldenFrames))("reads and writes its golden bytes: %s", (name, frame) => {
    const golden = readFileSync(new URL(`${name}.hex`, folder), "utf8").trim()
    expect(hex(encode(frame.header, frame.body))).toBe(golden)
    expect(decode(fromHex(golden))).toEqual(frame)
  })
})
