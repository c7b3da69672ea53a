/**
 * Makes the changes that travel to other replicas in place of their documents, with the base that a
 * replica needs before it may join them, and finds those that a replica lacks.
 *
 * Documents of trees and counters have them; of all others the change is about as large as the
 * document. One that is not much smaller than its document is left out: the document needs no base.
 */
import type * as VersionVector from "../core/clock/VersionVector.ts"
import * as DeltaCodec from "../core/crdt/DeltaCodec.ts"
import type { Delta, Document } from "../core/crdt/Document.ts"
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
    const kind = (before.store ?? after.store)?.kind
    if (kind !== "tree" && kind !== "counter") return undefined
    const bytesMax = documentBytes * this.#limits.deltaPercentMax / 100
    if (leastBytes(deltas) > bytesMax) return undefined
    const edit = Edit.make(deltas, before.context)
    const bytes = DeltaCodec.encode([edit])
    return bytes.length > bytesMax ? undefined : { edit, bytes, bytesMax }
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
   * The bytes that bring a replica with this context as far as a change that was made here;
   * undefined where it needs the document.
   */
  missing(
    key: RowKey,
    made: TravellingEdit,
    context: VersionVector.VersionVector
  ): Uint8Array | undefined {
    const { bytes, bytesMax, edit } = made
    const before = this.#recent.before(key, bytes, bytesMax - bytes.length)
    const edits = [...before.flatMap(DeltaCodec.decode), edit]
    const lacked = Edit.missing(context, edits)
    return lacked === undefined || lacked.length === 0 ? undefined : DeltaCodec.encode(lacked)
  }
}
