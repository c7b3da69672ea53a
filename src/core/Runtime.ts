/**
 * Names everything that a node may ask of its surroundings: time, chance and turns.
 *
 * Code that runs on callbacks takes this interface instead of reaching for `Date`, timers or
 * `crypto`, so that a whole cluster can run in one process on virtual time under one seed. The
 * live implementation is `node/LiveRuntime`, the simulated one `testing/simulator/SimRuntime`.
 */

/** Withdraws a task that has not run yet; calling it again, or too late, does nothing. */
export type Cancel = () => void

export interface Runtime {
  /** Wall clock, in milliseconds since 1970. May jump in either direction. */
  readonly now: () => number
  /** Milliseconds since an arbitrary start. Never goes back; for deadlines and intervals. */
  readonly elapsed: () => number
  /**
   * How much of `elapsed` this process has had nothing to do, and waited for something to come.
   * Never goes back.
   */
  readonly idle: () => number
  /** Runs `task` once, at least `millis` from now. */
  readonly after: (millis: number, task: () => void) => Cancel
  /** Runs `task` once, after the events at hand: where frames and commits are gathered. */
  readonly endOfTurn: (task: () => void) => void
  /** A number in [0, 1). For spreading load, never for identity. */
  readonly random: () => number
  /** 26 characters of [0-9a-z], different at every call on every node (128 random bits). */
  readonly id: () => string
  /**
   * Notes that a rare path was taken, by a constant name. Live nodes count them; the simulator
   * fails a batch of seeds in which one was never taken, because it then proves nothing about it.
   */
  readonly mark: (path: string) => void
}
