/**
 * Keeps counts of the store in rows that no caller sees, and that are written in the transaction of
 * the rows which they count, so that they go back where those go back:
 *
 * - `changes`: the changes of documents in the tables. A store that counts less than it told others
 *   has lost the end of its log. A file of an earlier program has none and begins at 0, as one does
 *   whose row is damaged;
 * - `folded`: the number of the last log record in the tables. A file has none before its first
 *   log begins.
 */
import { rowChecksum } from "./Checksum.ts"
import type { Database, Statement } from "./Database.ts"

export type CountName = "changes" | "folded"

/** The rows lie before those of all families, after the store's own. */
const familyNumber = 0

const rowOf = (name: CountName) => ({ family: "store", key: name }) as const

export const readCount = (database: Database, name: CountName): number | "absent" | "damaged" => {
  const row = database.prepare(
    "SELECT checksum, bytes FROM family_rows WHERE family = ? AND key = ?"
  )
    .get(familyNumber, Buffer.from(name))
  if (row === undefined) return "absent"
  const bytes = row["bytes"]
  if (!(bytes instanceof Uint8Array)) return "damaged"
  if (row["checksum"] !== rowChecksum({ ...rowOf(name), bytes })) return "damaged"
  const count = Number(Buffer.from(bytes).toString())
  return Number.isSafeInteger(count) && count >= 0 ? count : "damaged"
}

export const readChangeCount = (database: Database): number => {
  const count = readCount(database, "changes")
  return typeof count === "number" ? count : 0
}

export class StoreCounts {
  readonly #put: Statement

  constructor(database: Database) {
    this.#put = database.prepare(
      `INSERT INTO family_rows VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
       checksum = excluded.checksum, bytes = excluded.bytes`
    )
  }

  /** Writes a count in the transaction at hand. */
  write(name: CountName, count: number): void {
    const bytes = Buffer.from(String(count))
    const checksum = rowChecksum({ ...rowOf(name), bytes })
    this.#put.run(familyNumber, Buffer.from(name), checksum, bytes)
  }
}
