/**
 * Finds the rows that one log holds, each in its newest committed version, until they are folded
 * into the tables: the memtable of a log-structured merge (O'Neil et al., Acta Informatica 1996).
 *
 * Laying a change over a table that has it already changes nothing, so a reader may look here
 * first, however far the fold has come.
 */
import { keyOfText, textOf } from "../core/model/RowKey.ts"
import type { AcceptedBatch, EncodedRow, NumberedChange } from "./AcceptedBatch.ts"
import { Joining } from "./JoinedDocument.ts"
import { compareKeys } from "./KeyOrder.ts"
import { compareEncoded, type Overlay, type Pending } from "./PendingWrites.ts"
import { LateIndex } from "./LateIndex.ts"
import { RowMemory } from "./RowMemory.ts"
import type { Family, RowKey } from "./Storage.ts"

/** A document that is its header alone is a place in memory, as most are. */
type Found = number | Joining

const noElements: ReadonlyMap<string, Uint8Array | undefined> = new Map()

export class Generation {
  readonly #memory = new RowMemory()
  /** By partition and key: a scan passes one partition. */
  readonly #documents = new Map<number, Map<string, Found>>()
  /** Places of rows, or undefined where the row was removed. */
  readonly #rows = new Map<Family, LateIndex<number | undefined>>()
  /** Of all rows added, and the changes of documents among them. */
  bytes = 0
  changes = 0

  add({ documents, rows }: AcceptedBatch, bytes: number): void {
    this.bytes += bytes
    this.changes += documents.length
    for (const change of documents) this.#addChange(change)
    for (const { bytes: content, family, key } of rows) {
      let found = this.#rows.get(family)
      if (found === undefined) this.#rows.set(family, found = new LateIndex())
      found.set(key, content === undefined ? undefined : this.#memory.put(content))
    }
  }

  #addChange(change: NumberedChange): void {
    const { elementCount, elements, header, key, sequence } = change
    let documents = this.#documents.get(key.partition)
    if (documents === undefined) this.#documents.set(key.partition, documents = new Map())
    const name = textOf(key)
    const before = documents.get(name)
    const hasElements = elementCount > 0 || elements.length > 0
    if (header !== undefined && !hasElements && typeof before !== "object") {
      documents.set(name, this.#memory.put(header, sequence))
      return
    }
    const joining = typeof before === "object" ? before : new Joining(key)
    documents.set(name, joining)
    joining.add({
      header: this.#memory.keep(header),
      elements: elements.map(([path, bytes]) => [path, this.#memory.keep(bytes)]),
      elementCount,
      sequence
    })
  }

  #overlayOf(found: Found): Overlay {
    if (typeof found === "object") return found
    const { bytes: header, number: sequence } = this.#memory.at(found)
    return { header, sequence, elementCount: 0, replaces: false, elements: noElements }
  }

  document(key: RowKey): Overlay | undefined {
    const found = this.#documents.get(key.partition)?.get(textOf(key))
    return found === undefined ? undefined : this.#overlayOf(found)
  }

  #rowAt(family: Family, key: string, place: number | undefined): EncodedRow {
    return { family, key, bytes: place === undefined ? undefined : this.#memory.at(place).bytes }
  }

  row(family: Family, key: string): EncodedRow | undefined {
    const rows = this.#rows.get(family)?.all
    if (rows === undefined || !rows.has(key)) return undefined
    return this.#rowAt(family, key, rows.get(key))
  }

  /** The documents of a partition after `after`, in key order. */
  keysAfter(partition: number, after: RowKey | undefined): ReadonlyArray<Pending<RowKey, RowKey>> {
    const keys: Array<Pending<RowKey, RowKey>> = []
    for (const [name, found] of this.#documents.get(partition) ?? []) {
      const key = keyOfText(name)
      if (after !== undefined && compareKeys(key, after) <= 0) continue
      const isRemoved = typeof found === "object" && found.header === undefined
      keys.push({ key, item: isRemoved ? undefined : key })
    }
    return keys.sort((a, b) => compareKeys(a.key, b.key))
  }

  /** The rows of a family whose keys `includes` takes, in key order. */
  rowsIncluded(
    family: Family,
    includes: (key: string) => boolean
  ): ReadonlyArray<Pending<string, EncodedRow>> {
    const rows: Array<Pending<string, EncodedRow>> = []
    for (const [key, place] of this.#rows.get(family)?.all ?? []) {
      if (!includes(key)) continue
      rows.push({ key, item: place === undefined ? undefined : this.#rowAt(family, key, place) })
    }
    return rows.sort((a, b) => compareEncoded(a.key, b.key))
  }
}
