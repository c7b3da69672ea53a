/**
 * Draws from a seed which faults happen, so that a run's faults can be repeated; when they meet
 * which request is up to the machine.
 */
export interface Random {
  /** At least 0 and less than `bound`. */
  readonly below: (bound: number) => number
  readonly of: <A>(items: ReadonlyArray<A>) => A
}

/** The generator mulberry32: small, and the same everywhere. */
export const makeRandom = (seed: number): Random => {
  let state = seed
  const next = (): number => {
    state = state + 0x6d2b_79f5 | 0
    let mixed = Math.imul(state ^ state >>> 15, 1 | state)
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed
    return ((mixed ^ mixed >>> 14) >>> 0) / 4_294_967_296
  }
  const below = (bound: number): number => Math.floor(next() * bound)
  return { below, of: (items) => items[below(items.length)]! }
}
