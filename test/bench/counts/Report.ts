/**
 * Prints what was counted: a table for each kind of operation, and the places behind it.
 */
import { add, clientName, type Counted, type Figures, type Kind, type Site } from "./Figures.ts"
import { conversions } from "./Primitives.ts"

export interface Counts {
  /** The checkout that was measured. */
  readonly of: string
  readonly heap: Readonly<Record<Kind, Counted>>
  readonly copies: Readonly<Record<Kind, Counted>>
  /** The heap again, with nothing inlined: only its places are printed. */
  readonly places: Readonly<Record<Kind, Counted>>
  /** Of each kind. */
  readonly operations: number
}

const kinds: ReadonlyArray<Kind> = ["put", "get"]

const sum = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0)

const chosen = (counted: Counted, isClient: boolean): ReadonlyArray<ReadonlyArray<Figures>> =>
  [...counted].filter(([name]) => (name === clientName) === isClient).map(([, threads]) => threads)

/** The mean of `pick` over the client, or of the mean node, of all threads or the named one. */
const meanOf = (
  processes: ReadonlyArray<ReadonlyArray<Figures>>,
  pick: (figures: Figures) => number,
  thread?: string
): number => {
  const threads = processes.flat().filter((one) => thread === undefined || one.thread === thread)
  return sum(threads.map(pick)) / processes.length
}

/** `as bytes`: copied from bytes to bytes, without the conversions. */
const heads = ["on the heap", "outside it", "allocated", "copied", "as bytes"]

const line = (title: string, cells: ReadonlyArray<string>): string =>
  title.padEnd(24) + cells.map((cell) => cell.padStart(12)).join("")

const whole = (value: number): string => value.toFixed(0)

type Rows = ReadonlyArray<readonly [title: string, values: ReadonlyArray<number>]>

const bytesMoved = ({ copied }: Figures): ReadonlyArray<number> =>
  Object.entries(copied).flatMap(([name, bytes]) => conversions.has(name) ? [] : [bytes])

/** The bytes of one operation, in the order of `heads`. */
const rowsOf = ({ copies, heap, operations }: Counts, kind: Kind): Rows => {
  const row = (isClient: boolean, thread?: string): ReadonlyArray<number> => {
    const wrapped = chosen(copies[kind], isClient)
    const onHeap = meanOf(chosen(heap[kind], isClient), (figures) => figures.heap, thread)
    const outside = meanOf(wrapped, (figures) => figures.outside, thread)
    const copied = meanOf(wrapped, (figures) => sum(Object.values(figures.copied)), thread)
    const asBytes = meanOf(wrapped, (figures) => sum(bytesMoved(figures)), thread)
    return [onHeap, outside, onHeap + outside, copied, asBytes].map((bytes) => bytes / operations)
  }
  const [client, node] = [row(true), row(false)]
  const nodeCount = heap[kind].size - 1
  return [
    ["client", client],
    ["a node", node],
    ["  its main thread", row(false, "main")],
    ["  its storage thread", row(false, "worker")],
    [`client and ${nodeCount} nodes`, client.map((bytes, i) => bytes + nodeCount * (node[i] ?? 0))]
  ]
}

const table = (title: string, rows: Rows): ReadonlyArray<string> => [
  "",
  line(title, heads),
  ...rows.map(([name, values]) => line(name, values.map(whole)))
]

const percent = (part: number, all: number): string => `${(part * 100 / all).toFixed(1)} %`

const comparison = (kind: Kind, first: Rows, later: Rows): ReadonlyArray<string> => [
  "",
  line(`a ${kind} against the first`, heads),
  ...later.map(([name, values], i) =>
    line(
      name,
      values.map((value, j) => {
        const before = first[i]?.[1][j] ?? 0
        return before < 1 ? "-" : percent(value, before)
      })
    )
  )
]

const byPrimitive = ({ copies, operations }: Counts, kind: Kind): ReadonlyArray<string> => {
  const counted = copies[kind]
  const names = new Set([...counted.values()].flat().flatMap(({ copied }) => Object.keys(copied)))
  const bytesIn = (isClient: boolean, name: string): number =>
    meanOf(chosen(counted, isClient), ({ copied }) => copied[name] ?? 0) / operations
  const rows = [...names].map((name) => {
    const [client, node] = [bytesIn(true, name), bytesIn(false, name)]
    return { all: client + (counted.size - 1) * node, cells: [client, node].map(whole), name }
  })
  return [
    "",
    line(`copied by a ${kind}`, ["client", "a node"]),
    ...rows.toSorted((a, b) => b.all - a.all).map(({ cells, name }) => line(name, cells))
  ]
}

/** The ways to charge a site's bytes: each with its title, and the lines that get them. */
const charges: ReadonlyArray<readonly [string, (site: Site) => ReadonlyArray<string>]> = [
  ["by place", ({ place }) => [place]],
  [
    "by the three nearest functions of the source",
    ({ own, place }) => [own.length === 0 ? `(none) ${place}` : own.slice(0, 3).join(" < ")]
  ],
  ["by function of the source, with all that it calls", ({ own }) => [...new Set(own)]]
]

const top = (
  sites: ReadonlyArray<Site>,
  charge: (site: Site) => ReadonlyArray<string>,
  options: { readonly count: number; readonly operations: number }
): ReadonlyArray<string> => {
  const sums = new Map<string, number>()
  for (const site of sites) {
    for (const name of charge(site)) add(sums, name, site.bytes)
  }
  const all = sum(sites.map(({ bytes }) => bytes))
  return [...sums]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, options.count)
    .map(([name, bytes]) => {
      const perOperation = whole(bytes / options.operations).padStart(8)
      return `${perOperation}${percent(bytes, all).padStart(9)}  ${name}`
    })
}

const placesOf = (counts: Counts, kind: Kind, count: number): ReadonlyArray<string> => {
  const { copies, operations, places } = counts
  const lists = [
    ["allocated on the heap", places, "allocations"],
    ["allocated outside the heap", copies, "allocations"],
    ["copied", copies, "copies"]
  ] as const
  return [true, false].flatMap((isClient) =>
    lists.flatMap(([what, counted, list]) => {
      const processes = chosen(counted[kind], isClient)
      const sites = processes.flat().flatMap((figures) => figures[list])
      const options = { count, operations: operations * processes.length }
      const title = `bytes ${what} in ${isClient ? "the client" : "a node"} by a ${kind}`
      return charges.flatMap((
        [by, charge]
      ) => ["", `${title}, ${by}`, ...top(sites, charge, options)])
    })
  )
}

/** Prints each in turn, and what the later ones are of the first; then the places that count. */
export const print = (all: ReadonlyArray<Counts>, count: number): void => {
  for (const counts of all) {
    const [first] = all
    console.log(`\n${counts.of}, ${counts.operations} puts and as many gets`)
    for (const kind of kinds) {
      const rows = rowsOf(counts, kind)
      console.log(table(`bytes of a ${kind}`, rows).join("\n"))
      if (first !== undefined && counts !== first) {
        console.log(comparison(kind, rowsOf(first, kind), rows).join("\n"))
      }
    }
    if (count === 0) continue
    for (const kind of kinds) {
      const lines = [...byPrimitive(counts, kind), ...placesOf(counts, kind, count)]
      console.log(lines.join("\n"))
    }
  }
}
