/**
 * Writes and reads the rows of hints: the document that is owed, when it was first owed, and how
 * much it takes here. The target and the place in its line are the row's key.
 *
 * ```
 * row = 1, fingerprint, partition, bucket, partition key, sort key, wall-clock millis, bytes
 * ```
 */
import { ByteReader, ByteWriter, Malformed } from "../core/codec/Bytes.ts"
import type { RowKey } from "../core/model/RowKey.ts"

export const formatVersion = 1

export interface HintRow {
  readonly key: RowKey
  /** Of the bucket, where the sender of the document knew it; else empty. */
  readonly fingerprint: string
  /** Since when it is owed. */
  readonly sinceMillis: number
  /** Of the document, as it was when the hint was last written. */
  readonly bytes: number
}

export const encode = ({ bytes, fingerprint, key, sinceMillis }: HintRow): Uint8Array =>
  new ByteWriter(64).byte(formatVersion).text(fingerprint).varint(key.partition).text(key.bucket)
    .text(key.partitionKey).text(key.sortKey).varint(sinceMillis).varint(bytes).finish()

/** The hint of a row; undefined where its bytes are none. */
export const decode = (encoded: Uint8Array): HintRow | undefined => {
  try {
    return read(new ByteReader(encoded))
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return undefined
  }
}

const read = (reader: ByteReader): HintRow => {
  if (reader.byte("a format version") !== formatVersion) throw new Malformed("a hint", 0)
  const fingerprint = reader.text("a fingerprint")
  const partition = reader.varint("a partition")
  const bucket = reader.text("a bucket")
  const partitionKey = reader.text("a partition key")
  const key = { partition, bucket, partitionKey, sortKey: reader.text("a sort key") }
  const hint = {
    key,
    fingerprint,
    sinceMillis: reader.varint("a time"),
    bytes: reader.varint("a size")
  }
  if (reader.remaining > 0) throw new Malformed("the end of a hint", reader.offset)
  return hint
}
