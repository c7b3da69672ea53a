/**
 * Holds a batch as the storage accepted it: changes have their sequence numbers, and rows the keys
 * under which they lie in the file.
 */
import { invariant } from "../core/Invariant.ts"
import { encodeKey } from "./FamilyKey.ts"
import type { Batch, Change, Family, Row } from "./Storage.ts"

export interface NumberedChange extends Change {
  readonly sequence: number
}

export interface EncodedRow {
  readonly family: Family
  readonly key: string
  readonly bytes: Uint8Array | undefined
}

export interface AcceptedBatch {
  readonly documents: ReadonlyArray<NumberedChange>
  readonly rows: ReadonlyArray<EncodedRow>
}

export const acceptChange = (change: Change, sequence: number): NumberedChange => {
  const { elementCount, elements, header, key } = change
  return { key, header, elements, elementCount, sequence }
}

/** `sequences`: the numbers of the changes of its batch, in their order. */
export const acceptRow = (
  { bytes, family, key }: Row,
  sequences: ReadonlyArray<number>
): EncodedRow => ({
  family,
  key: encodeKey(family, typeof key === "function" ? key(sequences) : key),
  bytes
})

/**
 * A batch as it is accepted. `sequences`: the numbers of its changes, in their order.
 *
 * Most have one change and one row, for which nothing is made but the two lists.
 */
export const acceptBatch = (
  { documents, rows }: Batch,
  sequences: ReadonlyArray<number>
): AcceptedBatch => ({
  documents: documents.length === 1
    ? [acceptChange(documents[0]!, sequences[0]!)]
    : documents.map((change, i) => acceptChange(change, sequences[i]!)),
  rows: rows.length === 1
    ? [acceptRow(rows[0]!, sequences)]
    : rows.map((row) => acceptRow(row, sequences))
})

/** In changes and rows. Barriers count as one, so that they are bounded too. */
export const sizeOf = ({ documents, rows }: Batch | AcceptedBatch): number =>
  Math.max(documents.length + rows.length, 1)

/** A row's share of memory and log beside its bytes, roughly. */
const rowBytes = 64

/** As much of a batch as its bytes depend on. */
interface Measured {
  readonly documents: ReadonlyArray<Change>
  readonly rows: ReadonlyArray<Pick<Row, "bytes">>
}

/** Roughly: each character counts for a byte. */
export const bytesOf = ({ documents, rows }: Measured): number => {
  let bytes = 0
  for (const change of documents) bytes += bytesOfChange(change)
  for (const row of rows) bytes += rowBytes + (row.bytes?.length ?? 0)
  return bytes
}

const bytesOfChange = ({ elementCount, elements, header, key }: Change): number => {
  const removesOnly = elements.length === 0 && elementCount === 0
  invariant(header !== undefined || removesOnly, "a removal has no elements")
  let bytes = rowBytes + key.partitionKey.length + key.sortKey.length + (header?.length ?? 0)
  for (const [path, element] of elements) {
    invariant(path !== "", "an element has a path: the empty one is the header's")
    bytes += rowBytes + path.length + (element?.length ?? 0)
  }
  return bytes
}
