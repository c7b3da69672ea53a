/**
 * Tells whether a row still holds the last dot that this incarnation made in its document. A disk
 * may give back an old version of a row, whole and with a fitting checksum; making the next dot on
 * that would claim to have seen, and so erase everywhere, what the old version lacks.
 *
 * Of as many documents as the limit allows, a table in memory has the counter of the last dot; no
 * two documents have one counter. Of the others the leaf tells, which is written with each of their
 * versions, on another page. So a document that is written again needs no new actor, however many
 * documents there are.
 */
import type { Actor } from "../core/clock/Dot.ts"
import type { Document } from "../core/crdt/Document.ts"
import { md5Halves } from "../core/Hash.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import { type RowKey, textOf } from "../core/model/RowKey.ts"
import type { KeyedRow, StorageService } from "../storage/Storage.ts"
import { hasLeaf, leafRow } from "./DocumentLeaf.ts"
import { DotTable, type KeyHash } from "./DotTable.ts"
import type { LocalDocument } from "./LocalDocument.ts"

export interface LastIssuedDotsOptions {
  readonly storage: Pick<StorageService, "readRow">
  /** Goes into the hashes of keys, so that no client can choose keys that meet. */
  readonly salt: string
  readonly limits: Pick<NodeLimits, "lastIssuedDotsMax">
}

const none: ReadonlyArray<never> = []

export class LastIssuedDots {
  readonly #options: LastIssuedDotsOptions
  readonly #tables = new Map<number, DotTable>()
  /** The last hash: a write needs that of its key twice. */
  #hashed: { readonly key: RowKey; readonly hash: KeyHash } | undefined
  #size = 0
  #leafReads = 0

  constructor(options: LastIssuedDotsOptions) {
    this.#options = options
  }

  /** Documents of which memory tells. */
  get size(): number {
    return this.#size
  }

  /** Bytes of the tables. */
  get bytes(): number {
    let bytes = 0
    for (const table of this.#tables.values()) bytes += table.bytes
    return bytes
  }

  /** How often a leaf had to tell. */
  get leafReads(): number {
    return this.#leafReads
  }

  /** How the row of an actor of this incarnation was told to hold the last dot that it made. */
  holdsLast(key: RowKey, { document, own }: LocalDocument): "by memory" | "by leaf" | "not" {
    const { context } = document
    const last = this.#tables.get(key.partition)?.get(this.#hashOf(key)) ?? 0
    if (last > 0) return context.get(own) === last ? "by memory" : "not"
    this.#leafReads++
    return hasLeaf(this.#options.storage, key, context) ? "by leaf" : "not"
  }

  /** The rows to be written with a version of a document, for the next time that it is read. */
  rowsWith(key: RowKey, { context }: Document): ReadonlyArray<KeyedRow> {
    const hasRoom = this.#size < this.#options.limits.lastIssuedDotsMax
    return hasRoom || this.#knows(key) ? none : [leafRow(key, context)]
  }

  /** Notes the last dot made in a document, unless its leaf has to tell. */
  made(key: RowKey, { context }: Document, actor: Actor): void {
    const hasRoom = this.#size < this.#options.limits.lastIssuedDotsMax
    if (!hasRoom && !this.#knows(key)) return
    const table = this.#tables.get(key.partition) ?? new DotTable()
    this.#tables.set(key.partition, table)
    this.#size -= table.size
    table.set(this.#hashOf(key), context.get(actor)!)
    this.#size += table.size
  }

  clear(): void {
    this.#tables.clear()
    this.#size = 0
  }

  #knows(key: RowKey): boolean {
    return (this.#tables.get(key.partition)?.get(this.#hashOf(key)) ?? 0) > 0
  }

  #hashOf(key: RowKey): KeyHash {
    if (this.#hashed?.key === key) return this.#hashed.hash
    const hash = md5Halves(`${this.#options.salt}\0${textOf(key)}`)
    this.#hashed = { key, hash }
    return hash
  }
}
