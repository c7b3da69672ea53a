/**
 * Makes a table of a profile: a row for each room, a column for each process and its threads.
 */
import { add, type Figures } from "../counts/Figures.ts"

/** The threads of a process. */
export type ProcessFigures = ReadonlyArray<Figures>

export interface Profiled {
  readonly operations: number
  readonly client: ProcessFigures
  readonly coordinator: ProcessFigures
  readonly replicas: ReadonlyArray<ProcessFigures>
  /** Microseconds of CPU. */
  readonly broker: number
}

type Column = Readonly<Record<string, number>>

const helpers = "V8's helper threads"
const isMain = ({ thread }: Figures): boolean => thread === "main"

const sum = (columns: ReadonlyArray<Column>): Column => {
  const sums = new Map<string, number>()
  for (const column of columns) {
    for (const [room, amount] of Object.entries(column)) add(sums, room, amount)
  }
  return Object.fromEntries(sums)
}

const scaled = (column: Column, factor: number): Column =>
  Object.fromEntries(Object.entries(column).map(([room, amount]) => [room, amount * factor]))

const total = (column: Column): number =>
  Object.values(column).reduce((sum, amount) => sum + amount, 0)

/** All of a process that is no thread of JavaScript: collecting garbage, compiling. */
const helpersOf = (threads: ProcessFigures): Column => {
  const own = threads.reduce((sum, { threadMicros }) => sum + threadMicros, 0)
  const all = threads.reduce((sum, { processMicros }) => sum + processMicros, 0)
  return all > own ? { [helpers]: all - own } : {}
}

const mainOf = (threads: ProcessFigures): Column =>
  sum([...threads.filter(isMain).map(({ rooms }) => rooms), helpersOf(threads)])

const storageOf = (threads: ProcessFigures): Column =>
  sum(threads.filter((figures) => !isMain(figures)).map(({ rooms }) => rooms))

/** Sums by process, of an operation; the replicas' is the mean of the two. */
export const tableOf = (
  { broker, client, coordinator, operations, replicas }: Profiled,
  unit: "microseconds" | "bytes"
): ReadonlyArray<string> => {
  const mean = (of: (threads: ProcessFigures) => Column): Column =>
    scaled(sum(replicas.map(of)), 1 / Math.max(replicas.length, 1))
  const column = (title: string, all: Column): readonly [title: string, column: Column] => [
    title,
    scaled(all, 1 / operations)
  ]
  const columns = [
    column("client", mainOf(client)),
    column("coordinator", mainOf(coordinator)),
    column("its storage", storageOf(coordinator)),
    column("a replica", mean(mainOf)),
    column("its storage", mean(storageOf))
  ]
  const sums = sum(columns.map(([, column]) => column))
  const rooms = Object.entries(sums).sort(([, a], [, b]) => b - a).map(([room]) => room)
  const digits = unit === "bytes" ? 0 : 1
  const cells = (values: ReadonlyArray<number>): string =>
    values.map((value) => (value === 0 ? "" : value.toFixed(digits)).padStart(13)).join("")
  const width = Math.max(...rooms.map((room) => room.length), 10)
  return [
    "".padEnd(width) + columns.map(([title]) => title.padStart(13)).join(""),
    ...rooms.map((room) =>
      room.padEnd(width) + cells(columns.map(([, column]) => column[room] ?? 0))
    ),
    "total".padEnd(width) + cells(columns.map(([, column]) => total(column))),
    ...unit === "microseconds" ? [`broker: ${(broker / operations).toFixed(1)}`] : []
  ]
}
