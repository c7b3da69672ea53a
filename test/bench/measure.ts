/**
 * Keeps a number of operations under way for a time, and says how many ended and how long each
 * took.
 */

export interface Line {
  readonly perSecond: number
  /** Milliseconds of each operation. */
  readonly times: ReadonlyArray<number>
  readonly failures: number
}

/** Documents that the operations go round. */
export const documentCount = 10_000

/** The key of the i-th operation: round all documents, in no order that SQLite would like. */
export const keyOf = (i: number): string => `k${(i * 7_919) % documentCount}`

/** 256 bytes that differ from those that were there: SQLite writes no page for equal ones. */
export const bodyOf = (version: number): string => String(version).padStart(256, "x")

export const measure = async (
  options: { readonly inFlight: number; readonly millis: number },
  operate: (i: number) => Promise<unknown>
): Promise<Line> => {
  const times: Array<number> = []
  const began = performance.now()
  let next = 0
  let failures = 0
  const work = async () => {
    while (performance.now() - began < options.millis) {
      const at = performance.now()
      try {
        await operate(next++)
      } catch {
        failures++
        continue
      }
      times.push(performance.now() - at)
    }
  }
  await Promise.all(Array.from({ length: options.inFlight }, work))
  return { perSecond: times.length / ((performance.now() - began) / 1000), times, failures }
}
