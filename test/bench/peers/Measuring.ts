/**
 * Puts a client under a load for a time, and says how many operations ended and how long they took.
 */

export interface Measured {
  readonly perSecond: number
  readonly count: number
  readonly failures: number
  /** How often each failed. */
  readonly errors: Readonly<Record<string, number>>
  /** Milliseconds of an operation, by the share of operations that took no longer. */
  readonly millis: Readonly<Record<Percentile, number>>
}

export const percentiles = ["p50", "p99", "p99.9", "p99.99", "max"] as const
export type Percentile = (typeof percentiles)[number]

const shares = { p50: 0.5, p99: 0.99, "p99.9": 0.999, "p99.99": 0.9999, max: 1 }

class Recording {
  readonly #times: Array<number> = []
  readonly #errors: Record<string, number> = {}
  #failures = 0

  add(millis: number): void {
    this.#times.push(millis)
  }

  addFailure(error: unknown): void {
    const name = error instanceof Error ? error.name : String(error)
    this.#errors[name] = (this.#errors[name] ?? 0) + 1
    this.#failures++
  }

  measured(seconds: number): Measured {
    const sorted = Float64Array.from(this.#times).sort()
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
    const millis = {
      "p50": at(shares.p50),
      "p99": at(shares.p99),
      "p99.9": at(shares["p99.9"]),
      "p99.99": at(shares["p99.99"]),
      "max": at(shares.max)
    }
    const count = sorted.length
    const [failures, errors] = [this.#failures, this.#errors]
    return { perSecond: count / seconds, count, failures, errors, millis }
  }
}

type Operation = (i: number) => Promise<unknown>

/** Keeps so many operations under way. */
export const keepInFlight = async (
  { inFlight, seconds }: { readonly inFlight: number; readonly seconds: number },
  operate: Operation
): Promise<Measured> => {
  const recording = new Recording()
  const began = performance.now()
  let next = 0
  const work = async (): Promise<void> => {
    for (let at = began; at - began < seconds * 1000;) {
      try {
        await operate(next++)
        const now = performance.now()
        recording.add(now - at)
        at = now
      } catch (error) {
        recording.addFailure(error)
        at = performance.now()
      }
    }
  }
  await Promise.all(Array.from({ length: inFlight }, work))
  return recording.measured((performance.now() - began) / 1000)
}

/** One more try, as a caller would do it. */
const withOneRetry = (operate: Operation, i: number): Promise<unknown> =>
  operate(i).catch(() => operate(i))

/**
 * Begins operations at a fixed rate and measures each from the moment at which it was to begin: so
 * a pause of the program counts for all operations that fell into it, and not for the one that
 * was under way alone (Tene, "How NOT to measure latency"). A timer of Node fires up to 1 ms late,
 * which is in the figures.
 */
export const keepRate = async (
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
  operate: Operation
): Promise<Measured> => {
  const recording = new Recording()
  const total = Math.round(rate * seconds)
  const began = performance.now()
  const dueAt = (i: number): number => began + (i * 1000) / rate
  const run = async (i: number): Promise<void> => {
    try {
      await withOneRetry(operate, i)
      recording.add(performance.now() - dueAt(i))
    } catch (error) {
      recording.addFailure(error)
    }
  }
  const underWay: Array<Promise<void>> = []
  while (underWay.length < total) {
    const wait = dueAt(underWay.length) - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    else underWay.push(run(underWay.length))
  }
  await Promise.all(underWay)
  return recording.measured((performance.now() - began) / 1000)
}

const triesMax = 20
const pauseMillis = 250

/** A program that is not warm yet, or too busy, is tried again. */
const withRetries = async (call: Operation, i: number): Promise<unknown> => {
  for (let tries = 1; tries < triesMax; tries++) {
    try {
      return await call(i)
    } catch {
      await new Promise((resolve) => setTimeout(resolve, pauseMillis))
    }
  }
  return call(i)
}

/** Runs so many calls, with some at once, until each has gone well. */
export const forEach = async (
  count: number,
  call: Operation,
  atOnce = 64
): Promise<void> => {
  let next = 0
  const work = async (): Promise<void> => {
    while (next < count) await withRetries(call, next++)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, work))
}
