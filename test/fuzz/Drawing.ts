/**
 * Draws the choices of a fuzzer from a seed: the same seed makes the same inputs on every machine.
 *
 * @see mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
 */
export class Drawing {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from 0, below `bound`. */
  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }

  /** Whether one in `many` is drawn. */
  oneIn(many: number): boolean {
    return this.below(many) === 0
  }

  of<A>(items: ReadonlyArray<A>): A {
    return items[this.below(items.length)]!
  }

  /** Small counts often, large ones rarely. */
  few(max: number): number {
    return 1 + Math.floor(this.next() ** 3 * max)
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256))
  }
}
