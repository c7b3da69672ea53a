/**
 * Gives one life of one node its world: virtual time seen through its own clock, its own chance.
 */
import type { World } from "../../core/World.ts"
import type { Kernel, Owner } from "./Kernel.ts"
import type { SeededRandom } from "./SeededRandom.ts"

/** A node's wall clock: it may be off, drift, and be set. Survives the node's restarts. */
export interface SimClock {
  offsetMillis: number
  /** Milliseconds gained in each virtual millisecond; 0.0005 is a bad quartz. */
  drift: number
}

/** Virtual time starts here on the wall: 2026-01-01. */
export const epochMillis = 1_767_225_600_000

export interface SimWorldOptions {
  readonly kernel: Kernel
  readonly owner: Owner
  readonly clock: SimClock
  readonly random: SeededRandom
  /** Told of each path that code marks as rare. */
  readonly mark: (path: string) => void
}

export const make = (options: SimWorldOptions): World => {
  const { clock, kernel, owner, random } = options
  return {
    now: () => Math.floor(epochMillis + clock.offsetMillis + kernel.now * (1 + clock.drift)),
    elapsed: () => kernel.now,
    after: (millis, task) => kernel.at(owner, kernel.now + Math.max(0, millis), task),
    endOfTurn: (task) => kernel.soon(owner, task),
    random: random.next,
    id: random.id,
    mark: options.mark
  }
}
