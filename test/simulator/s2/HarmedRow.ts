/**
 * Writes a document as a fault harmed it into a real database: rows that are gone, rows of before,
 * and bits that flipped in rows without their checksum's knowledge.
 */
import { invariant } from "../../../src/core/Invariant.ts"
import type { Committer } from "../../../src/storage/Committer.ts"
import { type Database, inTransaction } from "../../../src/storage/Database.ts"
import type { RowKey } from "../../../src/storage/Storage.ts"
import { TableWriter } from "../../../src/storage/TableWriter.ts"
import type { DiskDocument } from "../../../src/testing/simulator/DiskImage.ts"
import type { SeededRandom } from "../../../src/testing/simulator/SeededRandom.ts"

export interface Harmed {
  readonly key: RowKey
  /** Undefined where the whole document is gone. */
  readonly document: DiskDocument | undefined
  /** Picks the bits. */
  readonly random: SeededRandom
}

const flipped = (bytes: Uint8Array, random: SeededRandom): Uint8Array => {
  const bit = random.integer(0, 8 * bytes.length - 1)
  return bytes.with(bit >> 3, bytes[bit >> 3]! ^ 1 << bit % 8)
}

const where =
  "WHERE partition = ? AND bucket = ? AND partition_key = ? AND sort_key = ? AND path = ?"

export const writeHarmed = (
  store: { readonly database: Database; readonly committer: Committer },
  { document, key, random }: Harmed
): void => {
  const { sequence = 0 } = document ?? {}
  const gone = { key, header: undefined, elements: [], elementCount: 0, sequence }
  const { elementCount = 0, elements = [], header = new Uint8Array() } = document ?? {}
  const intact = { key, header, elements: [...elements], elementCount, sequence }
  const documents = document === undefined ? [gone] : [gone, intact]
  // What is in the log and in memory is not what a bad page harms.
  const failure = store.committer.settle()
  invariant(failure === undefined, "harming a document is no commit that fails")
  const tables = new TableWriter(store.database)
  inTransaction(store.database, () => tables.write({ documents, rows: [] }))
  if (document === undefined) return
  const at = (path: string) =>
    [key.partition, key.bucket, key.partitionKey, key.sortKey, path] as const
  if (document.header === undefined) {
    store.database.prepare(`DELETE FROM documents ${where}`).run(...at(""))
  }
  for (const path of document.rotten) {
    const bytes = path === "" ? document.header : document.elements.get(path)
    if (bytes === undefined) continue
    const set = "SET bytes = ?, content = NULL"
    const flip = store.database.prepare(`UPDATE documents ${set} ${where}`)
    flip.run(flipped(bytes, random), ...at(path))
  }
}
