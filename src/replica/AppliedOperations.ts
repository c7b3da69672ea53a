/**
 * Keeps which operations were carried out, in the order in which they were noted: for each one the
 * hash of its name, its arrival, its dot and the place of its row. It is a queue of numbers, and an
 * open-addressed index into it: hundreds of thousands are kept, and the garbage collector looks at
 * none.
 *
 * A name is told by 128 bits of MD5. Nobody can find a name that meets the name of another; a
 * client that makes two of its own meet has the second taken for a retry of the first.
 *
 * @see Knuth, The Art of Computer Programming, volume 3, 6.4 (linear probing, algorithm R)
 */
import type { Dot } from "../core/clock/Dot.ts"
import type { HashWords } from "../core/Hash.ts"
import { invariant } from "../core/Invariant.ts"
import type { FamilyKeys } from "../storage/Storage.ts"
import { ActorNumbers } from "./ActorNumbers.ts"

export interface AppliedOperation {
  readonly arrival: number
  readonly dot: Dot
  /** Undefined where its batch was not stored. */
  readonly row: FamilyKeys["operation"] | undefined
}

/** Entries of a piece of the queue, which is used again once all of them have left. */
const pieceSlots = 1024
const firstIndexSlots = 64

/** Of an entry: arrival, both halves of the row's key, counter, birth. */
const numbers = 5
/** Of an entry: the hash, and the number of its actor's beginning. */
const words = 5

interface Piece {
  readonly numbers: Float64Array
  readonly words: Uint32Array
}

const newPiece = (): Piece => ({
  numbers: new Float64Array(pieceSlots * numbers),
  words: new Uint32Array(pieceSlots * words)
})

/** The row's key of an entry without a row. */
const noRow = -1

export class AppliedOperations {
  readonly #actors = new ActorNumbers()
  /** An entry's place is the number of its piece here, times `pieceSlots`, and its slot in it. */
  #pieces: Array<Piece> = []
  /** The numbers of the pieces in use, the oldest first, and of those to be used again. */
  #queue: Array<number> = []
  #spare: Array<number> = []
  /** The first slot of the oldest piece that may be taken, and the next free one of the newest. */
  #first = 0
  #next = pieceSlots
  /** Places, each plus 1; 0 is free. */
  #index = new Uint32Array(firstIndexSlots)
  #size = 0

  /** Entries. */
  get size(): number {
    return this.#size
  }

  /** Bytes of memory. */
  get bytes(): number {
    return this.#index.byteLength + this.#pieces.length * pieceSlots * (numbers * 8 + words * 4)
  }

  get(hash: HashWords): AppliedOperation | undefined {
    const place = this.#index[this.#slotOf(hash)]!
    return place === 0 ? undefined : this.#at(place - 1)
  }

  /** Adds an entry as the newest. **Requires** that there is none under this hash. */
  add(hash: HashWords, { arrival, dot, row }: AppliedOperation): void {
    invariant(arrival > 0, "arrivals are counted from 1")
    if (this.#next === pieceSlots) this.#beginPiece()
    const place = this.#queue.at(-1)! * pieceSlots + this.#next++
    const { piece, slot } = this.#slot(place)
    const actor = this.#actors.take(dot.actor)
    const [first, second] = row ?? [noRow, noRow]
    piece.numbers.set([arrival, first, second, dot.counter, actor.birth], slot * numbers)
    piece.words.set(hash, slot * words)
    piece.words[slot * words + 4] = actor.beginning
    this.#size++
    if (this.#size * 3 > this.#index.length * 2) this.#growIndex()
    this.#index[this.#slotOf(hash)] = place + 1
  }

  /** The batch of this entry was not stored. */
  forgetRow(hash: HashWords, arrival: number): void {
    const place = this.#index[this.#slotOf(hash)]!
    if (place === 0) return
    const { piece, slot } = this.#slot(place - 1)
    if (piece.numbers[slot * numbers] !== arrival) return
    piece.numbers.fill(noRow, slot * numbers + 1, slot * numbers + 3)
  }

  delete(hash: HashWords): void {
    const at = this.#slotOf(hash)
    const place = this.#index[at]!
    if (place === 0) return
    const { piece, slot } = this.#slot(place - 1)
    this.#actors.give(piece.words[slot * words + 4]!)
    // An entry without an arrival has left; its slot is passed over in the queue.
    piece.numbers[slot * numbers] = 0
    this.#size--
    this.#free(at)
  }

  /** The arrival of the oldest entry; infinite where there is none. */
  get oldest(): number {
    const place = this.#oldestPlace()
    if (place === undefined) return Infinity
    const { piece, slot } = this.#slot(place)
    return piece.numbers[slot * numbers]!
  }

  /** Takes out the oldest entry, if there is one. */
  takeOldest(): AppliedOperation | undefined {
    const place = this.#oldestPlace()
    if (place === undefined) return undefined
    const entry = this.#at(place)
    this.delete(this.#hashAt(place))
    return entry
  }

  #slot(place: number): { readonly piece: Piece; readonly slot: number } {
    const piece = this.#pieces[Math.floor(place / pieceSlots)]
    invariant(piece !== undefined, "a place is in a piece")
    return { piece, slot: place % pieceSlots }
  }

  #at(place: number): AppliedOperation {
    const { piece, slot } = this.#slot(place)
    const at = slot * numbers
    const [first, second] = [piece.numbers[at + 1]!, piece.numbers[at + 2]!]
    const [birth, beginning] = [piece.numbers[at + 4]!, piece.words[slot * words + 4]!]
    const actor = this.#actors.text({ birth, beginning })
    return {
      arrival: piece.numbers[at]!,
      dot: { actor, counter: piece.numbers[at + 3]! },
      row: first === noRow ? undefined : [first, second]
    }
  }

  #hashAt(place: number): HashWords {
    const { piece, slot } = this.#slot(place)
    const [a, b, c, d] = piece.words.subarray(slot * words)
    return [a!, b!, c!, d!]
  }

  /** Passes over what has left, and gives pieces back that are used up. */
  #oldestPlace(): number | undefined {
    while (this.#size > 0) {
      const number = this.#queue[0]!
      const piece = this.#pieces[number]!
      for (; this.#first < pieceSlots; this.#first++) {
        if (piece.numbers[this.#first * numbers] !== 0) return number * pieceSlots + this.#first
      }
      this.#spare.push(this.#queue.shift()!)
      this.#first = 0
    }
    return undefined
  }

  /** Where most entries have left without being the oldest, the others move together first. */
  #beginPiece(): void {
    const needed = Math.ceil(this.#size / pieceSlots)
    if (this.#queue.length > 2 * needed + 2) return this.#moveTogether()
    const number = this.#spare.pop() ?? this.#pieces.push(newPiece()) - 1
    this.#pieces[number]!.numbers.fill(0)
    this.#queue.push(number)
    this.#next = 0
  }

  #moveTogether(): void {
    const entries: Array<readonly [HashWords, AppliedOperation]> = []
    for (;;) {
      const place = this.#oldestPlace()
      if (place === undefined) break
      const hash = this.#hashAt(place)
      entries.push([hash, this.takeOldest()!])
    }
    this.#pieces = []
    this.#queue = []
    this.#spare = []
    this.#first = 0
    this.#next = pieceSlots
    this.#beginPiece()
    for (const [hash, entry] of entries) this.add(hash, entry)
  }

  /** The place in the index of this hash, or the free one where it would go. */
  #slotOf(hash: HashWords): number {
    const index = this.#index
    let at = homeOf(hash[0], index.length)
    while (index[at] !== 0 && !this.#isAt(index[at]! - 1, hash)) at = (at + 1) % index.length
    return at
  }

  #isAt(place: number, hash: HashWords): boolean {
    const { piece, slot } = this.#slot(place)
    const at = slot * words
    for (let word = 0; word < hash.length; word++) {
      if (piece.words[at + word] !== hash[word]) return false
    }
    return true
  }

  #homeOfPlace(place: number): number {
    const { piece, slot } = this.#slot(place)
    return homeOf(piece.words[slot * words]!, this.#index.length)
  }

  /** Frees a place of the index, and closes the gap in the run behind it. */
  #free(at: number): void {
    const index = this.#index
    let gap = at
    index[gap] = 0
    for (let here = (gap + 1) % index.length; index[here] !== 0; here = (here + 1) % index.length) {
      const home = this.#homeOfPlace(index[here]! - 1)
      const stays = gap < here ? gap < home && home <= here : gap < home || home <= here
      if (stays) continue
      index[gap] = index[here]!
      index[here] = 0
      gap = here
    }
  }

  #growIndex(): void {
    const before = this.#index
    this.#index = new Uint32Array(before.length * 2)
    for (const place of before) {
      if (place === 0) continue
      let at = this.#homeOfPlace(place - 1)
      while (this.#index[at] !== 0) at = (at + 1) % this.#index.length
      this.#index[at] = place
    }
  }
}

/** Where the run of a hash begins. **Requires** that there are 2^n slots. */
const homeOf = (word: number, slots: number): number => word & (slots - 1)
