// Checks that bytes are read back as written, and that no other bytes are read at all.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ByteReader, ByteWriter, Malformed } from "../../../src/core/codec/Bytes.ts"
import { InvariantViolation } from "../../../src/core/Invariant.ts"
import { unlessMalformed } from "./unlessMalformed.ts"

const safe = fc.maxSafeNat()
const varint = fc.oneof(safe, fc.nat(300), fc.nat(52).map((bits) => 2 ** bits))
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.string({ unit: "grapheme-ascii", maxLength: 200 }),
  fc.constantFrom(
    "\ufeffafter a byte order mark",
    "a".repeat(63),
    "a".repeat(64),
    "é".repeat(63),
    "é".repeat(64),
    "a".repeat(127) + "é",
    "a".repeat(128)
  )
)

const item = fc.oneof(
  fc.record({ kind: fc.constant("byte" as const), value: fc.nat(255) }),
  fc.record({ kind: fc.constant("varint" as const), value: varint }),
  fc.record({ kind: fc.constant("bytes" as const), value: fc.uint8Array({ maxLength: 300 }) }),
  fc.record({ kind: fc.constant("text" as const), value: text }),
  fc.record({ kind: fc.constant("hex" as const), value: fc.stringMatching(/^[0-9a-f]{16}$/u) })
)
type Item = typeof item extends fc.Arbitrary<infer I> ? I : never

const write = (items: ReadonlyArray<Item>, capacity = 8): Uint8Array => {
  const writer = new ByteWriter(capacity)
  for (const { kind, value } of items) {
    if (kind === "byte") writer.byte(value)
    else if (kind === "varint") writer.varint(value)
    else if (kind === "bytes") writer.bytes(value)
    else if (kind === "hex") writer.hex(value)
    else writer.text(value)
  }
  const bytes = writer.finish()
  expect(writer.length).toBe(bytes.length)
  expect(writer.take()).toEqual(bytes)
  expect(writer.byte(1).finish()).toEqual(Uint8Array.of(1))
  return bytes
}

/** Reads items of the given kinds until the end. */
const read = (kinds: ReadonlyArray<Item["kind"]>, bytes: Uint8Array): ReadonlyArray<Item> => {
  const reader = new ByteReader(bytes)
  const items = kinds.map((kind): Item => {
    if (kind === "byte") return { kind, value: reader.byte() }
    if (kind === "varint") return { kind, value: reader.varint() }
    if (kind === "bytes") return { kind, value: reader.bytes().slice() }
    if (kind === "hex") return { kind, value: reader.hex(8) }
    return { kind, value: reader.text() }
  })
  reader.end()
  return items
}

describe("bytes", () => {
  it("are read back as written", () => {
    fc.assert(fc.property(fc.array(item), fc.nat(64), (items, capacity) => {
      const kinds = items.map(({ kind }) => kind)
      expect(read(kinds, write(items, capacity))).toEqual(items)
    }))
  })

  it("are refused where the last are missing or one is left over", () => {
    fc.assert(fc.property(fc.array(item, { minLength: 1 }), fc.nat(255), (items, extra) => {
      const kinds = items.map(({ kind }) => kind)
      const bytes = write(items)
      for (let length = 0; length < bytes.length; length++) {
        expect(() => read(kinds, bytes.subarray(0, length))).toThrow(Malformed)
      }
      expect(() => read(kinds, Uint8Array.of(...bytes, extra))).toThrow(Malformed)
    }))
  })

  it("that are garbage are refused, or are the one encoding of the value that was read", () => {
    const kinds = fc.array(fc.constantFrom<Item["kind"]>("byte", "varint", "bytes", "text", "hex"))
    fc.assert(
      fc.property(kinds, fc.uint8Array({ maxLength: 40 }), (kinds, bytes) => {
        const items = unlessMalformed(() => read(kinds, bytes))
        if (items !== undefined) expect(write(items)).toEqual(bytes)
      }),
      { numRuns: 2000 }
    )
  })

  it("say where they are wrong", () => {
    const reader = new ByteReader(
      write([{ kind: "text", value: "ok" }, { kind: "byte", value: 9 }])
    )
    reader.text()
    expect(() => reader.text("a name")).toThrow("expected a name that fits at byte 3")
  })
})

const bytes = fc.uint8Array({ maxLength: 40 })

describe("a writer", () => {
  it("shows written bytes without a copy, and copies them for callers that keep them", () => {
    const writer = new ByteWriter(64).raw(Uint8Array.of(1, 2, 3))
    const [view, copy] = [writer.view(), writer.finish()]
    writer.overwrite(1, Uint8Array.of(9))
    expect([...view]).toEqual([1, 9, 3])
    expect([...copy]).toEqual([1, 2, 3])
    expect([...writer.view(1)]).toEqual([9, 3])
    expect([...writer.view(1, 2)]).toEqual([9])
  })

  it("fills the room that it left as if that had been written in its turn", () => {
    fc.assert(fc.property(bytes, bytes, bytes, (before, room, after) => {
      const writer = new ByteWriter(1).raw(before).skip(room.length).raw(after)
      writer.overwrite(before.length, room)
      expect([...writer.view()]).toEqual([...before, ...room, ...after])
    }))
  })

  it("that is cut goes on from there, in the same buffer", () => {
    fc.assert(fc.property(bytes, bytes, bytes, (kept, cut, next) => {
      const writer = new ByteWriter(120).raw(kept).raw(cut).truncate(kept.length).raw(next)
      expect([...writer.view()]).toEqual([...kept, ...next])
      expect(writer.capacity).toBe(120)
    }))
  })

  it("refuses to write over or to cut bytes that it does not hold", () => {
    const writer = new ByteWriter(64).varint(1)
    expect(() => writer.overwrite(0, Uint8Array.of(1, 2))).toThrow(InvariantViolation)
    expect(() => writer.overwrite(-1, Uint8Array.of(1))).toThrow(InvariantViolation)
    expect(() => writer.truncate(2)).toThrow(InvariantViolation)
  })

  it.each(["0g", "A0", "é0", "0"])("refuses %s, which is no digest", (digits) => {
    expect(() => new ByteWriter().hex(digits)).toThrow(InvariantViolation)
  })

  it("writes text that ends where its buffer does, with any size of its length", () => {
    for (const value of ["é".repeat(64), "a".repeat(126) + "é", "€".repeat(43)]) {
      for (let capacity = 0; capacity < 300; capacity++) {
        const writer = new ByteWriter(capacity).byte(7).text(value).byte(8)
        const reader = new ByteReader(writer.view())
        expect([reader.byte(), reader.text(), reader.byte()]).toEqual([7, value, 8])
      }
    }
    for (const value of ["€".repeat(5500), `${"a".repeat(16_382)}€`]) {
      expect(new ByteReader(new ByteWriter(8).text(value).view()).text()).toBe(value)
    }
  })
})

describe("varints", () => {
  it("take seven bits a byte, and eight bytes up to 2^53 - 1", () => {
    const values = [0, 127, 128, 2 ** 14 - 1, 2 ** 14, 2 ** 49 - 1, 2 ** 49, 2 ** 53 - 1]
    expect(values.map((value) => new ByteWriter().varint(value).length))
      .toEqual([1, 1, 2, 2, 3, 7, 8, 8])
  })

  it.each([
    ["zero in two bytes", [0x80, 0]],
    ["one in two bytes", [0x81, 0]],
    ["one in eight bytes", [0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]],
    ["2^53", [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ["nine bytes", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]],
    ["bytes without an end", Array.from({ length: 64 }, () => 0xff)]
  ])("%s are refused", (_, bytes) => {
    expect(() => new ByteReader(Uint8Array.from(bytes)).varint()).toThrow(Malformed)
  })
})

describe("lengths", () => {
  it("beyond the input are refused before anything is made of them", () => {
    fc.assert(fc.property(safe, fc.uint8Array({ maxLength: 20 }), (length, rest) => {
      fc.pre(length > rest.length)
      const bytes = new ByteWriter().varint(length).raw(rest).finish()
      expect(() => new ByteReader(bytes).bytes()).toThrow(Malformed)
      expect(() => new ByteReader(bytes).text()).toThrow(Malformed)
      expect(() => new ByteReader(bytes).count("things")).toThrow(Malformed)
      expect(() => new ByteReader(rest).raw(length)).toThrow(Malformed)
    }))
  })

  it("of counts are refused where the least size of so many things does not fit", () => {
    const bytes = new ByteWriter().varint(3).raw(new Uint8Array(8)).finish()
    expect(new ByteReader(bytes).count("things", 2)).toBe(3)
    expect(() => new ByteReader(bytes).count("things", 3)).toThrow(Malformed)
  })

  it("allocate nothing: a byte run is a view of the input", () => {
    const bytes = write([{ kind: "bytes", value: new Uint8Array(1000) }])
    expect(new ByteReader(bytes).bytes().buffer).toBe(bytes.buffer)
  })

  it("stop at the end that the reader was given, though the bytes go on", () => {
    const reader = new ByteReader(Uint8Array.of(9, 1, 2, 3), 1, 3)
    expect(reader.remaining).toBe(2)
    expect([reader.byte(), reader.byte()]).toEqual([1, 2])
    expect(() => reader.byte()).toThrow(Malformed)
  })
})

describe("text", () => {
  it.each([
    ["a stray continuation byte", [0x80]],
    ["an over-long slash", [0xc0, 0xaf]],
    ["half a surrogate pair", [0xed, 0xa0, 0x80]],
    ["a character cut off", [0xe2, 0x82]],
    ["a character beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80]]
  ])("with %s is refused, short or long", (_, bad) => {
    const long = [...Array.from({ length: 40 }, () => 0x61), ...bad]
    for (const bytes of [bad, long]) {
      expect(() => new ByteReader(Uint8Array.of(bytes.length, ...bytes)).text()).toThrow(Malformed)
    }
  })
})
