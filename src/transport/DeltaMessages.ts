/**
 * Writes and reads the fields of messages that carry deltas, beside the document's name.
 *
 * ```
 * StoreDelta   = 1 to be synced, and 2 where there is an operation; edits, operation
 * FetchedSince = digest, context, edits, completeness
 * ```
 */
import type { FetchedSince, StoreDelta } from "../../schemas/PeerMessage.ts"
import * as VersionVector from "../core/clock/VersionVectorCodec.ts"
import { completenesses } from "../core/model/Completeness.ts"
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

type Answer = Pick<FetchedSince, "completeness" | "context" | "digest" | "edits">

const digestBytes = 8

export const writeFetchedSince = (writer: ByteWriter, answer: Answer): void => {
  const { completeness, context, digest, edits } = answer
  VersionVector.write(writer.hex(digest), context)
  writer.bytes(edits).byte(completenesses.indexOf(completeness))
}

/** Throws `Malformed`. */
export const readFetchedSince = (reader: ByteReader): Answer => {
  const digest = reader.hex(digestBytes, "a digest")
  const context = VersionVector.read(reader)
  const edits = reader.bytes("edits")
  const at = reader.offset
  const completeness = completenesses[reader.byte("a completeness")]
  if (completeness === undefined) throw new Malformed("a completeness", at)
  return { digest, context, edits, completeness }
}
