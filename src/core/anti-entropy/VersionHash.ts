/**
 * Hashes the versions of documents under a key of the cluster, in 64 bits: two replicas hold the
 * same version of a document where its hash is the same. Nobody without the key can choose keys of
 * documents whose hashes meet, or cancel out in a sum.
 *
 * ```
 * version = the text of the row's key, two UTF-16 units a word, the first one low; the digest of
 *           its state in two words; the length of the text
 * ```
 *
 * A digest is of the whole state, its context included, so that states which differ under equal
 * contexts are told apart, too.
 *
 * @see Aumasson, Bernstein, "SipHash: a fast short-input PRF", 2012; this is HalfSipHash-2-4
 */
import { type RowKey, textOf } from "../model/RowKey.ts"

/** Upper and lower half, each from 0 to 2^32 - 1. */
export type HashKey = readonly [high: number, low: number]

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by))

export class VersionHasher {
  readonly #high: number
  readonly #low: number
  #v0 = 0
  #v1 = 0
  #v2 = 0
  #v3 = 0
  /** The halves of the last hash. */
  high = 0
  low = 0

  constructor([high, low]: HashKey) {
    this.#high = high | 0
    this.#low = low | 0
  }

  /** Hashes a version of a document into `high` and `low`; its digest has 16 digits. */
  hash(key: RowKey, digest: string): this {
    const text = textOf(key)
    this.#begin()
    const { length } = text
    let at = 0
    for (; at + 1 < length; at += 2) {
      this.#word(text.charCodeAt(at) | text.charCodeAt(at + 1) << 16)
    }
    if (at < length) this.#word(text.charCodeAt(at))
    this.#word(Number.parseInt(digest.slice(0, 8), 16) | 0)
    this.#word(Number.parseInt(digest.slice(8), 16) | 0)
    return this.#finish(length)
  }

  /** Hashes words, the last of which tells their length. */
  words(words: Iterable<number>, last: number): this {
    this.#begin()
    for (const word of words) this.#word(word)
    return this.#finish(last)
  }

  #begin(): void {
    this.#v0 = this.#low
    this.#v1 = this.#high ^ 0xee
    this.#v2 = 0x6c796765 ^ this.#low
    this.#v3 = 0x74656462 ^ this.#high
  }

  #word(word: number): void {
    this.#v3 ^= word
    this.#rounds(2)
    this.#v0 ^= word
  }

  #finish(last: number): this {
    this.#word(last)
    this.#v2 ^= 0xee
    this.#rounds(4)
    this.low = (this.#v1 ^ this.#v3) >>> 0
    this.#v1 ^= 0xdd
    this.#rounds(4)
    this.high = (this.#v1 ^ this.#v3) >>> 0
    return this
  }

  #rounds(count: number): void {
    let v0 = this.#v0
    let v1 = this.#v1
    let v2 = this.#v2
    let v3 = this.#v3
    for (let i = 0; i < count; i++) {
      v0 = (v0 + v1) | 0
      v1 = rotate(v1, 5) ^ v0
      v0 = rotate(v0, 16)
      v2 = (v2 + v3) | 0
      v3 = rotate(v3, 8) ^ v2
      v0 = (v0 + v3) | 0
      v3 = rotate(v3, 7) ^ v0
      v2 = (v2 + v1) | 0
      v1 = rotate(v1, 13) ^ v2
      v2 = rotate(v2, 16)
    }
    this.#v0 = v0
    this.#v1 = v1
    this.#v2 = v2
    this.#v3 = v3
  }
}
