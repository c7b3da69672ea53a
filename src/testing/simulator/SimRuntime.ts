/**
 * Gives one incarnation of one node its runtime: virtual time seen through its own clock, its own
 * chance.
 */
import type { Runtime } from "../../core/Runtime.ts"
import type { Kernel, Owner } from "./Kernel.ts"
import type { SeededRandom } from "./SeededRandom.ts"

/** Why a clock stands still. */
export interface Stop {
  readonly atMillis: number
  /** Called each time that the clock is read while it stands. */
  readonly met: () => void
}

/** A node's wall clock: it may be off, drift, stop, and be set. Survives the node's restarts. */
export interface SimClock {
  offsetMillis: number
  /** Milliseconds gained in each virtual millisecond; 0.0005 is a bad quartz. */
  drift: number
  /** By fault, the first one first: it stands since then, and goes on as if it never had. */
  readonly stops: Map<number, Stop>
}

export const rightClock = (): SimClock => ({ offsetMillis: 0, drift: 0, stops: new Map() })

/** The time that a clock shows. */
export const wallOf = (
  { drift, offsetMillis, stops }: SimClock,
  kernel: Pick<Kernel, "now">
): number => {
  const [stop] = stops.values()
  const time = stop?.atMillis ?? kernel.now
  return Math.floor(epochMillis + offsetMillis + time * (1 + drift))
}

const readWall = (clock: SimClock, kernel: Kernel): number => {
  const [stop] = clock.stops.values()
  stop?.met()
  return wallOf(clock, kernel)
}

/** Virtual time starts here on the wall: 2026-01-01. */
export const epochMillis = 1_767_225_600_000

export interface SimRuntimeOptions {
  readonly kernel: Kernel
  readonly owner: Owner
  readonly clock: SimClock
  readonly random: SeededRandom
  /** Told of each path that code marks as rare. */
  readonly mark: (path: string) => void
}

export const make = (options: SimRuntimeOptions): Runtime => {
  const { clock, kernel, owner, random } = options
  return {
    now: () => readWall(clock, kernel),
    elapsed: () => kernel.now,
    idle: () => kernel.now - (owner.pausedMillis ?? 0),
    after: (millis, task) => kernel.at(owner, kernel.now + Math.max(0, millis), task),
    endOfTurn: (task) => kernel.soon(owner, task),
    random: random.next,
    id: random.id,
    mark: options.mark
  }
}
