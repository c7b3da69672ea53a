/**
 * Writes into a real database what a fault made of a document: rows that are gone, rows of before,
 * and bits that flipped in rows without their checksum's knowledge.
 */
import { invariant } from "../../../src/core/Invariant.ts"
import type { Committer } from "../../../src/storage/Committer.ts"
import type { Database } from "../../../src/storage/Database.ts"
import type { RowKey } from "../../../src/storage/Storage.ts"
import type { Row } from "../../../src/testing/simulator/DiskImage.ts"
import type { SeededRandom } from "../../../src/testing/simulator/SeededRandom.ts"

export interface Harmed {
  readonly key: RowKey
  /** Undefined where the whole document is gone. */
  readonly row: Row | undefined
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
  { key, random, row }: Harmed
): void => {
  const gone = { key, header: undefined, elements: [], elementCount: 0 }
  const { elementCount = 0, elements = [], header = new Uint8Array() } = row ?? {}
  const intact = { key, header, elements: [...elements], elementCount }
  const changes = row === undefined ? [gone] : [gone, intact]
  const failure = store.committer.commit([{ changes, facts: [] }])
  invariant(failure === undefined, "harming a document is no commit that fails")
  if (row === undefined) return
  const at = (path: string) =>
    [key.partition, key.bucket, key.partitionKey, key.sortKey, path] as const
  if (row.header === undefined) store.database.prepare(`DELETE FROM rows ${where}`).run(...at(""))
  for (const path of row.rotten) {
    const bytes = path === "" ? row.header : row.elements.get(path)
    if (bytes === undefined) continue
    const flip = store.database.prepare(`UPDATE rows SET bytes = ? ${where}`)
    flip.run(flipped(bytes, random), ...at(path))
  }
}
