/**
 * Keeps a number of operations under way for a time, and says how many ended and how long each
 * took.
 */

export interface Line {
  readonly perSecond: number
  /** Milliseconds of each operation. */
  readonly times: ReadonlyArray<number>
  readonly failures: number
  /** Bytes for each operation; absent where nobody counted them. */
  readonly bytes?: { readonly wire: number; readonly disk: number }
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

const percentile = (sorted: ReadonlyArray<number>, share: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(2)

/**
 * A row of the table: what, how many under way, per second, percentiles in ms, failures, bytes for
 * each operation.
 */
export const row = (title: string, inFlight: number, line: Line): ReadonlyArray<string> => {
  const sorted = line.times.toSorted((a, b) => a - b)
  return [
    title,
    String(inFlight),
    line.perSecond.toFixed(0),
    percentile(sorted, 0.5),
    percentile(sorted, 0.99),
    percentile(sorted, 0.999),
    String(line.failures),
    line.bytes?.wire.toFixed(0) ?? "",
    line.bytes?.disk.toFixed(0) ?? ""
  ]
}

export const head = [
  "",
  "in flight",
  "per second",
  "p50 ms",
  "p99 ms",
  "p99.9 ms",
  "failed",
  "wire bytes",
  "disk bytes"
]

export const text = (cells: ReadonlyArray<string>): string =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(16) : cell.padStart(11))).join("").trimEnd()
