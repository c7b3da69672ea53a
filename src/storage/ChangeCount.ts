/**
 * Counts the changes of documents that the file has committed, in a row that no caller sees. It is
 * written in the transaction of the changes, so that it goes back where they go back: a store that
 * counts less than it told others has lost the end of its log.
 *
 * A file of an earlier program has no such row and begins at 0, as one does whose row is damaged.
 */
import { rowChecksum } from "./Checksum.ts"
import type { Database, Statement } from "./Database.ts"

/** The row lies before those of all families, after the store's own. */
const at = { family: "store", key: "changes" }
const familyNumber = 0
const key = Buffer.from(at.key)

export const readChangeCount = (database: Database): number => {
  const row = database.prepare(
    "SELECT checksum, bytes FROM family_rows WHERE family = ? AND key = ?"
  )
    .get(familyNumber, key)
  const bytes = row?.["bytes"]
  if (!(bytes instanceof Uint8Array)) return 0
  if (row?.["checksum"] !== rowChecksum({ ...at, bytes })) return 0
  const count = Number(Buffer.from(bytes).toString())
  return Number.isSafeInteger(count) && count >= 0 ? count : 0
}

export class ChangeCount {
  readonly #put: Statement
  #count: number

  constructor(database: Database) {
    this.#count = readChangeCount(database)
    this.#put = database.prepare(
      `INSERT INTO family_rows VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
       checksum = excluded.checksum, bytes = excluded.bytes`
    )
  }

  /** Writes the count after so many more changes, in the transaction at hand. */
  write(changes: number): void {
    const bytes = Buffer.from(String(this.#count + changes))
    this.#put.run(familyNumber, key, rowChecksum({ ...at, bytes }), bytes)
  }

  /** The transaction is committed. */
  committed(changes: number): void {
    this.#count += changes
  }
}
