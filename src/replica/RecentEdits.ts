/**
 * Remembers the changes that this replica took lately, as bytes, for replicas that lack some: they
 * need not be sent the whole document.
 *
 * Bounded by number and by bytes; the oldest are forgotten first, whichever document they are of.
 * It is a memory and no log: a replica that lacks a forgotten change gets the document.
 */
import type { NodeLimits } from "../core/model/Limits.ts"
import { type RowKey, textOf } from "../core/model/RowKey.ts"

export type RecentEditLimits = Pick<NodeLimits, "recentEditsBytesMax" | "recentEditsMax">

interface Kept {
  readonly name: string
  readonly bytes: Uint8Array
  /** The one that was kept next, of any document. */
  next: Kept | undefined
  /** Those of the same document. */
  older: Kept | undefined
  newer: Kept | undefined
}

/** The last three only grow. */
export interface RecentEditStats {
  readonly recentEdits: number
  readonly recentEditBytes: number
  readonly recentEditsForgotten: number
}

export class RecentEdits {
  readonly #limits: RecentEditLimits
  /** The newest of each document. */
  readonly #newest = new Map<string, Kept>()
  #first: Kept | undefined
  #last: Kept | undefined
  #count = 0
  #bytes = 0
  #forgotten = 0

  constructor(limits: RecentEditLimits) {
    this.#limits = limits
  }

  stats(): RecentEditStats {
    return {
      recentEdits: this.#count,
      recentEditBytes: this.#bytes,
      recentEditsForgotten: this.#forgotten
    }
  }

  /** Keeps changes that were just taken; the bytes are the caller's no more. */
  add(key: RowKey, bytes: Uint8Array): void {
    const name = textOf(key)
    const older = this.#newest.get(name)
    const kept: Kept = { name, bytes, next: undefined, older, newer: undefined }
    if (older !== undefined) older.newer = kept
    this.#newest.set(name, kept)
    if (this.#last === undefined) this.#first = kept
    else this.#last.next = kept
    this.#last = kept
    this.#count++
    this.#bytes += bytes.length
    const { recentEditsBytesMax, recentEditsMax } = this.#limits
    while (this.#count > recentEditsMax || this.#bytes > recentEditsBytesMax) this.#forget()
  }

  /**
   * The last changes of a document before those of `bytes`, in the order in which they were taken,
   * at most `count`, and as many as fit into `bytesMax`. All are before bytes that are not kept.
   */
  before(
    key: RowKey,
    bytes: Uint8Array | undefined,
    { bytesMax, count }: { readonly bytesMax: number; readonly count: number }
  ): ReadonlyArray<Uint8Array> {
    const newest = this.#newest.get(textOf(key))
    let here = newest
    while (here !== undefined && here.bytes !== bytes) here = here.older
    const found: Array<Uint8Array> = []
    let room = bytesMax
    here = here === undefined ? newest : here.older
    for (; here !== undefined && found.length < count; here = here.older) {
      room -= here.bytes.length
      if (room < 0) break
      found.push(here.bytes)
    }
    return found.reverse()
  }

  /** Forgets all: changes that may not have reached this node's disk are given to nobody. */
  clear(): void {
    this.#newest.clear()
    this.#first = undefined
    this.#last = undefined
    this.#count = 0
    this.#bytes = 0
  }

  #forget(): void {
    const oldest = this.#first
    if (oldest === undefined) return
    this.#first = oldest.next
    if (this.#first === undefined) this.#last = undefined
    if (oldest.newer === undefined) this.#newest.delete(oldest.name)
    else oldest.newer.older = undefined
    this.#count--
    this.#bytes -= oldest.bytes.length
    this.#forgotten++
  }
}
