/**
 * Tells a row that was stored from one that a disk made up. SQLite has no checksums of its own: a
 * flipped bit of a value is returned as the value, and `integrity_check` finds nothing.
 *
 * CRC-32 finds every single-bit flip and every burst of up to 32 bits, and misses one in 2^32 of
 * the rest, at a fraction of the price of a cryptographic hash. The key is part of it, so that a
 * row found under another key is damage too.
 */
import { crc32 } from "node:zlib"
import { keyText } from "./KeyOrder.ts"
import type { RowKey } from "./Storage.ts"

export interface RowContent {
  /** Empty for the header. */
  readonly path: string
  /** Of the whole document, in its header only. */
  readonly elementCount: number | null
  readonly bytes: Uint8Array
}

export const rowChecksum = (key: RowKey, { path, elementCount, bytes }: RowContent): number =>
  crc32(bytes, crc32(`${keyText(key)}\0${path}\0${elementCount ?? ""}\0`))

export const factChecksum = (fact: { readonly name: string; readonly value: string }): number =>
  crc32(`${fact.name}\0${fact.value}`)
