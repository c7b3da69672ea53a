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
  readonly held: LocalDocument
  readonly bytes: number
}

export class DocumentCache {
  readonly #bytesMax: number
  /** In the order of last use. */
  readonly #cached = new Map<string, Cached>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get(key: RowKey): LocalDocument | undefined {
    const name = textOf(key)
    const cached = this.#cached.get(name)
    if (cached === undefined) return undefined
    this.#cached.delete(name)
    this.#cached.set(name, cached)
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
    this.#forget(name)
    const bytes = memoryOf(held.document, { encodedBytes, name })
    if (bytes > this.#bytesMax) return
    this.#cached.set(name, { held, bytes })
    this.#bytes += bytes
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
