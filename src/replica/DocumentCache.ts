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

interface Cached<Held> {
  readonly name: string
  held: Held
  bytes: number
  /** The one that was used next after this one. */
  newer: Cached<Held> | undefined
  /** The one that was used last before this one. */
  older: Cached<Held> | undefined
}

/**
 * The documents are also a list in the order of their last use: to move one there costs less than
 * to insert it again into the map.
 */
export class DocumentCache<Held extends LocalDocument = LocalDocument> {
  readonly #bytesMax: number
  readonly #cached = new Map<string, Cached<Held>>()
  #newest: Cached<Held> | undefined
  #oldest: Cached<Held> | undefined
  #bytes = 0
  /** The last document looked for: a write sets the one that it got. */
  #last: { readonly key: RowKey; readonly cached: Cached<Held> | undefined } | undefined

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get(key: RowKey): Held | undefined {
    const cached = this.#cached.get(textOf(key))
    this.#last = { key, cached }
    if (cached === undefined) return undefined
    this.#use(cached)
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
  set(key: RowKey, held: Held, encodedBytes: number): void {
    const name = textOf(key)
    const bytes = memoryOf(held.document, { encodedBytes, name })
    const known = this.#last?.key === key ? this.#last.cached : this.#cached.get(name)
    if (bytes > this.#bytesMax) {
      if (known !== undefined) this.#forget(known)
      return
    }
    if (known === undefined) this.#add(name, held, bytes)
    else {
      this.#bytes += bytes - known.bytes
      known.held = held
      known.bytes = bytes
      this.#use(known)
    }
    while (this.#bytes > this.#bytesMax && this.#oldest !== undefined) this.#forget(this.#oldest)
  }

  /** Texts of the keys of one partition's documents. */
  namesIn(partition: number): ReadonlyArray<string> {
    return [...this.#cached.keys()].filter((name) => name.startsWith(`${partition}\0`))
  }

  delete(key: RowKey): void {
    const known = this.#cached.get(textOf(key))
    if (known !== undefined) this.#forget(known)
  }

  clear(): void {
    this.#last = undefined
    this.#cached.clear()
    this.#newest = undefined
    this.#oldest = undefined
    this.#bytes = 0
  }

  #add(name: string, held: Held, bytes: number): void {
    const cached: Cached<Held> = { name, held, bytes, newer: undefined, older: undefined }
    this.#last = undefined
    this.#cached.set(name, cached)
    this.#bytes += bytes
    this.#append(cached)
  }

  #use(cached: Cached<Held>): void {
    if (cached === this.#newest) return
    this.#takeOut(cached)
    this.#append(cached)
  }

  #forget(cached: Cached<Held>): void {
    this.#last = undefined
    this.#cached.delete(cached.name)
    this.#bytes -= cached.bytes
    this.#takeOut(cached)
  }

  #append(cached: Cached<Held>): void {
    cached.older = this.#newest
    cached.newer = undefined
    if (this.#newest === undefined) this.#oldest = cached
    else this.#newest.newer = cached
    this.#newest = cached
  }

  #takeOut({ newer, older }: Cached<Held>): void {
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
  }
}
