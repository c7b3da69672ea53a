/**
 * Commits batches in one transaction. The only code that writes callers' data; both implementations
 * use it, one on a thread of its own.
 *
 * Rows are upserted in place. A commit could append to a log instead, and a fold write the rows
 * later: `PendingWrites` would then keep what is committed and not folded, and nothing else here
 * would change.
 */
import type { AcceptedBatch, EncodedRow, NumberedChange } from "./AcceptedBatch.ts"
import { documentChecksum, type DocumentRow, rowChecksum } from "./Checksum.ts"
import { ChangeCount } from "./ChangeCount.ts"
import type { Database, Statement } from "./Database.ts"
import { familyNumbers } from "./FamilyKey.ts"
import type { FileGuard } from "./FileGuard.ts"
import { isBadPage, isSqliteError, sqliteFull } from "./SqliteError.ts"
import type { RowKey, StorageFailure } from "./Storage.ts"

/** An error of SQLite; any other error is a fault of ours and is thrown on. */
const failureOf = (error: unknown): StorageFailure => {
  if (!isSqliteError(error)) throw error
  return {
    kind: error.errcode === sqliteFull ? "full" : "failing",
    detail: `${error.message} (SQLite error ${error.errcode})`,
    ...isBadPage(error) ? { isLasting: true } : {}
  }
}

/** The failure of a store whose files are not those that it has open. */
export const lossOf = (guard: FileGuard | undefined): StorageFailure | undefined => {
  const detail = guard?.lost()
  return detail === undefined ? undefined : { kind: "failing", detail, isLasting: true }
}

/**
 * Bytes of a row that stand beside its key; more lie in the table of contents. SQLite keeps 1 KB of
 * a row with its key and reads another page for the rest, which may be one page.
 */
const insideBytesMax = 4_096

const noBytes = new Uint8Array(0)

export class Committer {
  readonly #database: Database
  readonly #guard: FileGuard | undefined
  readonly #putContent: Statement
  readonly #begin: Statement
  readonly #commit: Statement
  readonly #putDocumentRow: Statement
  readonly #dropElement: Statement
  readonly #dropDocument: Statement
  readonly #putRow: Statement
  readonly #dropRow: Statement
  readonly #count: ChangeCount

  /** `guard` is for a store that lies in files. */
  constructor(database: Database, guard?: FileGuard) {
    this.#database = database
    this.#guard = guard
    this.#begin = database.prepare("BEGIN IMMEDIATE")
    this.#commit = database.prepare("COMMIT")
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
    this.#count = new ChangeCount(database)
  }

  /** Commits every batch, synced, or none: then the failure says why. */
  commit(batches: ReadonlyArray<AcceptedBatch>): StorageFailure | undefined {
    const lost = lossOf(this.#guard)
    if (lost !== undefined) return lost
    let changes = 0
    for (const { documents } of batches) changes += documents.length
    try {
      this.#begin.run()
      for (const batch of batches) {
        for (const change of batch.documents) this.#apply(change)
        for (const row of batch.rows) this.#applyRow(row)
      }
      if (changes > 0) this.#count.write(changes)
      this.#commit.run()
      this.#count.committed(changes)
      // This commit is on no disk where the files went meanwhile.
      return lossOf(this.#guard)
    } catch (error) {
      // Some errors, a full disk among them, have ended the transaction already.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK")
      return failureOf(error)
    }
  }

  #apply({ key, header, elements, elementCount, sequence }: NumberedChange): void {
    const { partition, bucket, partitionKey, sortKey } = key
    if (header === undefined) {
      this.#dropDocument.run(partition, bucket, partitionKey, sortKey)
      return
    }
    this.#put(key, { path: "", elementCount, bytes: header, sequence })
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
