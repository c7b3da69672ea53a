/**
 * Writes and reads the primitives of every binary format: varints, text, byte runs.
 *
 * Formats are canonical: one value has one encoding, because encodings are compared and hashed. A
 * reader never trusts its input: each overrun, over-long varint and ill-formed text is a
 * `Malformed` that says where, and nothing is allocated from a length before the length is checked.
 */

/** Bytes that do not follow the format: what was expected, and at which offset. */
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

export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>
  #length = 0

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
  }

  get length(): number {
    return this.#length
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
    this.#reserve(8)
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
    return this.bytes(encoder.encode(value))
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  /** A view of what was written, without a copy; the writer begins anew. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, this.#length)
    this.#bytes = new Uint8Array(0)
    this.#length = 0
    return taken
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #end: number
  #offset: number

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#offset = offset
    this.#end = end
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
    for (let count = 1; count <= 8; count++) {
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
    const view = this.#bytes.subarray(this.#offset, this.#offset + count)
    this.#offset += count
    return view
  }

  text(expected = "text"): string {
    const start = this.#offset
    const view = this.bytes(expected)
    if (view.length < 32) {
      let short = ""
      let i = 0
      for (; i < view.length; i++) {
        const code = view[i]!
        if (code > 0x7f) break
        short += String.fromCharCode(code)
      }
      if (i === view.length) return short
    }
    try {
      return decoder.decode(view)
    } catch {
      throw new Malformed(`${expected} in UTF-8`, start)
    }
  }

  /** Fails unless everything was read: trailing bytes are never ignored. */
  end(): void {
    if (this.remaining > 0) throw new Malformed("the end", this.#offset)
  }
}
