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
  /** Empty where the bucket's key has no sort half. */
  readonly sortKey: string
  /** The text of this key, where it was made already; read it by `textOf`. */
  readonly text?: string
}

/** One text for one key, for maps and checksums: no part contains U+0000. */
export const textOf = ({ bucket, partition, partitionKey, sortKey, text }: RowKey): string =>
  text ?? `${partition}\0${bucket}\0${partitionKey}\0${sortKey}`

/** The key whose text this is. */
export const keyOfText = (text: string): RowKey => {
  const [partition = "", bucket = "", partitionKey = "", sortKey = ""] = text.split("\0")
  return { partition: Number(partition), bucket, partitionKey, sortKey }
}
