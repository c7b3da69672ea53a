/**
 * Places a document: its partition is the top bits of MD5 over bucket and partition key (Dynamo,
 * sections 4.2 and 6.2, strategy 3). This is a format, since rows are stored under the partition's
 * number: a changed answer would lose every document.
 */
import * as Schema from "effect/Schema"
import { md5Bits16 } from "../Hash.ts"
import type { DocumentKey } from "../model/DocumentKey.ts"
import { type RowKey, textOf } from "../model/RowKey.ts"

export const isPartitionCount = (count: number): boolean =>
  Number.isInteger(count) && count >= 1 && count <= 65_536 && (count & (count - 1)) === 0

/** Q, fixed for the lifetime of a cluster. */
export const PartitionCount = Schema.Int.check(
  Schema.makeFilter(isPartitionCount, { expected: "a power of two from 1 to 65536" })
)

export const defaultPartitionCount = 256

/** The partition, 0 to Q - 1. Bucket names have no U+0000, so that no two pairs read the same. */
export const partitionOf = (options: {
  readonly bucket: string
  readonly partitionKey: string
  readonly partitionCount: number
}): number => {
  const hash = md5Bits16(`${options.bucket}\u0000${options.partitionKey}`)
  const bits = 31 - Math.clz32(options.partitionCount)
  return hash >>> (16 - bits)
}

/** Where the document of a bucket and key is kept. One MD5: compute it once for a request. */
export const rowKeyOf = (document: {
  readonly bucket: string
  readonly key: DocumentKey
  readonly partitionCount: number
}): RowKey => {
  const { bucket, key: { partition: partitionKey, sort: sortKey }, partitionCount } = document
  const partition = partitionOf({ bucket, partitionKey, partitionCount })
  const text = textOf({ partition, bucket, partitionKey, sortKey })
  return { partition, bucket, partitionKey, sortKey, text }
}
