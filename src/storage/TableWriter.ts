/**
 * Writes rows into the tables, by their keys, in the transaction at hand.
 */
import type { AcceptedBatch, EncodedRow } from "./AcceptedBatch.ts"
import { documentChecksum, type DocumentRow, rowChecksum } from "./Checksum.ts"
import type { Database, Statement } from "./Database.ts"
import { familyNumbers } from "./FamilyKey.ts"
import type { JoinedDocument } from "./JoinedDocument.ts"
import type { FoldItem } from "./RecordedRows.ts"
import type { RowKey } from "./Storage.ts"

/**
 * Bytes of a row that stand beside its key; more lie in the table of contents. SQLite keeps 1 KB of
 * a row with its key and reads another page for the rest, which may be one page.
 */
const insideBytesMax = 4_096

const noBytes = new Uint8Array(0)

/** As much of a change, or of several joined, as is written. */
type Written =
  & Pick<JoinedDocument, "key" | "header" | "elementCount" | "sequence">
  & { readonly elements: Iterable<readonly [path: string, bytes: Uint8Array | undefined]> }

export class TableWriter {
  readonly #putContent: Statement
  readonly #putDocumentRow: Statement
  readonly #dropElement: Statement
  readonly #dropDocument: Statement
  readonly #putRow: Statement
  readonly #dropRow: Statement

  constructor(database: Database) {
    this.#putDocumentRow = database.prepare(
      `INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
       element_count = excluded.element_count, checksum = excluded.checksum,
       bytes = excluded.bytes, sequence = excluded.sequence, content = excluded.content`
    )
    this.#putContent = database.prepare("INSERT INTO contents (bytes) VALUES (?) RETURNING id")
    const document = "partition = ? AND bucket = ? AND partition_key = ? AND sort_key = ?"
    this.#dropElement = database.prepare(`DELETE FROM documents WHERE ${document} AND path = ?`)
    this.#dropDocument = database.prepare(`DELETE FROM documents WHERE ${document}`)
    this.#putRow = database.prepare(
      `INSERT INTO family_rows VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
       checksum = excluded.checksum, bytes = excluded.bytes`
    )
    this.#dropRow = database.prepare("DELETE FROM family_rows WHERE family = ? AND key = ?")
  }

  write({ documents, rows }: AcceptedBatch): void {
    for (const change of documents) {
      if (change.header === undefined) this.#drop(change.key)
      else this.#apply(change)
    }
    for (const row of rows) this.#applyRow(row)
  }

  /** Removes the documents that a batch removes: they make room for others. */
  makeRoom({ documents, rows }: AcceptedBatch): void {
    for (const { header, key } of documents) if (header === undefined) this.#drop(key)
    for (const row of rows) if (row.bytes === undefined) this.#applyRow(row)
  }

  fold(item: FoldItem): void {
    if (item._tag === "Row") return this.#applyRow(item.row)
    const { document } = item
    if (document.replaces) this.#drop(document.key)
    if (document.header !== undefined) this.#apply(document)
  }

  #drop({ bucket, partition, partitionKey, sortKey }: RowKey): void {
    this.#dropDocument.run(partition, bucket, partitionKey, sortKey)
  }

  #apply({ elementCount, elements, header, key, sequence }: Written): void {
    const { bucket, partition, partitionKey, sortKey } = key
    if (header !== undefined) this.#put(key, { path: "", elementCount, bytes: header, sequence })
    for (const [path, bytes] of elements) {
      if (bytes === undefined) this.#dropElement.run(partition, bucket, partitionKey, sortKey, path)
      else this.#put(key, { path, elementCount: null, bytes, sequence: null })
    }
  }

  #put(key: RowKey, row: DocumentRow): void {
    const isInside = row.bytes.length <= insideBytesMax
    const content = isInside ? null : Number(this.#putContent.get(row.bytes)?.["id"])
    this.#putDocumentRow.run(
      key.partition,
      key.bucket,
      key.partitionKey,
      key.sortKey,
      row.path,
      row.elementCount,
      documentChecksum(key, row),
      isInside ? row.bytes : noBytes,
      row.sequence,
      content
    )
  }

  #applyRow({ bytes, family, key }: EncodedRow): void {
    const at = [familyNumbers[family], Buffer.from(key, "latin1")] as const
    if (bytes === undefined) this.#dropRow.run(...at)
    else this.#putRow.run(...at, rowChecksum({ family, key, bytes }), bytes)
  }
}
