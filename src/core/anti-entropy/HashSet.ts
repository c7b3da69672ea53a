/**
 * Holds a set of hashes of 64 bits, and their sum without carries (exclusive or): equal sets have
 * equal sums, and a sum that is kept costs a change two operations. Two words a hash, in one array
 * with open addressing, of which at most three quarters are taken.
 */

/** Hashes one after the other, two words each: the upper half, then the lower. */
export type HashList = Uint32Array<ArrayBuffer>

/** The sum of a set of hashes, and their number. */
export interface Sum {
  readonly high: number
  readonly low: number
  readonly count: number
}

export const noSum: Sum = { high: 0, low: 0, count: 0 }

/** The sum of two sets without a common hash. */
export const addSums = (a: Sum, b: Sum): Sum => ({
  high: (a.high ^ b.high) >>> 0,
  low: (a.low ^ b.low) >>> 0,
  count: a.count + b.count
})

export const isSameSum = (a: Sum, b: Sum): boolean =>
  a.high === b.high && a.low === b.low && a.count === b.count

const least = 4

export class HashSet {
  #slots = new Uint32Array(2 * least)
  #size = 0
  #high = 0
  #low = 0

  static of(list: HashList): HashSet {
    const set = new HashSet()
    for (let i = 0; i < list.length; i += 2) set.add(list[i]!, list[i + 1]!)
    return set
  }

  get size(): number {
    return this.#size
  }

  /** Bytes of the array. */
  get bytes(): number {
    return this.#slots.byteLength
  }

  get sum(): Sum {
    return { high: this.#high >>> 0, low: this.#low >>> 0, count: this.#size }
  }

  has(high: number, low: number): boolean {
    const at = this.#find(high, low | 0 || high | 0 ? low : 1)
    return this.#slots[at] !== 0 || this.#slots[at + 1] !== 0
  }

  /** Adds a hash; false where it is there already. */
  add(high: number, low: number): boolean {
    // Two zeros mark a free place.
    const lower = low | 0 || high | 0 ? low : 1
    const at = this.#find(high, lower)
    const slots = this.#slots
    if (slots[at] !== 0 || slots[at + 1] !== 0) return false
    slots[at] = high
    slots[at + 1] = lower
    this.#size++
    this.#high ^= high
    this.#low ^= lower
    if (this.#size * 8 > slots.length * 3) this.#resize(slots.length * 2)
    return true
  }

  /** Removes a hash; false where it is not there. */
  delete(high: number, low: number): boolean {
    const lower = low | 0 || high | 0 ? low : 1
    let free = this.#find(high, lower)
    const slots = this.#slots
    if (slots[free] === 0 && slots[free + 1] === 0) return false
    this.#size--
    this.#high ^= high
    this.#low ^= lower
    // Each hash behind it that a search would no longer reach moves up.
    const last = slots.length - 1
    for (let at = (free + 2) & last;; at = (at + 2) & last) {
      if (slots[at] === 0 && slots[at + 1] === 0) break
      const home = this.#homeOf(slots[at + 1]!)
      if (((at - home) & last) < ((at - free) & last)) continue
      slots[free] = slots[at]!
      slots[free + 1] = slots[at + 1]!
      free = at
    }
    slots[free] = 0
    slots[free + 1] = 0
    return true
  }

  /** Calls back with each hash, in no order that anybody may rely on. */
  each(visit: (high: number, low: number) => void): void {
    const slots = this.#slots
    for (let at = 0; at < slots.length; at += 2) {
      if (slots[at] !== 0 || slots[at + 1] !== 0) visit(slots[at]!, slots[at + 1]!)
    }
  }

  list(): HashList {
    const list = new Uint32Array(2 * this.#size)
    let at = 0
    this.each((high, low) => {
      list[at++] = high
      list[at++] = low
    })
    return list
  }

  #homeOf(low: number): number {
    return (low << 1) & (this.#slots.length - 2)
  }

  /** The place of a hash, or the free one where it would be. */
  #find(high: number, low: number): number {
    const slots = this.#slots
    const last = slots.length - 1
    const [upper, lower] = [high >>> 0, low >>> 0]
    let at = this.#homeOf(lower)
    while (slots[at] !== 0 || slots[at + 1] !== 0) {
      if (slots[at] === upper && slots[at + 1] === lower) return at
      at = (at + 2) & last
    }
    return at
  }

  #resize(length: number): void {
    const before = this.#slots
    this.#slots = new Uint32Array(length)
    for (let i = 0; i < before.length; i += 2) {
      const [high, low] = [before[i]!, before[i + 1]!]
      if (high === 0 && low === 0) continue
      const at = this.#find(high, low)
      this.#slots[at] = high
      this.#slots[at + 1] = low
    }
  }
}
