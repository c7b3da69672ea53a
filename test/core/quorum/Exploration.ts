/**
 * Drives a decision and its specification side by side through every order of events, or through
 * a repeatable sample of orders where there are too many.
 */

/** The present states of decision and specification. */
export interface Exploration<Run, Event> {
  readonly start: Run
  /** The events that may come next: from anyone, asked or not, once or again. */
  readonly events: (run: Run) => ReadonlyArray<Event>
  /** Throws where the decision is not what the specification says. */
  readonly step: (run: Run, event: Event) => Run
  /** Equal only for runs that continue alike, so that one of them need be explored. */
  readonly key: (run: Run) => number
}

/** Which events an exploration goes through. */
export interface Extent {
  /** Repeated and contradictory answers, and answers from nodes that were never asked. */
  readonly noise: boolean
  /** The events after the outcome. */
  readonly late: boolean
}

class Disagreement extends Error {}

/** Fails unless a decision and its specification agree on `what`. */
export const agree = (holds: boolean, what: string): void => {
  if (!holds) throw new Disagreement(what)
}

/** The first disagreement of decision and specification, if any. */
export const disagreement = (explore: () => void): string | undefined => {
  try {
    explore()
    return undefined
  } catch (error) {
    if (error instanceof Disagreement) return error.message
    throw error
  }
}

/** Every order of events. Returns the number of steps compared. */
export const exploreAll = <Run, Event>(exploration: Exploration<Run, Event>): number => {
  const seen = new Set([exploration.key(exploration.start)])
  const open = [exploration.start]
  let steps = 0
  for (let run = open.pop(); run !== undefined; run = open.pop()) {
    for (const event of exploration.events(run)) {
      const next = exploration.step(run, event)
      const key = exploration.key(next)
      steps++
      if (seen.has(key)) continue
      seen.add(key)
      open.push(next)
    }
  }
  return steps
}

/** Some orders of events, the same each time. Returns the number of steps compared. */
export const exploreSome = <Run, Event>(
  exploration: Exploration<Run, Event>,
  options: { readonly walks: number; readonly stepsEach: number; readonly seed: number }
): number => {
  const pick = generator(options.seed)
  for (let walk = 0; walk < options.walks; walk++) {
    let run = exploration.start
    for (let step = 0; step < options.stepsEach; step++) {
      const events = exploration.events(run)
      run = exploration.step(run, events[pick(events.length)]!)
    }
  }
  return options.walks * options.stepsEach
}

/** Mulberry32: 32 bits of state, enough for a sample. */
export const generator = (seed: number): (count: number) => number => {
  let state = seed
  return (count) => {
    state = state + 0x6d2b_79f5 | 0
    let mixed = Math.imul(state ^ state >>> 15, state | 1)
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61)
    return ((mixed ^ mixed >>> 14) >>> 0) % count
  }
}
