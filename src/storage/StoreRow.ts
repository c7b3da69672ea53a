/**
 * Keeps a store's id and its epoch in a row that no caller sees. The epoch grows at each opening,
 * in a transaction of its own before anything is accepted: sequence numbers begin with it.
 *
 * Where the row is damaged, the store gets another id, since no one knows which numbers were given
 * under the old one, and an epoch beyond those of all numbers found, so that they still ascend.
 */
import { rowChecksum } from "./Checksum.ts"
import { type Database, inTransaction } from "./Database.ts"
import { epochMax, numbersInEpoch } from "./SequenceNumbers.ts"

/** The names that tell the numbers of one opening of one store from all others. */
export interface StoreEpoch {
  readonly storeId: string
  readonly epoch: number
}

/** A store that was opened. */
export interface OpenedStore extends StoreEpoch {
  /** The changes that it has of all earlier openings. */
  readonly changes: number
}

/** The row lies before those of all families. */
const at = { family: "store", key: "" }
const familyNumber = 0
const key = new Uint8Array(0)

export const readStore = (database: Database): StoreEpoch | undefined => {
  const row = database.prepare(
    "SELECT checksum, bytes FROM family_rows WHERE family = ? AND key = ?"
  )
    .get(familyNumber, key)
  const bytes = row?.["bytes"]
  if (!(bytes instanceof Uint8Array)) return undefined
  if (row?.["checksum"] !== rowChecksum({ ...at, bytes })) return undefined
  const [, storeId, epoch] = /^(\S+) (\d+)$/u.exec(Buffer.from(bytes).toString()) ?? []
  return storeId === undefined ? undefined : { storeId, epoch: Number(epoch) }
}

const write = (database: Database, { epoch, storeId }: StoreEpoch): void => {
  const bytes = Buffer.from(`${storeId} ${epoch}`)
  database.prepare(
    `INSERT INTO family_rows VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
     checksum = excluded.checksum, bytes = excluded.bytes`
  ).run(familyNumber, key, rowChecksum({ ...at, bytes }), bytes)
}

/** The epoch of the greatest number that a document has. */
const epochFound = (database: Database): number => {
  const row = database.prepare("SELECT max(sequence) AS last FROM documents WHERE sequence < ?")
    .get((epochMax + 1) * numbersInEpoch)
  return Math.floor(Number(row?.["last"] ?? 0) / numbersInEpoch)
}

/** Gives a new file its id. */
export const makeStoreRow = (database: Database, storeId: string): void =>
  write(database, { storeId, epoch: 0 })

/**
 * Begins the next epoch, and has it on disk. `newStoreId` is for a file that forgot its own, or
 * that lost data and so is another store.
 */
export const beginEpoch = (
  database: Database,
  { isLost = false, newStoreId }: { readonly newStoreId: string; readonly isLost?: boolean }
): StoreEpoch =>
  inTransaction(database, () => {
    const known = readStore(database) ?? { storeId: newStoreId, epoch: epochFound(database) }
    const last = isLost
      ? { storeId: newStoreId, epoch: Math.max(known.epoch, epochFound(database)) }
      : known
    const begun = { ...last, epoch: last.epoch + 1 }
    write(database, begun)
    return begun
  })
