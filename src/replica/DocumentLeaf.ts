/**
 * Makes the leaf of a document: a row on another page than the document's, written in the same
 * batch, that says which context the document has. A page that is lost takes one of the two.
 *
 * ```
 * position = the first 48 bits of a hash of the document's key
 * leaf     = 1, hash of the document's key and its context (8 bytes)
 * ```
 *
 * Two documents that meet at one position keep one leaf: it then fits neither or one of them, and
 * never a document with another context.
 */
import { ByteWriter } from "../core/codec/Bytes.ts"
import * as VersionVector from "../core/clock/VersionVector.ts"
import { digest64 } from "../core/Hash.ts"
import { type RowKey, textOf } from "../core/model/RowKey.ts"
import type { KeyedRow, StorageService } from "../storage/Storage.ts"

const format = 1

const positionDigits = 12

const positionOf = (key: RowKey): number =>
  Number.parseInt(digest64(textOf(key)).slice(0, positionDigits), 16)

const hashOf = (key: RowKey, context: VersionVector.VersionVector): string => {
  const writer = new ByteWriter().text(textOf(key)).varint(context.size)
  for (const [actor, counter] of VersionVector.sorted(context)) writer.text(actor).varint(counter)
  return digest64(writer.view())
}

/** The row of the leaf of a document with this context. */
export const leafRow = (key: RowKey, context: VersionVector.VersionVector): KeyedRow => ({
  family: "leaf",
  key: [key.partition, positionOf(key)],
  bytes: new ByteWriter(9).byte(format).hex(hashOf(key, context)).take()
})

/** Whether the stored leaf is that of a document with this context; a damaged one is not. */
export const hasLeaf = (
  storage: Pick<StorageService, "readRow">,
  key: RowKey,
  context: VersionVector.VersionVector
): boolean => {
  const stored = storage.readRow("leaf", [key.partition, positionOf(key)])
  if (stored._tag !== "Found") return false
  const { bytes } = leafRow(key, context)
  return bytes !== undefined && Buffer.compare(stored.bytes, bytes) === 0
}
