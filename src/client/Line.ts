/**
 * Keeps a line in which things wait: they join at its end and leave at either.
 */
export class Line<A> {
  #items: Array<A> = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  get first(): A | undefined {
    return this.#items[this.#head]
  }

  push(item: A): void {
    this.#items.push(item)
  }

  /** Takes the first. */
  shift(): A | undefined {
    if (this.size === 0) return undefined
    const item = this.#items[this.#head++]
    // Rarely, so that each item is moved once on average.
    if (this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head)
      this.#head = 0
    }
    return item
  }

  /** Takes the last. */
  pop(): A | undefined {
    return this.size === 0 ? undefined : this.#items.pop()
  }
}
