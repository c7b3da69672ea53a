/**
 * Keeps the conditions that several faults make worse at a time: of each number the worst counts,
 * until its fault ends.
 */

/** Numbers of which a greater one is worse. */
type Numbers<A> = { readonly [Name in keyof A]: number }

export class Conditions<A extends Numbers<A>> {
  #now: A
  readonly #fair: A
  readonly #bad = new Map<number, Partial<A>>()

  constructor(fair: A) {
    this.#fair = fair
    this.#now = fair
  }

  get now(): A {
    return this.#now
  }

  /** The conditions of a fault, by its id; none any more where they are left out. */
  set(fault: number, bad?: Partial<A>): void {
    if (bad === undefined) this.#bad.delete(fault)
    else this.#bad.set(fault, bad)
    this.#now = [...this.#bad.values()].reduce<A>(worse, this.#fair)
  }

  clear(): void {
    this.#bad.clear()
    this.#now = this.#fair
  }
}

const worse = <A extends Numbers<A>>(one: A, other: Partial<A>): A => {
  const both = { ...one }
  for (const name in other) {
    const value = other[name]
    if (value !== undefined && value > both[name]) both[name] = value
  }
  return both
}
