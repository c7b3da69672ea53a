/**
 * Keeps a counter for each of many documents of one partition, under a hash of 64 bits, in 24 bytes
 * a document or less: an open-addressed table of numbers, of which the garbage collector looks at
 * none.
 *
 * It grows by a third only, so that it is never much emptier than full; each entry is moved three
 * times on average, a partition's at a time. Entries never leave it.
 *
 * @see Knuth, The Art of Computer Programming, volume 3, 6.4 (linear probing)
 */
import { invariant } from "../core/Invariant.ts"

/** Of one slot: both halves of the hash, both of the counter, which is 0 where the slot is free. */
const slotWords = 4
const firstSlots = 8

const half = 2 ** 32

/** The hash of a key, as two numbers of 32 bits. */
export interface KeyHash {
  readonly high: number
  readonly low: number
}

export class DotTable {
  #words = new Uint32Array(firstSlots * slotWords)
  #size = 0

  /** Entries. */
  get size(): number {
    return this.#size
  }

  /** Bytes of memory. */
  get bytes(): number {
    return this.#words.byteLength
  }

  /** The counter under a hash; 0 where there is none. */
  get(hash: KeyHash): number {
    const at = this.#slotOf(hash)
    return this.#words[at + 2]! * half + this.#words[at + 3]!
  }

  set(hash: KeyHash, counter: number): void {
    invariant(Number.isSafeInteger(counter) && counter > 0, "a counter is an integer from 1")
    let at = this.#slotOf(hash)
    if (this.#isFree(at)) {
      this.#size++
      if (this.#isCrowded()) {
        this.#grow()
        at = this.#slotOf(hash)
      }
    }
    this.#words[at] = hash.high
    this.#words[at + 1] = hash.low
    this.#words[at + 2] = Math.floor(counter / half)
    this.#words[at + 3] = counter % half
  }

  #isFree(at: number): boolean {
    return this.#words[at + 2] === 0 && this.#words[at + 3] === 0
  }

  /** Beyond seven eighths, runs of full slots become long. */
  #isCrowded(): boolean {
    return this.#size * slotWords * 8 > this.#words.length * 7
  }

  /** The slot of this hash, or the free one where it would go. */
  #slotOf({ high, low }: KeyHash): number {
    const words = this.#words
    const slots = words.length / slotWords
    let at = Math.floor((high / half) * slots) * slotWords
    while (!this.#isFree(at) && (words[at] !== high || words[at + 1] !== low)) {
      at += slotWords
      if (at === words.length) at = 0
    }
    return at
  }

  #grow(): void {
    const before = this.#words
    const slots = Math.floor((before.length / slotWords) * 1.3)
    this.#words = new Uint32Array(slots * slotWords)
    for (let from = 0; from < before.length; from += slotWords) {
      if (before[from + 2] === 0 && before[from + 3] === 0) continue
      const to = this.#slotOf({ high: before[from]!, low: before[from + 1]! })
      for (let word = 0; word < slotWords; word++) this.#words[to + word] = before[from + word]!
    }
  }
}
