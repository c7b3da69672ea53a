/**
 * Hashes values of states in 64 bits, for sums that are kept as a state changes. It is a format:
 * the same words hash alike for ever, on every node.
 *
 * ```
 * word   = a, b = rotate(mul(a xor word, p), 13) + b, rotate(mul(b xor word, q), 17) + a (the new)
 * text   = its length, then two UTF-16 units a word, the first one low
 * number = its remainder by 2^32, then its quotient
 * ```
 *
 * Each word maps the pair of halves one to one, so no word is lost on the way. It tells states
 * apart, and does not protect against forgery.
 *
 * @see Appleby, MurmurHash3 (finalizer)
 */

const [p, q] = [0x9e3779b1, 0x85ebca77]

/** Every bit of the result depends on each of the word. */
const finished = (word: number): number => {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

export class Mix64 {
  #a = 0x2545f491
  #b = 0x6c078965

  word(word: number): this {
    const a = Math.imul(this.#a ^ word, p)
    this.#a = ((a << 13 | a >>> 19) + this.#b) | 0
    const b = Math.imul(this.#b ^ word, q)
    this.#b = ((b << 17 | b >>> 15) + this.#a) | 0
    return this
  }

  text(text: string): this {
    const { length } = text
    this.word(length)
    let at = 0
    for (; at + 1 < length; at += 2) {
      this.word(text.charCodeAt(at) | text.charCodeAt(at + 1) << 16)
    }
    return at < length ? this.word(text.charCodeAt(at)) : this
  }

  /** A safe integer. */
  number(value: number): this {
    return this.word(value | 0).word(Math.floor(value / 2 ** 32) | 0)
  }

  /** The upper and the lower half, from 0 to 2^32 - 1. */
  finish(): readonly [high: number, low: number] {
    const a = finished(this.#a ^ this.#b)
    return [a >>> 0, finished(this.#b + a) >>> 0]
  }
}
