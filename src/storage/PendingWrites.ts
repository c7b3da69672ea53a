/**
 * Remembers writes that are accepted and not yet committed, so that a read sees every write before
 * it.
 *
 * Each document keeps the list of what waits for it, in order, and not one merged state: the oldest
 * can leave when it is committed, so that a document under constant writing holds no more than what
 * waits. Of a row only the last write is kept, which replaces those before it; rows that hardly
 * anybody looks for stand in a line, each by itself. Once a change is committed the disk has it;
 * laying a change over a disk that has it already changes nothing, so it does not matter which of
 * the two is seen first.
 */
import { invariant } from "../core/Invariant.ts"
import { textOf } from "../core/model/RowKey.ts"
import type { AcceptedBatch, EncodedRow, NumberedChange } from "./AcceptedBatch.ts"
import { compareKeys } from "./KeyOrder.ts"
import type { Family, RowKey } from "./Storage.ts"
import { RowLine } from "./RowLine.ts"

/** The waiting changes of one document, laid over the stored one. */
export interface Overlay {
  /** Absent where the last waiting change removes the document. */
  readonly header: Uint8Array | undefined
  readonly elementCount: number
  readonly sequence: number
  /** A waiting change removes the document: no element on disk counts any more. */
  readonly replaces: boolean
  readonly elements: ReadonlyMap<string, Uint8Array | undefined>
}

/** One that waits, of a scan. */
export interface Pending<K, A> {
  readonly key: K
  /** Undefined where the last write removes it. */
  readonly item: A | undefined
}

const overlayOf = (changes: ReadonlyArray<NumberedChange>, last: NumberedChange): Overlay => {
  const removal = changes.findLastIndex(({ header }) => header === undefined)
  const elements = new Map(changes.slice(removal + 1).flatMap((change) => change.elements))
  const { elementCount, header, sequence } = last
  return { header, elementCount, sequence, replaces: removal >= 0, elements }
}

/** Families whose rows are written with every change, and looked for only at a start. */
const inLine: ReadonlySet<Family> = new Set(["operation"])

export class PendingWrites {
  readonly #documents = new Map<string, Array<NumberedChange>>()
  /** The last write of each row, by family and key, but for those that stand in the line. */
  readonly #rows = new Map<Family, Map<string, EncodedRow>>()
  readonly #line = new RowLine()

  accept({ documents, rows }: AcceptedBatch): void {
    for (const change of documents) append(this.#documents, textOf(change.key), change)
    for (const row of rows) {
      if (inLine.has(row.family)) this.#line.push(row)
      else this.#rowsOf(row.family).set(row.key, row)
    }
  }

  /** Forgets the oldest batch, which is committed now. */
  forget({ documents, rows }: AcceptedBatch): void {
    for (const change of documents) removeOldest(this.#documents, textOf(change.key), change)
    for (const row of rows) {
      if (inLine.has(row.family)) {
        this.#line.leave(row)
        continue
      }
      const waiting = this.#rowsOf(row.family)
      if (waiting.get(row.key) === row) waiting.delete(row.key)
    }
  }

  #rowsOf(family: Family): Map<string, EncodedRow> {
    let rows = this.#rows.get(family)
    if (rows === undefined) {
      rows = new Map()
      this.#rows.set(family, rows)
    }
    return rows
  }

  /** Hides everything: a group failed, and later writes may build on it. */
  clear(): void {
    this.#documents.clear()
    this.#rows.clear()
    this.#line.clear()
  }

  overlay(key: RowKey): Overlay | undefined {
    const changes = this.#documents.get(textOf(key))
    const last = changes?.at(-1)
    return changes === undefined || last === undefined ? undefined : overlayOf(changes, last)
  }

  /** The last write of a row; its bytes are absent where it removes the row. */
  row(family: Family, key: string): EncodedRow | undefined {
    if (inLine.has(family)) return this.#line.find(key)
    return this.#rows.get(family)?.get(key)
  }

  /** The waiting documents of a partition after `after`, in key order. */
  keysAfter(
    partition: number,
    after: RowKey | undefined
  ): ReadonlyArray<Pending<RowKey, RowKey>> {
    const keys: Array<Pending<RowKey, RowKey>> = []
    for (const changes of this.#documents.values()) {
      const last = changes.at(-1)
      if (last?.key.partition !== partition) continue
      if (after !== undefined && compareKeys(last.key, after) <= 0) continue
      keys.push({ key: last.key, item: last.header === undefined ? undefined : last.key })
    }
    return keys.sort((a, b) => compareKeys(a.key, b.key))
  }

  /** The waiting rows of a family whose keys `includes` takes, in key order. */
  rowsIn(
    family: Family,
    includes: (key: string) => boolean
  ): ReadonlyArray<Pending<string, EncodedRow>> {
    const rows: Array<Pending<string, EncodedRow>> = []
    const waiting = inLine.has(family) ? this.#line.all : this.#rows.get(family)
    for (const last of waiting?.values() ?? []) {
      if (!includes(last.key)) continue
      rows.push({ key: last.key, item: last.bytes === undefined ? undefined : last })
    }
    return rows.sort((a, b) => compareEncoded(a.key, b.key))
  }
}

/** Orders encoded keys of one family. */
export const compareEncoded = (a: string, b: string): number => a < b ? -1 : a === b ? 0 : 1

type Lists = Map<string, Array<NumberedChange>>

const append = (lists: Lists, name: string, item: NumberedChange): void => {
  const list = lists.get(name)
  if (list === undefined) lists.set(name, [item])
  else list.push(item)
}

const removeOldest = (lists: Lists, name: string, item: NumberedChange): void => {
  const list = lists.get(name)
  invariant(list?.[0] === item, "changes of a document are committed in the order of acceptance")
  if (list.length === 1) lists.delete(name)
  else list.shift()
}
