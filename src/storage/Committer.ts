/**
 * Commits changes in one transaction. The only code that writes rows; both implementations use it,
 * one on a thread of its own.
 *
 * Rows are upserted in place. A commit could append to a log instead, and a fold write the rows
 * later: `PendingChanges` would then keep what is committed and not folded, and nothing else here
 * would change.
 */
import { factChecksum, rowChecksum, type RowContent } from "./Checksum.ts"
import type { Database, Statement } from "./Database.ts"
import { isSqliteError, sqliteFull } from "./SqliteError.ts"
import type { Change, RowKey, StorageFailure } from "./Storage.ts"

export interface Fact {
  readonly name: string
  readonly value: string
}

/** What belongs together: all of it is committed, or none. */
export interface Batch {
  readonly changes: ReadonlyArray<Change>
  readonly facts: ReadonlyArray<Fact>
}

/** What SQLite refused; any other error is a fault of ours and is thrown on. */
const failureOf = (error: unknown): StorageFailure => {
  if (!isSqliteError(error)) throw error
  return {
    kind: error.errcode === sqliteFull ? "full" : "failing",
    detail: `${error.message} (SQLite error ${error.errcode})`
  }
}

export class Committer {
  readonly #database: Database
  readonly #begin: Statement
  readonly #commit: Statement
  readonly #putRow: Statement
  readonly #dropRow: Statement
  readonly #dropDocument: Statement
  readonly #putFact: Statement

  constructor(database: Database) {
    this.#database = database
    this.#begin = database.prepare("BEGIN IMMEDIATE")
    this.#commit = database.prepare("COMMIT")
    this.#putRow = database.prepare(
      `INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
       element_count = excluded.element_count, checksum = excluded.checksum, bytes = excluded.bytes`
    )
    const document = "partition = ? AND bucket = ? AND partition_key = ? AND sort_key = ?"
    this.#dropRow = database.prepare(`DELETE FROM rows WHERE ${document} AND path = ?`)
    this.#dropDocument = database.prepare(`DELETE FROM rows WHERE ${document}`)
    this.#putFact = database.prepare(
      `INSERT INTO facts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET
       value = excluded.value, checksum = excluded.checksum`
    )
  }

  /** Commits every batch, synced, or none: then the failure says why. */
  commit(batches: ReadonlyArray<Batch>): StorageFailure | undefined {
    try {
      this.#begin.run()
      for (const batch of batches) {
        for (const change of batch.changes) this.#apply(change)
        for (const fact of batch.facts) {
          this.#putFact.run(fact.name, fact.value, factChecksum(fact))
        }
      }
      this.#commit.run()
      return undefined
    } catch (error) {
      // Some errors, a full disk among them, have ended the transaction already.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK")
      return failureOf(error)
    }
  }

  #apply({ key, header, elements, elementCount }: Change): void {
    const { partition, bucket, partitionKey, sortKey } = key
    if (header === undefined) {
      this.#dropDocument.run(partition, bucket, partitionKey, sortKey)
      return
    }
    this.#put(key, { path: "", elementCount, bytes: header })
    for (const [path, bytes] of elements) {
      if (bytes === undefined) this.#dropRow.run(partition, bucket, partitionKey, sortKey, path)
      else this.#put(key, { path, elementCount: null, bytes })
    }
  }

  #put(key: RowKey, row: RowContent): void {
    this.#putRow.run(
      key.partition,
      key.bucket,
      key.partitionKey,
      key.sortKey,
      row.path,
      row.elementCount,
      rowChecksum(key, row),
      row.bytes
    )
  }
}
