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
  headerBytesMax
} from "../../src/transport/Frame.ts"
import {
  type MessageFormat,
  readMessage,
  writeMessage
} from "../../src/transport/PeerMessageCodec.ts"
import { unlessMalformed } from "../core/codec/unlessMalformed.ts"
import {
  beforeVersion3,
  frameOfVersion1,
  frameOfVersion2,
  toVersion1,
  toVersion2
} from "./formerFrames.ts"
import {
  type GoldenFrame,
  goldenFrames,
  goldenFramesOfVersion1,
  goldenFramesOfVersion2,
  goldenRing
} from "./goldenFrames.ts"

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
  keyId: fc.option(fc.stringMatching(/^[0-9a-f]{15}[1-9a-f]$/u), { nil: undefined }),
  receiverClockMillis: fc.option(fc.integer({ min: 1 }), { nil: undefined }),
  heldMillis: fc.option(fc.integer({ min: 1 }), { nil: undefined }),
  position: fc.option(
    fc.record({ store: fc.nat(2 ** 31 - 1), changes: fc.integer({ min: 1 }) }),
    { nil: undefined }
  )
})
/** What earlier versions say: neither a key nor the receiver's last frame. */
const earlierHeaders = headers.map((header) => ({
  ...header,
  keyId: undefined,
  receiverClockMillis: undefined,
  heldMillis: undefined,
  position: undefined
}))
const content = fc.uint8Array({ maxLength: 200 })
type MessageBody = Extract<FrameBody, { readonly _tag: "Whole" | "Part" }>
const messageBodies: fc.Arbitrary<MessageBody> = fc.oneof(
  fc.record({ _tag: fc.constant("Whole" as const), messages: content }),
  fc.record({
    transfer: fc.maxSafeNat(),
    index: fc.maxSafeNat(),
    more: fc.integer({ min: 1, max: 1000 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 200 })
  }).filter(({ index, more }) => index + more >= 2 && Number.isSafeInteger(index + more))
    .map(({ bytes, index, more, transfer }): MessageBody => ({
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

const encodeVersion1 = (
  header: FrameHeader & { readonly ringDigest: string },
  body: MessageBody
) =>
  body._tag === "Whole"
    ? frameOfVersion1(header, body.messages)
    : frameOfVersion1(header, body.bytes, [body.transfer, body.index, body.count])

const encodeVersion2 = (header: FrameHeader, body: MessageBody) =>
  body._tag === "Whole"
    ? frameOfVersion2(header, body.messages)
    : frameOfVersion2(header, body.bytes, [body.transfer, body.index, body.count])

/** The body of an earlier version, which has no others. */
const messageBody = (body: FrameBody): MessageBody => {
  if (body._tag === "Whole" || body._tag === "Part") return body
  throw new Error("a body that no earlier version had was read")
}

/** Bytes that were read must be the very bytes that the frame is written as. */
const expectCanonical = (bytes: Uint8Array): void => {
  const frame = unlessMalformed(() => decode(bytes))
  if (frame === undefined) return
  const { body, format, header } = frame
  const written = format.version === 1
    ? encodeVersion1({ ...header, ringDigest: format.ringDigest }, messageBody(body))
    : format.version === 2
    ? encodeVersion2(header, messageBody(body))
    : encode(header, body)
  expect(hex(written)).toBe(hex(bytes))
}

const bodyOf = (
  { content, own, part }: GoldenFrame,
  write: (message: PeerMessage) => Uint8Array = written
): FrameBody => {
  if (own !== undefined) return own
  if (part !== undefined && content instanceof Uint8Array) {
    return { _tag: "Part", ...part, bytes: content }
  }
  const all = content instanceof Uint8Array ? [] : content
  return { _tag: "Whole", messages: new Uint8Array(Buffer.concat(all.map(write))) }
}

const written = (message: PeerMessage): Uint8Array => {
  const writer = new ByteWriter()
  writeMessage(writer, message, goldenRing)
  return writer.finish()
}

const messagesIn = (body: FrameBody, format: MessageFormat): ReadonlyArray<PeerMessage> => {
  const reader = new ByteReader(body._tag === "Whole" ? body.messages : new Uint8Array(0))
  const read: Array<PeerMessage> = []
  while (reader.remaining > 0) {
    const { message, ring = goldenRing } = readMessage(reader, format)
    expect(ring).toBe(goldenRing)
    read.push(message)
  }
  return read
}

/** Messages of versions 1 and 2 are those of version 3, but that no replica says it is complete. */
const expectOlder = ({ content }: GoldenFrame, messages: ReadonlyArray<PeerMessage>): void => {
  if (!(content instanceof Uint8Array)) expect(messages).toEqual(content.map(beforeVersion3))
}

describe("a frame", () => {
  it("is read back as written", () => {
    fc.assert(fc.property(headers, bodies, (header, body) => {
      expect(decode(encode(header, body))).toEqual({ header, body, format: { version: 3 } })
    }))
  })

  it("of version 2 is read without a key and without the receiver's last frame", () => {
    fc.assert(fc.property(earlierHeaders, messageBodies, (header, body) => {
      expect(decode(encodeVersion2(header, body)))
        .toEqual({ header, body, format: { version: 2 } })
    }))
  })

  it("of version 1 is read with the ring that its header names", () => {
    fc.assert(fc.property(earlierHeaders, messageBodies, fc.string(), (header, body, text) => {
      const ringDigest = text.toWellFormed()
      const bytes = encodeVersion1({ ...header, ringDigest }, body)
      expect(decode(bytes)).toEqual({ header, body, format: { version: 1, ringDigest } })
    }))
  })

  it("adds no more to its content than is set aside for the header", () => {
    const header: FrameHeader = {
      cluster: "c".repeat(64),
      partitionCount: Number.MAX_SAFE_INTEGER,
      senderIncarnation: "z".repeat(15),
      receiverIncarnation: "z".repeat(15),
      clockMillis: Number.MAX_SAFE_INTEGER,
      keyId: "f".repeat(16),
      receiverClockMillis: Number.MAX_SAFE_INTEGER,
      heldMillis: Number.MAX_SAFE_INTEGER,
      position: { store: Number.MAX_SAFE_INTEGER, changes: Number.MAX_SAFE_INTEGER }
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
    const noise = fc.tuple(fc.constantFrom(1, 2, 3), fc.uint8Array({ maxLength: 60 }))
      .map(([version, bytes]) => Uint8Array.of(version, ...bytes))
    fc.assert(fc.property(noise, expectCanonical), { numRuns: 2000 })
  })

  it("is refused where its header is cut off, or of another version", () => {
    const bytes = encode(goldenFrames["empty"]!.header, bodyOf(goldenFrames["empty"]!))
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decode(bytes.subarray(0, length))).toThrow(Malformed)
    }
    expect(() => decode(Uint8Array.of(4, ...bytes.slice(1)))).toThrow(
      "expected a frame of version 1, 2 or 3 at byte 0"
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

describe("frame version 3", () => {
  const folder = new URL("../golden/frame-3/", import.meta.url)

  it("is known by golden bytes, each of which is tested here", () => {
    const names = Object.keys(goldenFrames).map((name) => `${name}.hex`)
    expect(readdirSync(folder).sort()).toEqual(names.sort())
  })

  it.each(Object.entries(goldenFrames))("reads and writes its golden bytes: %s", (name, golden) => {
    const file = new URL(`${name}.hex`, folder)
    const { header } = golden
    const body = bodyOf(golden)
    if (process.env["EVERWRITE_REWRITE"] === "1") {
      writeFileSync(file, `${hex(encode(header, body))}\n`)
    }
    const bytes = readFileSync(file, "utf8").trim()
    expect(hex(encode(header, body))).toBe(bytes)
    const format = { version: 3 } as const
    expect(decode(fromHex(bytes))).toEqual({ header, body, format })
    if (body._tag === "Whole") expect(messagesIn(body, format)).toEqual(golden.content)
  })
})

describe("frame version 2", () => {
  const folder = new URL("../golden/frame-2/", import.meta.url)

  it("is known by golden bytes, each of which is tested here", () => {
    const names = Object.keys(goldenFramesOfVersion2).map((name) => `${name}.hex`)
    expect(readdirSync(folder).sort()).toEqual(names.sort())
  })

  it.each(Object.entries(goldenFramesOfVersion2))(
    "has its golden bytes read: %s",
    (name, golden) => {
      const bytes = fromHex(readFileSync(new URL(`${name}.hex`, folder), "utf8").trim())
      const { body, format, header } = decode(bytes)
      expect(header).toEqual(golden.header)
      expect(format).toEqual({ version: 2 })
      expect(body).toEqual(bodyOf(golden, (message) => toVersion2(message, goldenRing)))
      expectOlder(golden, messagesIn(body, format))
    }
  )
})

describe("frame version 1", () => {
  const folder = new URL("../golden/frame-1/", import.meta.url)

  it("is known by golden bytes, each of which is tested here", () => {
    const names = Object.keys(goldenFramesOfVersion1).map((name) => `${name}.hex`)
    expect(readdirSync(folder).sort()).toEqual(names.sort())
  })

  it.each(Object.entries(goldenFramesOfVersion1))(
    "has its golden bytes read: %s",
    (name, golden) => {
      const bytes = fromHex(readFileSync(new URL(`${name}.hex`, folder), "utf8").trim())
      const { body, format, header } = decode(bytes)
      expect(header).toEqual(golden.header)
      expect(format).toEqual({ version: 1, ringDigest: goldenRing })
      expect(body).toEqual(bodyOf(golden, toVersion1))
      expectOlder(golden, messagesIn(body, format))
    }
  )
})
