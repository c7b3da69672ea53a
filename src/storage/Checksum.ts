/**
 * Tells a row that was stored from one that a disk made up. SQLite has no checksums of its own: a
 * flipped bit of a value is returned as the value, and `integrity_check` finds nothing.
 *
 * CRC-32 finds every single-bit flip and every burst of up to 32 bits, and misses one in 2^32 of
 * the rest, at a fraction of the price of a cryptographic hash. Family and key are part of it, so
 * that a row found under another key or in another family is damage too.
 */
import { crc32 } from "node:zlib"
import { type RowKey, textOf } from "../core/model/RowKey.ts"

/** A document's header or one of its elements. */
export interface DocumentRow {
  /** Empty for the header. */
  readonly path: string
  /** Of the whole document, in its header only. */
  readonly elementCount: number | null
  readonly bytes: Uint8Array
  /** Of the document's last change, in its header only; null in files of format 1. */
  readonly sequence: number | null
}

/** Begins with a digit, those of other families with a letter; so it is one of format 1, too. */
export const documentChecksum = (key: RowKey, row: DocumentRow): number => {
  const { bytes, elementCount, path, sequence } = row
  const number = sequence === null ? "" : `@${sequence}`
  return crc32(bytes, crc32(`${textOf(key)}\0${path}\0${elementCount ?? ""}${number}\0`))
}

export const rowChecksum = (
  { bytes, family, key }: {
    readonly family: string
    /** Encoded. */
    readonly key: string
    readonly bytes: Uint8Array
  }
): number => crc32(bytes, crc32(`${family} ${key.length} ${key}`))
