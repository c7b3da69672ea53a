/**
 * Makes many choices of one drawn number, so that a decision needs no source of chance.
 */

export interface Draws {
  /** A number from 0 to below `count`. */
  readonly below: (count: number) => number
}

/** `random` is in [0, 1); equal numbers make equal choices. */
export const drawsOf = (random: number): Draws => {
  let state = Math.floor(random * 2 ** 32) >>> 0
  return {
    below: (count) => {
      // Of a linear congruential generator only the high bits are good.
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * count)
    }
  }
}

/** The values in an order by chance. */
export const shuffled = <A>(values: ReadonlyArray<A>, draws: Draws): ReadonlyArray<A> => {
  const mixed = [...values]
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = draws.below(i + 1)
    const moved = mixed[i]!
    mixed[i] = mixed[j]!
    mixed[j] = moved
  }
  return mixed
}

/** Up to `count` of the values, by chance, each at most once. */
export const sample = <A>(
  values: ReadonlyArray<A>,
  count: number,
  draws: Draws
): ReadonlyArray<A> => {
  const left = [...values]
  const drawn: Array<A> = []
  while (drawn.length < count && left.length > 0) {
    const at = draws.below(left.length)
    drawn.push(left[at]!)
    left[at] = left.at(-1)!
    left.pop()
  }
  return drawn
}
