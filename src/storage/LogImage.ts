/**
 * Holds in memory the records of one file of the log, as they lie in the file, until they are
 * folded: one piece, which goes to another thread and comes back as it is.
 */
import { recordBytes, writeRecord } from "./LogFormat.ts"

export class LogImage {
  readonly #limits: { readonly bytesMax: number; readonly growthBytes: number }
  #bytes = Buffer.alloc(0)
  #length = 0

  /** `bytesMax`: of a file's records. `growthBytes`: by which it grows at least. */
  constructor(limits: { readonly bytesMax: number; readonly growthBytes: number }) {
    this.#limits = limits
  }

  get length(): number {
    return this.#length
  }

  /** All records. */
  get records(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Writes a record behind the others; it is one of them once it is kept. */
  write(record: {
    readonly groups: ReadonlyArray<Uint8Array>
    readonly contentBytes: number
    readonly number: number
    readonly previous: number
  }): Uint8Array<ArrayBuffer> {
    const end = this.#length + recordBytes(record.contentBytes)
    if (end > this.#bytes.length) this.#grow(end)
    const bytes = this.#bytes.subarray(this.#length, end)
    writeRecord(bytes, record)
    return bytes
  }

  /** The record that was just written is one of them. */
  keep(record: Uint8Array): void {
    this.#length += record.length
  }

  /** Forgets all records, and takes back the memory that went to another thread with them. */
  clear(memory?: ArrayBuffer): void {
    if (memory !== undefined) this.#bytes = Buffer.from(memory)
    this.#length = 0
  }

  /** The memory that went to another thread is back, with all records. */
  restore(memory: ArrayBuffer): void {
    this.#bytes = Buffer.from(memory)
  }

  #grow(least: number): void {
    const { bytesMax, growthBytes } = this.#limits
    const { length } = this.#bytes
    const roomy = Math.min(Math.max(length * 2, length + growthBytes), bytesMax)
    const grown = Buffer.alloc(Math.max(least, roomy))
    grown.set(this.records)
    this.#bytes = grown
  }
}
