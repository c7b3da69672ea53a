/**
 * Holds the rows that one log holds, each in its newest committed version, until they are folded
 * into the tables: a memtable (O'Neil et al., Acta Informatica 1996).
 *
 * Laying a change over a table that has it already changes nothing, so a reader may look here
 * first, however far the fold has come.
 */
import { textOf } from "../core/model/RowKey.ts"
import type { AcceptedBatch, EncodedRow, NumberedChange } from "./AcceptedBatch.ts"
import { familyNumbers } from "./FamilyKey.ts"
import { compareKeys } from "./KeyOrder.ts"
import { compareEncoded, type Overlay, type Pending } from "./PendingWrites.ts"
import type { Family, RowKey } from "./Storage.ts"

/** A document's changes, joined into one. */
export interface UnfoldedDocument extends Overlay {
  readonly key: RowKey
}

interface MutableDocument {
  readonly key: RowKey
  header: Uint8Array | undefined
  elementCount: number
  sequence: number
  replaces: boolean
  elements: Map<string, Uint8Array | undefined>
}

/** What the fold writes next: all rows of a document, or one row of another family. */
export type FoldItem =
  | { readonly _tag: "Document"; readonly document: UnfoldedDocument }
  | { readonly _tag: "Row"; readonly row: EncodedRow }

/**
 * A copy: the bytes may be a view of a buffer that is much longer, or that another thread gets back
 * once the group is committed.
 */
const owned = (bytes: Uint8Array | undefined): Uint8Array | undefined =>
  bytes === undefined ? undefined : Uint8Array.prototype.slice.call(bytes)

export class Generation {
  /** By partition and key, so that neither a scan nor a fold has to sort all of them at once. */
  readonly #documents = new Map<number, Map<string, MutableDocument>>()
  readonly #rows = new Map<Family, Map<string, EncodedRow>>()
  /** Of all rows added, and the changes of documents among them. */
  bytes = 0
  changes = 0

  add({ documents, rows }: AcceptedBatch, bytes: number): void {
    this.bytes += bytes
    this.changes += documents.length
    for (const change of documents) this.#addChange(change)
    for (const { bytes: content, family, key } of rows) {
      const found = this.#rows.get(family) ?? new Map<string, EncodedRow>()
      this.#rows.set(family, found)
      found.set(key, { family, key, bytes: owned(content) })
    }
  }

  #addChange({ elementCount, elements, header, key, sequence }: NumberedChange): void {
    const { partition } = key
    const documents = this.#documents.get(partition) ?? new Map<string, MutableDocument>()
    this.#documents.set(partition, documents)
    const name = textOf(key)
    const isRemoval = header === undefined
    let document = documents.get(name)
    if (document === undefined) {
      document = {
        key,
        header: undefined,
        elementCount: 0,
        sequence: 0,
        replaces: false,
        elements: new Map()
      }
      documents.set(name, document)
    }
    if (isRemoval) {
      document.replaces = true
      document.elements = new Map()
    }
    document.header = owned(header)
    document.elementCount = elementCount
    document.sequence = sequence
    for (const [path, bytes] of elements) document.elements.set(path, owned(bytes))
  }

  /** Documents, and rows of other families. */
  get size(): number {
    let size = 0
    for (const documents of this.#documents.values()) size += documents.size
    for (const rows of this.#rows.values()) size += rows.size
    return size
  }

  document(key: RowKey): UnfoldedDocument | undefined {
    return this.#documents.get(key.partition)?.get(textOf(key))
  }

  row(family: Family, key: string): EncodedRow | undefined {
    return this.#rows.get(family)?.get(key)
  }

  /** The documents of a partition after `after`, in key order. */
  keysAfter(partition: number, after: RowKey | undefined): ReadonlyArray<Pending<RowKey, RowKey>> {
    return this.documentsIn(partition)
      .filter(({ key }) => after === undefined || compareKeys(key, after) > 0)
      .map(({ header, key }) => ({ key, item: header === undefined ? undefined : key }))
      .sort((a, b) => compareKeys(a.key, b.key))
  }

  /** The rows of a family whose keys `includes` takes, in key order. */
  rowsIncluded(
    family: Family,
    includes: (key: string) => boolean
  ): ReadonlyArray<Pending<string, EncodedRow>> {
    return this.rowsIn(family).filter(({ key }) => includes(key))
      .map((row) => ({ key: row.key, item: row.bytes === undefined ? undefined : row }))
      .sort((a, b) => compareEncoded(a.key, b.key))
  }

  documentsIn(partition: number): ReadonlyArray<UnfoldedDocument> {
    return [...this.#documents.get(partition)?.values() ?? []]
  }

  rowsIn(family: Family): ReadonlyArray<EncodedRow> {
    return [...this.#rows.get(family)?.values() ?? []]
  }

  /** All rows, in the order in which the tables keep them. */
  *inKeyOrder(): Generator<FoldItem> {
    const partitions = [...this.#documents.keys()].sort((a, b) => a - b)
    for (const partition of partitions) {
      const documents = this.documentsIn(partition).toSorted((a, b) => compareKeys(a.key, b.key))
      for (const document of documents) yield { _tag: "Document", document }
    }
    const families = [...this.#rows.keys()].sort((a, b) => familyNumbers[a] - familyNumbers[b])
    for (const family of families) {
      for (const rows of byBeginning(this.rowsIn(family))) {
        for (const row of rows) yield { _tag: "Row", row }
      }
    }
  }
}

/** Characters of a key by which rows are sorted apart: those of a leaf's partition. */
const beginningLength = 2

/** Rows in order, sorted part by part: one sort of all would hold up commits. */
function* byBeginning(rows: ReadonlyArray<EncodedRow>): Generator<ReadonlyArray<EncodedRow>> {
  const parts = new Map<string, Array<EncodedRow>>()
  for (const row of rows) {
    const beginning = row.key.slice(0, beginningLength)
    const part = parts.get(beginning)
    if (part === undefined) parts.set(beginning, [row])
    else part.push(row)
  }
  const ordered = [...parts].sort(([a], [b]) => compareEncoded(a, b))
  for (const [, part] of ordered) yield part.sort((a, b) => compareEncoded(a.key, b.key))
}
