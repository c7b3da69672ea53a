/**
 * Turns the row of an operation into bytes and back: which document it changed, which operation it
 * was, and the last dot that it made.
 *
 * ```
 * row = 1, bucket, partition key, sort key, session, sequence, actor, counter
 * ```
 */
import { actorPattern, type Dot } from "../core/clock/Dot.ts"
import { ByteReader, ByteWriter, Malformed } from "../core/codec/Bytes.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import type { OperationId } from "../core/operations/OperationId.ts"

/** An operation that was carried out, with the last dot that it made. */
export interface AppliedOperation {
  readonly id: OperationId
  readonly dot: Dot
}

export interface OperationRow extends AppliedOperation {
  /** Its document, without the partition, which the row's key has. */
  readonly document: Omit<RowKey, "partition" | "text">
}

const formatVersion = 1

export const encode = ({ document, dot, id }: OperationRow): Uint8Array =>
  ByteWriter.passing(160).byte(formatVersion)
    .text(document.bucket).text(document.partitionKey).text(document.sortKey)
    .text(id.session).varint(id.sequence)
    .text(dot.actor).varint(dot.counter)
    .take()

const read = (reader: ByteReader): OperationRow => {
  if (reader.byte("a format version") !== formatVersion) throw new Malformed("row format 1", 0)
  const document = {
    bucket: reader.text("a bucket's name"),
    partitionKey: reader.text("half a key"),
    sortKey: reader.text("half a key")
  }
  const id = { session: reader.text("a session"), sequence: reader.varint("a sequence") }
  const dot = { actor: reader.text("an actor"), counter: reader.varint("a counter") }
  if (!actorPattern.test(dot.actor)) throw new Malformed("an actor", reader.offset)
  reader.end()
  return { document, id, dot }
}

/** Undefined where the bytes are no row of an operation. */
export const decode = (bytes: Uint8Array): OperationRow | undefined => {
  try {
    return read(new ByteReader(bytes))
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}
