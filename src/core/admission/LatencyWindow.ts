/**
 * Counts how long requests took in a trailing window, in steps of a fifth, so that a percentile of
 * them is known at any time. An added time costs one count; memory does not grow with the requests.
 *
 * Two halves of the window take turns: the percentile is of at least one half, and at most two.
 */

/** Upper bounds grow by the fourth root of two, from an eighth of a millisecond to 9 minutes. */
const stepsOfTwo = 4
const leastMillis = 1 / 8
const steps = 22 * stepsOfTwo + 1

/** Fewer requests are no load, and their percentile is the time of one. */
export const requestsLeast = 20

const stepOf = (millis: number): number => {
  const step = Math.ceil(stepsOfTwo * Math.log2(millis / leastMillis))
  return Math.min(Math.max(step, 0), steps - 1)
}

export class LatencyWindow {
  readonly #halfMillis: number
  #present = new Uint32Array(steps)
  #former = new Uint32Array(steps)
  #endsAt = -Infinity

  constructor(windowMillis: number) {
    this.#halfMillis = windowMillis / 2
  }

  add(millis: number, now: number): void {
    this.#turn(now)
    this.#present[stepOf(millis)]!++
  }

  /** The time within which such a share of the requests ended; undefined where there were few. */
  percentile(share: number, now: number): number | undefined {
    this.#turn(now)
    let count = 0
    for (let i = 0; i < steps; i++) count += this.#present[i]! + this.#former[i]!
    if (count < requestsLeast) return undefined
    let left = Math.ceil(share * count)
    for (let i = 0; i < steps; i++) {
      left -= this.#present[i]! + this.#former[i]!
      if (left <= 0) return leastMillis * 2 ** (i / stepsOfTwo)
    }
    return undefined
  }

  /** Begins the next half where this one is over. */
  #turn(now: number): void {
    if (now < this.#endsAt) return
    const isOld = now >= this.#endsAt + this.#halfMillis
    const reused = this.#former
    this.#former = isOld ? this.#present.fill(0) : this.#present
    this.#present = reused.fill(0)
    this.#endsAt = now + this.#halfMillis
  }
}
