/**
 * Writes and reads the fields that several messages between nodes have.
 */
import * as Schema from "effect/Schema"
import type { DocumentName } from "../../schemas/PeerMessage.ts"
import { type ByteReader, type ByteWriter, Malformed } from "../core/codec/Bytes.ts"
import { type Completeness, completenesses } from "../core/model/Completeness.ts"
import { isEncoded } from "../core/model/DocumentKey.ts"
import { NodeId } from "../core/model/Names.ts"

export const writeName = (writer: ByteWriter, name: DocumentName): ByteWriter =>
  writer.text(name.bucket).text(name.fingerprint).text(name.key.partition).text(name.key.sort)

const namePattern = /^[a-z0-9][a-z0-9_-]{0,63}$/u
const isNodeId = Schema.is(NodeId)
export const digestPattern = /^(?:[0-9a-f]{16})?$/u

/** Throws `Malformed` unless the text is like this. */
export const readMatching = (
  reader: ByteReader,
  pattern: RegExp,
  expected: string
): string => {
  const at = reader.offset
  const text = reader.text(expected)
  if (!pattern.test(text)) throw new Malformed(expected, at)
  return text
}

export const readKeyHalf = (reader: ByteReader): string => {
  const at = reader.offset
  const text = reader.text("half a key")
  if (!isEncoded(text)) throw new Malformed("half a key", at)
  return text
}

export const readName = (reader: ByteReader): DocumentName => {
  const bucket = readMatching(reader, namePattern, "a bucket's name")
  const fingerprint = readMatching(reader, digestPattern, "a fingerprint")
  const key = { partition: readKeyHalf(reader), sort: readKeyHalf(reader) }
  return { bucket, fingerprint, key }
}

export const readFlag = (reader: ByteReader): boolean => {
  const at = reader.offset
  const flag = reader.byte("a flag")
  if (flag > 1) throw new Malformed("a flag", at)
  return flag === 1
}

export const readCompleteness = (reader: ByteReader): Completeness => {
  const at = reader.offset
  const completeness = completenesses[reader.byte("a completeness")]
  if (completeness === undefined) throw new Malformed("a completeness", at)
  return completeness
}

export const readNode = (reader: ByteReader): NodeId => {
  const at = reader.offset
  const node = readMatching(reader, namePattern, "a node's id")
  if (!isNodeId(node)) throw new Malformed("a node's id", at)
  return node
}
