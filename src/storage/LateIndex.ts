/**
 * Finds rows by their keys where most are never looked for: a list until one is asked for, which
 * then puts all of them into a map. To put each there at once would cost a write more than to copy
 * its row.
 */

export class LateIndex<A> {
  readonly #byKey = new Map<string, A>()
  #keys: Array<string> = []
  #items: Array<A> = []

  /** Adds an item, in place of an earlier one with this key. */
  set(key: string, item: A): void {
    this.#keys.push(key)
    this.#items.push(item)
  }

  /** The last item of each key. */
  get all(): ReadonlyMap<string, A> {
    if (this.#keys.length === 0) return this.#byKey
    for (let i = 0; i < this.#keys.length; i++) this.#byKey.set(this.#keys[i]!, this.#items[i]!)
    this.#keys = []
    this.#items = []
    return this.#byKey
  }
}
