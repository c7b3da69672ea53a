/**
 * Writes and reads the fields of messages that carry deltas, beside the document's name.
 *
 * ```
 * fields = 1 to be synced, and 2 where there is an operation; edits, operation
 * ```
 */
import type { StoreDelta } from "../../schemas/PeerMessage.ts"
import { type ByteReader, type ByteWriter, Malformed } from "../core/codec/Bytes.ts"
import { readOperation, writeOperation } from "./OperationMessages.ts"

type Fields = Pick<StoreDelta, "edits" | "operation" | "sync">

export const writeStoreDelta = (writer: ByteWriter, fields: Fields): void => {
  const { edits, operation, sync } = fields
  writer.byte((sync ? 1 : 0) + (operation === undefined ? 0 : 2)).bytes(edits)
  if (operation !== undefined) writeOperation(writer, operation)
}

/** Throws `Malformed`. */
export const readStoreDelta = (reader: ByteReader): Fields => {
  const at = reader.offset
  const flags = reader.byte("flags")
  if (flags > 3) throw new Malformed("flags", at)
  const sync = (flags & 1) === 1
  const edits = reader.bytes("edits")
  return flags < 2 ? { sync, edits } : { sync, edits, operation: readOperation(reader) }
}
