/**
 * Remembers documents that were read or written lately, decoded, so that the next request for one
 * costs neither a read nor a decoding. It is asked for documents, never whether one is stored.
 *
 * Bounded by the memory that the documents take, decoded; the document that was not used longest
 * goes first.
 */
import { type RowKey, textOf } from "../core/model/RowKey.ts"
import type { LocalDocument } from "./LocalDocument.ts"
import { memoryOf } from "./MemoryOf.ts"

interface Cached {
  held: LocalDocument
  bytes: number
}

export class DocumentCache {
  readonly #bytesMax: number
  /** In the order of last use. */
  readonly #cached = new Map<string, Cached>()
  /** The name of the last one: a write sets the document that it has just read. */
  #last = ""
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get(key: RowKey): LocalDocument | undefined {
    const name = textOf(key)
    const cached = this.#cached.get(name)
    if (cached === undefined) return undefined
    if (name !== this.#last) {
      this.#cached.delete(name)
      this.#cached.set(name, cached)
      this.#last = name
    }
    return cached.held
  }

  /** Of memory, that the documents take. */
  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#cached.size
  }

  /** `encodedBytes` is the size of the document, encoded. */
  set(key: RowKey, held: LocalDocument, encodedBytes: number): void {
    const name = textOf(key)
    const bytes = memoryOf(held.document, { encodedBytes, name })
    const last = name === this.#last ? this.#cached.get(name) : undefined
    if (last === undefined || bytes > this.#bytesMax) {
      this.#forget(name)
      if (bytes > this.#bytesMax) return
      this.#cached.set(name, { held, bytes })
      this.#last = name
      this.#bytes += bytes
    } else {
      this.#bytes += bytes - last.bytes
      last.held = held
      last.bytes = bytes
    }
    if (this.#bytes > this.#bytesMax) this.#forgetOldest()
  }

  #forgetOldest(): void {
    for (const oldest of this.#cached.keys()) {
      if (this.#bytes <= this.#bytesMax) return
      this.#forget(oldest)
    }
  }

  clear(): void {
    this.#cached.clear()
    this.#bytes = 0
  }

  #forget(name: string): void {
    const cached = this.#cached.get(name)
    if (cached === undefined) return
    this.#cached.delete(name)
    this.#bytes -= cached.bytes
  }
}
