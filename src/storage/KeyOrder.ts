/**
 * Orders keys as SQLite does, so that waiting and stored rows can be merged.
 */
import type { RowKey } from "./Storage.ts"

// UTF-16 surrogates stand for characters above U+FFFF and rank after all other units.
const rank = (unit: number): number =>
  unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800

/** By UTF-8 bytes, SQLite's order. `<` compares UTF-16 units: the same but for surrogates. */
export const compareText = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left !== right) return rank(left) - rank(right)
  }
  return a.length - b.length
}

/** Orders two keys of one partition. */
export const compareKeys = (a: RowKey, b: RowKey): number =>
  compareText(a.bucket, b.bucket)
  || compareText(a.partitionKey, b.partitionKey)
  || compareText(a.sortKey, b.sortKey)
