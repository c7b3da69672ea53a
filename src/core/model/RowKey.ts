/**
 * Names the rows of one document: its partition, bucket and encoded key.
 */

/** Documents of one partition key lie together, ordered by sort key. */
export interface RowKey {
  /** 0 to Q - 1. */
  readonly partition: number
  readonly bucket: string
  /** Order-preserving encodings without U+0000 (see `DocumentKey`). */
  readonly partitionKey: string
  /** Empty where the bucket's key has no sort part. */
  readonly sortKey: string
  /** The text of this key, where it was made already; read it by `textOf`. */
  readonly text?: string
}

type Parts = Omit<RowKey, "text">

/** One text for one key, for maps and checksums: no part contains U+0000. */
const joined = ({ bucket, partition, partitionKey, sortKey }: Parts): string =>
  `${partition}\0${bucket}\0${partitionKey}\0${sortKey}`

/** A key that keeps its text: for those that are looked up several times. */
export const withText = (parts: Parts): RowKey => {
  const { bucket, partition, partitionKey, sortKey } = parts
  return { partition, bucket, partitionKey, sortKey, text: joined(parts) }
}

/** One text for one key. */
export const textOf = (key: RowKey): string => key.text ?? joined(key)
