/**
 * Makes tables of a comparison: medians over the rounds and how far the rounds lie apart, and the
 * ratios of one program to the others.
 */
import type { Cell, Comparison } from "./compare.ts"
import { loads } from "./Loads.ts"
import { type Percentile, percentiles } from "./Measuring.ts"
import { programs } from "./Programs.ts"

export interface Row {
  readonly program: string
  readonly load: string
  readonly inFlight: number
  readonly perSecond: number
  /** The least and the greatest of the rounds. */
  readonly spread: readonly [number, number]
  readonly millis: Readonly<Record<Percentile, number>>
  readonly failures: number
  readonly wire: number | undefined
  readonly disk: number | undefined
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const medianIfAny = (values: ReadonlyArray<number>): number | undefined =>
  values.length === 0 ? undefined : median(values)

const rowOf = (cells: ReadonlyArray<Cell>): Row => {
  const { inFlight, load, program } = cells[0]!
  const speeds = cells.map(({ measured }) => measured.perSecond)
  const millisAt = (percentile: Percentile): number =>
    median(cells.map(({ measured }) => measured.millis[percentile]))
  const bytes = cells.flatMap((cell) => cell.bytes ?? [])
  return {
    program,
    load,
    inFlight,
    perSecond: median(speeds),
    spread: [Math.min(...speeds), Math.max(...speeds)],
    millis: {
      "p50": millisAt("p50"),
      "p99": millisAt("p99"),
      "p99.9": millisAt("p99.9"),
      "p99.99": millisAt("p99.99"),
      "max": millisAt("max")
    },
    failures: cells.reduce((sum, { measured }) => sum + measured.failures, 0),
    wire: medianIfAny(bytes.map(({ wire }) => wire)),
    disk: medianIfAny(bytes.map(({ disk }) => disk))
  }
}

/** A row for each program under each load, loads first. */
export const rowsOf = ({ cells }: Comparison): ReadonlyArray<Row> => {
  const groups = new Map<string, Array<Cell>>()
  for (const cell of cells) {
    const key = `${cell.load} ${cell.inFlight} ${cell.program}`
    groups.set(key, [...groups.get(key) ?? [], cell])
  }
  const order = Object.keys(programs)
  const place = ({ program }: Row): number => order.indexOf(program)
  const rows = [...groups.values()].map(rowOf)
  const first = new Map(rows.map((row) => [`${row.load} ${row.inFlight}`, 0]))
  for (const [i, key] of [...first.keys()].entries()) first.set(key, i)
  const group = ({ inFlight, load }: Row): number => first.get(`${load} ${inFlight}`)!
  return rows.sort((a, b) => group(a) - group(b) || place(a) - place(b))
}

const whole = (value: number | undefined): string => value === undefined ? "" : value.toFixed(0)

const table = (
  head: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>
): ReadonlyArray<string> => {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]!.length))
  )
  return [head, ...rows].map((cells) =>
    cells.map((cell, i) => i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join("  ")
      .trimEnd()
  )
}

export const tableOf = (rows: ReadonlyArray<Row>): ReadonlyArray<string> =>
  table(
    [
      "load",
      "program",
      "in flight",
      "per second",
      "least",
      "most",
      ...percentiles.map((percentile) => `${percentile} ms`),
      "failed",
      "wire bytes",
      "disk bytes"
    ],
    rows.map((row) => [
      loads[row.load]!.title,
      row.program,
      row.inFlight === 0 ? "" : String(row.inFlight),
      whole(row.perSecond),
      ...row.spread.map(whole),
      ...percentiles.map((percentile) => row.millis[percentile].toFixed(2)),
      String(row.failures),
      whole(row.wire),
      whole(row.disk)
    ])
  )

/** How many times as fast the first program is as each other one. */
export const ratiosOf = (rows: ReadonlyArray<Row>, of: string): ReadonlyArray<string> => {
  const own = rows.filter(({ load, program }) => program === of && loads[load]!.rate === undefined)
  const others = [...new Set(rows.map(({ program }) => program))].filter((name) => name !== of)
  const lines = own.map(({ inFlight, load, perSecond }) => [
    loads[load]!.title,
    String(inFlight),
    ...others.map((other) => {
      const beside = rows.find((row) =>
        row.program === other && row.load === load && row.inFlight === inFlight
      )
      return beside === undefined ? "" : (perSecond / beside.perSecond).toFixed(2)
    })
  ])
  if (others.length === 0 || lines.length === 0) return []
  return table([`${of} to`, "in flight", ...others], lines)
}

export const promisesOf = (names: Iterable<string>): ReadonlyArray<string> =>
  [...names].map((name) => `${name.padEnd(10)} ${programs[name]!.promise}`)
