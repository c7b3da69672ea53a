/**
 * Keeps the records of one log as they were appended, and where in them the rows of each part of
 * the tables lie: a fold reads each part once, and joins and sorts its rows then. Until then there
 * is no object for any row.
 */
import { ByteReader } from "../core/codec/Bytes.ts"
import type { EncodedRow } from "./AcceptedBatch.ts"
import { familyNumbers } from "./FamilyKey.ts"
import { type JoinedDocument, Joining } from "./JoinedDocument.ts"
import { compareKeys } from "./KeyOrder.ts"
import { contentsOf } from "./LogFormat.ts"
import { compareEncoded } from "./PendingWrites.ts"
import { textOf } from "../core/model/RowKey.ts"
import { locate, readChange, readRow } from "./WorkerProtocol.ts"

/** What a fold writes next: all rows of a document, or one row of another family. */
export type FoldItem =
  | { readonly _tag: "Document"; readonly document: JoinedDocument; readonly versions: number }
  | { readonly _tag: "Row"; readonly row: EncodedRow; readonly versions: number }

/** Of each row the index of its record and the offset in it, one after the other. */
type Places = Array<number>

const add = (parts: Map<number, Places>, part: number, content: number, offset: number): void => {
  const places = parts.get(part)
  if (places === undefined) parts.set(part, [content, offset])
  else places.push(content, offset)
}

const inOrder = (parts: ReadonlyMap<number, Places>): ReadonlyArray<Places> =>
  [...parts].sort(([a], [b]) => a - b).map(([, places]) => places)

export class RecordedRows {
  readonly #contents: Array<Uint8Array> = []
  /** By partition. */
  readonly #documents = new Map<number, Places>()
  /** By family and the first two bytes of the key, among them the partition of a leaf. */
  readonly #rows = new Map<number, Places>()
  /** Changes of documents. */
  changes = 0
  /** Changes and rows. */
  size = 0

  /** Those of records that lie one after the other, which nobody writes to meanwhile. */
  static of(records: Uint8Array): RecordedRows {
    const rows = new RecordedRows()
    for (const content of contentsOf(records)) rows.add(content)
    return rows
  }

  /** Takes the content of a record, which nobody writes to any more. */
  add(content: Uint8Array): void {
    const index = this.#contents.push(content) - 1
    locate(content, {
      change: (partition, offset) => {
        this.changes++
        this.size++
        add(this.#documents, partition, index, offset)
      },
      row: (family, beginning, offset) => {
        this.size++
        add(this.#rows, familyNumbers[family] * 65_536 + beginning, index, offset)
      }
    })
  }

  /** All rows in their newest versions, in the order in which the tables keep them. */
  *inKeyOrder(): Generator<FoldItem> {
    for (const places of inOrder(this.#documents)) yield* this.#documentsAt(places)
    for (const places of inOrder(this.#rows)) yield* this.#rowsAt(places)
  }

  *#readers(places: Places): Generator<ByteReader> {
    for (let i = 0; i < places.length; i += 2) {
      yield new ByteReader(this.#contents[places[i]!]!, places[i + 1])
    }
  }

  #documentsAt(places: Places): ReadonlyArray<FoldItem> {
    const found = new Map<string, { document: Joining; versions: number }>()
    for (const reader of this.#readers(places)) {
      const change = readChange(reader)
      const name = textOf(change.key)
      let entry = found.get(name)
      if (entry === undefined) {
        entry = { document: new Joining(change.key), versions: 0 }
        found.set(name, entry)
      }
      entry.document.add(change)
      entry.versions++
    }
    return [...found.values()]
      .sort((a, b) => compareKeys(a.document.key, b.document.key))
      .map((entry) => ({ _tag: "Document", ...entry }))
  }

  #rowsAt(places: Places): ReadonlyArray<FoldItem> {
    const found = new Map<string, { row: EncodedRow; versions: number }>()
    for (const reader of this.#readers(places)) {
      const row = readRow(reader)
      found.set(row.key, { row, versions: (found.get(row.key)?.versions ?? 0) + 1 })
    }
    return [...found.values()]
      .sort((a, b) => compareEncoded(a.row.key, b.row.key))
      .map((entry) => ({ _tag: "Row", ...entry }))
  }
}
