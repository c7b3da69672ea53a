/**
 * Makes the changes that travel to other replicas in place of their documents, with the base that a
 * replica needs before it may join them, and finds those that a replica lacks.
 *
 * Documents of trees and counters have them; of all others the change is about as large as the
 * document. One that is not much smaller than its document is left out: the document needs no base.
 */
import * as VersionVector from "../core/clock/VersionVector.ts"
import * as DeltaCodec from "../core/crdt/DeltaCodec.ts"
import type { Delta, Document } from "../core/crdt/Document.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import type { DotStore } from "../core/crdt/DotStore.ts"
import * as Edit from "../core/crdt/Edit.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import { type RecentEditLimits, RecentEdits, type RecentEditStats } from "./RecentEdits.ts"

export type TravelLimits = Pick<NodeLimits, "deltaPercentMax"> & RecentEditLimits

/** The change of one request. */
export interface TravellingEdit {
  readonly edit: Edit.Edit
  readonly bytes: Uint8Array
  /** Of changes that travel in place of the document. */
  readonly bytesMax: number
}

/** Whether the changes of a document are smaller than it. */
const hasChanges = (store: DotStore | undefined): boolean =>
  store?.kind === "tree" || store?.kind === "counter"

const nothing = new Uint8Array(0)

/** Of an actor in a history, and its counter. */
const actorBytes = 64

/** Changes that are looked through first for those that a replica lacks. */
const fewest = 8

/** A leaf takes no less: its key, its kind, a count, and one dot, stamp and value, or one total. */
const leafBytes = 8

const leaves = (store: DotStore | undefined): number => {
  if (store?.kind !== "tree") return store === undefined ? 0 : 1
  let count = 0
  for (const child of store.children.values()) count += leaves(child)
  return count
}

/** Bytes that the changes take at the least; to encode those of a large deletion costs more. */
const leastBytes = (deltas: ReadonlyArray<Delta>): number =>
  deltas.reduce((sum, { seen, store }) => sum + 2 * seen.dots.length + leafBytes * leaves(store), 0)

const travelling = (edit: Edit.Edit, bytesMax: number): TravellingEdit | undefined => {
  const bytes = DeltaCodec.encode([edit])
  return bytes.length > bytesMax ? undefined : { edit, bytes, bytesMax }
}

export class TravellingEdits {
  readonly #limits: TravelLimits
  readonly #recent: RecentEdits

  constructor(limits: TravelLimits) {
    this.#limits = limits
    this.#recent = new RecentEdits(limits)
  }

  stats(): RecentEditStats {
    return this.#recent.stats()
  }

  /**
   * The change that deltas made of `before`; undefined where the document travels. Its base has
   * what is under way to the disk here too: a replica that acknowledges it has all of that.
   */
  make(
    deltas: ReadonlyArray<Delta>,
    options: {
      readonly before: Document
      readonly after: Document
      /** Of the document after it. */
      readonly documentBytes: number
    }
  ): TravellingEdit | undefined {
    const { after, before, documentBytes } = options
    if (!hasChanges(before.store ?? after.store)) return undefined
    const bytesMax = this.#bytesMax(documentBytes)
    if (leastBytes(deltas) > bytesMax) return undefined
    return travelling(Edit.make(deltas, before.context), bytesMax)
  }

  /**
   * What travels of a document that a retry finds done, in place of all of it: nothing that has all
   * of it as its base, so that a replica which acknowledges it has the same.
   */
  confirming({ context, store }: Document, documentBytes: number): TravellingEdit | undefined {
    if (!hasChanges(store)) return undefined
    return travelling(Edit.confirming(context), this.#bytesMax(documentBytes))
  }

  #bytesMax(documentBytes: number): number {
    return documentBytes * this.#limits.deltaPercentMax / 100
  }

  /** Keeps a change that this replica took; the bytes are the caller's no more. */
  keep(key: RowKey, bytes: Uint8Array): void {
    this.#recent.add(key, bytes)
  }

  /** Forgets all: what may be lost here is given to nobody. */
  clear(): void {
    this.#recent.clear()
  }

  /**
   * The bytes that bring a replica with this context as far as a change that was made here, or a
   * document that was confirmed; undefined where it needs the document.
   */
  missing(
    key: RowKey,
    made: TravellingEdit,
    context: VersionVector.VersionVector
  ): Uint8Array | undefined {
    const { bytes, bytesMax, edit } = made
    const to = Edit.contextAfter(edit.base, edit)
    const room = bytesMax - bytes.length
    const lacked = this.#lacked(context, to, (most) => {
      const before = this.#recent.before(key, bytes, { bytesMax: room, ...most })
      return { edits: [...before.flatMap(DeltaCodec.decode), edit], count: before.length }
    })
    return lacked === undefined || lacked.length === 0 ? undefined : DeltaCodec.encode(lacked)
  }

  /**
   * The bytes that bring a replica with the context `since` as far as a document, and no further:
   * none where it lacks nothing; undefined where it needs the document.
   */
  since(
    key: RowKey,
    document: Document,
    since: VersionVector.VersionVector
  ): Uint8Array | undefined {
    if (VersionVector.covers(since, document.context)) return nothing
    const bytesMax = this.#bytesMax(DocumentCodec.lengthOf(DocumentCodec.encode(document)))
    const lacked = this.#lacked(since, document.context, (most) => {
      const kept = this.#recent.before(key, undefined, { bytesMax, ...most })
      return { edits: kept.flatMap(DeltaCodec.decode), count: kept.length }
    })
    return lacked && DeltaCodec.encode(lacked)
  }

  /** Of the last changes those that are lacked. Mostly a few are; to read all costs more. */
  #lacked(
    since: VersionVector.VersionVector,
    to: VersionVector.VersionVector,
    last: (most: { readonly count: number }) => {
      readonly edits: ReadonlyArray<Edit.Edit>
      /** How many changes they are of. */
      readonly count: number
    }
  ): ReadonlyArray<Edit.Edit> | undefined {
    for (let most = fewest;; most *= 8) {
      const { count, edits } = last({ count: most })
      const lacked = Edit.missing(since, edits, to)
      if (lacked !== undefined || count < most) return lacked
    }
  }

  /**
   * Whether replicas are asked for what they have beyond a document: where that is likely to be
   * smaller than the document.
   */
  isAskedSince({ context, store }: Document): boolean {
    if (store?.kind !== "tree") return false
    return this.#bytesMax(store.children.summary.bytes) >= actorBytes * context.size
  }
}
