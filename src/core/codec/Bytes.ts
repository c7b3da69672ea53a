/**
 * Writes and reads the primitives of every binary format: varints, text, byte runs.
 *
 * Formats are canonical: one value has one encoding, because encodings are compared and hashed. A
 * reader never trusts its input: each overrun, over-long varint and ill-formed text is a
 * `Malformed` that says where, and nothing is allocated from a length before the length is checked.
 */
import { invariant } from "../Invariant.ts"
import { varintLength } from "./EncodedLength.ts"
import type { RecurringTexts } from "./RecurringTexts.ts"

/** Bytes that do not follow the format: the expected content, and the offset. */
export class Malformed extends Error {
  override readonly name = "Malformed"
  readonly offset: number
  constructor(expected: string, offset: number) {
    super(`expected ${expected} at byte ${offset}`)
    this.offset = offset
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const varintBytesMax = 8

/** Texts up to here are looked through for ASCII, which is cheaper than to decode them. */
const asciiBytesMax = 1024

const nothing = new Uint8Array(0)

/** The value of a digit by its character code. */
const nibble = (code: number): number => {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  invariant(code >= 0x61 && code <= 0x66, "a digest is written in small hexadecimal digits")
  return code - 0x57
}

export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>
  #length = 0

  /** Writes into new bytes of this capacity, or over those that are given. */
  constructor(room: number | Uint8Array<ArrayBuffer> = 256) {
    this.#bytes = typeof room === "number" ? new Uint8Array(room) : room
  }

  /**
   * For bytes that nobody keeps: small ones lie in memory that many share, which costs less to get
   * than memory of their own, and stays as long as any of them is kept.
   */
  static passing(capacity: number): ByteWriter {
    return new ByteWriter(Buffer.allocUnsafe(capacity))
  }

  get length(): number {
    return this.#length
  }

  /** Bytes that it holds without growing. */
  get capacity(): number {
    return this.#bytes.length
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }

  byte(value: number): this {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
    return this
  }

  /** An integer from 0 to 2^53 - 1, seven bits a byte, lowest first. */
  varint(value: number): this {
    this.#reserve(varintBytesMax)
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#length++] = rest
    return this
  }

  /** A byte run with its length before it. */
  bytes(value: Uint8Array): this {
    this.varint(value.length)
    return this.raw(value)
  }

  /** A byte run whose length the reader knows. */
  raw(value: Uint8Array): this {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
    return this
  }

  /** Digits of a hash, two to a byte, whose number the reader knows. */
  hex(digits: string): this {
    const count = digits.length / 2
    invariant(Number.isInteger(count), "a digest is written in pairs of digits")
    this.#reserve(count)
    for (let i = 0; i < count; i++) {
      const byte = (nibble(digits.charCodeAt(2 * i)) << 4) | nibble(digits.charCodeAt(2 * i + 1))
      this.#bytes[this.#length + i] = byte
    }
    this.#length += count
    return this
  }

  /** Well-formed text as UTF-8 with its length in bytes before it. */
  text(value: string): this {
    const units = value.length
    // Short ASCII, the common case (ids, keys, small values), is copied without the encoder.
    if (units < 64) {
      this.#reserve(units + 1)
      const start = this.#length + 1
      let i = 0
      for (; i < units; i++) {
        const code = value.charCodeAt(i)
        if (code > 0x7f) break
        this.#bytes[start + i] = code
      }
      if (i === units) {
        this.#bytes[this.#length] = units
        this.#length = start + units
        return this
      }
    }
    return this.#encoded(value)
  }

  /** Text whose characters are bytes, with its length before it. */
  latin1(value: string): this {
    this.varint(value.length)
    this.#reserve(value.length)
    for (let i = 0; i < value.length; i++) this.#bytes[this.#length + i] = value.charCodeAt(i)
    this.#length += value.length
    return this
  }

  /**
   * Encodes in place, behind as many bytes as the length takes where all of it is ASCII. There is
   * room left behind it to move it on, since nothing beyond `#length` survives growing.
   */
  #encoded(value: string): this {
    const units = value.length
    const guess = varintLength(units)
    const start = this.#length + guess
    const encode = () =>
      encoder.encodeInto(value, this.#bytes.subarray(start, this.#bytes.length - varintBytesMax))
    this.#reserve(2 * varintBytesMax + units)
    let { read, written } = encode()
    if (read < units) {
      this.#reserve(2 * varintBytesMax + written + 3 * (units - read))
      written = encode().written
    }
    const shift = varintLength(written) - guess
    if (shift > 0) this.#bytes.copyWithin(start + shift, start, start + written)
    this.varint(written)
    this.#length += written
    return this
  }

  /** Leaves room for bytes that are known only later; `overwrite` fills it. */
  skip(count: number): this {
    this.#reserve(count)
    this.#length += count
    return this
  }

  /** Writes over what stands at `at`, which was written or skipped before. */
  overwrite(at: number, value: Uint8Array): this {
    invariant(at >= 0 && at + value.length <= this.#length, "bytes are written over others")
    this.#bytes.set(value, at)
    return this
  }

  /** Takes back what was written from `length` on. The buffer stays, to be written to again. */
  truncate(length: number): this {
    invariant(length >= 0 && length <= this.#length, "a writer is cut to less than it holds")
    this.#length = length
    return this
  }

  /**
   * The bytes written so far, without a copy: for use before anything more is written or taken
   * back.
   */
  view(start = 0, end = this.#length): Uint8Array {
    return this.#bytes.subarray(start, end)
  }

  /** A copy of what was written, for those who keep it. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  /** A view of what was written from `start` on, without a copy; the writer begins anew. */
  take(start = 0): Uint8Array<ArrayBuffer> {
    const isWhole = start === 0 && this.#length === this.#bytes.length
    const taken = isWhole ? this.#bytes : this.#bytes.subarray(start, this.#length)
    this.#bytes = nothing
    this.#length = 0
    return taken
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #end: number
  #offset: number
  #buffer: Buffer | undefined
  readonly #recurring: RecurringTexts | undefined

  /** `recurring`: texts that most likely stand in these bytes. */
  constructor(
    bytes: Uint8Array,
    offset = 0,
    end = bytes.length,
    recurring?: RecurringTexts
  ) {
    this.#recurring = recurring
    this.#bytes = bytes
    this.#offset = offset
    this.#end = end
  }

  /** The same bytes as Node's own kind, which makes text of a part without a view of the part. */
  #text(encoding: "hex" | "latin1", start: number, end: number): string {
    const bytes = this.#bytes
    this.#buffer ??= Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return this.#buffer.toString(encoding, start, end)
  }

  get offset(): number {
    return this.#offset
  }

  get remaining(): number {
    return this.#end - this.#offset
  }

  byte(expected = "a byte"): number {
    if (this.#offset >= this.#end) throw new Malformed(expected, this.#offset)
    return this.#bytes[this.#offset++]!
  }

  /** An integer from 0 to 2^53 - 1 in its shortest form. */
  varint(expected = "a varint"): number {
    const start = this.#offset
    let value = 0
    let scale = 1
    for (let count = 1; count <= varintBytesMax; count++) {
      const byte = this.byte(expected)
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if ((byte === 0 && count > 1) || value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      scale *= 0x80
    }
    throw new Malformed(`${expected} in its shortest form, below 2^53`, start)
  }

  /** A count of things that take at least `least` bytes each, so that no length can lie. */
  count(expected: string, least = 1): number {
    const start = this.#offset
    const count = this.varint(expected)
    if (count * least > this.remaining) throw new Malformed(`${expected} that fits`, start)
    return count
  }

  bytes(expected = "a byte run"): Uint8Array {
    return this.raw(this.count(expected), expected)
  }

  /** A view of the next `count` bytes; copy it before keeping it. */
  raw(count: number, expected = "a byte run"): Uint8Array {
    if (count > this.remaining) throw new Malformed(expected, this.#offset)
    if (count === 0) return nothing
    const view = this.#bytes.subarray(this.#offset, this.#offset + count)
    this.#offset += count
    return view
  }

  /** The digits of the next `count` bytes. */
  hex(count: number, expected = "a digest"): string {
    if (count > this.remaining) throw new Malformed(expected, this.#offset)
    const start = this.#offset
    this.#offset += count
    return this.#text("hex", start, this.#offset)
  }

  /** The next `count` bytes as a text of as many characters, each of which is one byte. */
  ascii(count: number, expected = "text"): string {
    if (count > this.remaining) throw new Malformed(expected, this.#offset)
    const start = this.#offset
    this.#offset += count
    return this.#text("latin1", start, this.#offset)
  }

  /** Passes over bytes. */
  skip(count: number, expected = "a byte run"): void {
    if (count > this.remaining) throw new Malformed(expected, this.#offset)
    this.#offset += count
  }

  text(expected = "text"): string {
    const at = this.#offset
    const count = this.count(expected)
    const start = this.#offset
    this.#offset += count
    const known = this.#recurring?.find(this.#bytes, start, count)
    if (known !== undefined) return known
    if (this.#isAscii(start, count)) {
      const text = this.#text("latin1", start, this.#offset)
      this.#recurring?.keep(text, this.#bytes, start)
      return text
    }
    try {
      return decoder.decode(this.#bytes.subarray(start, this.#offset))
    } catch {
      throw new Malformed(`${expected} in UTF-8`, at)
    }
  }

  /** Whether these bytes are known to be ASCII. */
  #isAscii(start: number, count: number): boolean {
    if (count > asciiBytesMax) return false
    for (let i = start; i < start + count; i++) if (this.#bytes[i]! > 0x7f) return false
    return true
  }

  /** Fails unless everything was read: trailing bytes are never ignored. */
  end(): void {
    if (this.remaining > 0) throw new Malformed("the end", this.#offset)
  }
}
