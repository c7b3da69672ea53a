/**
 * Measures what it costs a replica to change one element of a document of n, beside a put of 256
 * bytes: CPU time of the update and of its share of a commit, bytes that the update allocates,
 * and rows that are written; and to read the document from the disk, which is in memory.
 *
 *     npx node --conditions=everwrite-source test/bench/elements.ts [elements ...]
 */
import "effect/schema/SchemaJITCompiler/enable"
import { getHeapStatistics } from "node:v8"
import type { StrategyDefinition } from "../../src/core/model/BucketDefinition.ts"
import type { Batch, StorageService } from "../../src/storage/Storage.ts"
import * as RowCodec from "../../src/replica/RowCodec.ts"
import { Bench, key } from "../replica/bench.ts"

type Call = readonly [name: string, ...args: ReadonlyArray<unknown>]

interface Subject {
  readonly title: string
  readonly strategy: StrategyDefinition
  readonly fill: (i: number) => Call
  readonly change: (i: number, elements: number) => Call
}

const set: Subject = {
  title: "add to a set",
  strategy: { family: "crdt", type: { type: "set" } },
  fill: (i) => ["add", `element-${i}`],
  change: (i) => ["add", `new-${i}`]
}

const counters: Subject = {
  title: "increment in a map of counters",
  strategy: { family: "crdt", type: { type: "map", of: { type: "counter" } } },
  fill: (i) => ["add", `counter-${i}`, 1],
  change: (i, elements) => ["add", `counter-${i * 7919 % elements}`, 1]
}

const put: Subject = {
  title: "put of 256 bytes",
  strategy: { family: "lww" },
  fill: () => ["put", "x".repeat(256)],
  change: (i) => ["put", `${i}`.padEnd(256, "x")]
}

const atOnce = 1_000
/** Changes that are measured together, as many as a group of commits may have. */
const group = 50

/** And at most as many as there are elements, so that they stay about as many. */
const changesMin = 2_000

const allocated = (): number => {
  const { external_memory: external, used_heap_size: used } = getHeapStatistics()
  return external + used
}

const micros = (run: () => void): number => {
  const before = process.cpuUsage()
  run()
  const { system, user } = process.cpuUsage(before)
  return user + system
}

/** Milliseconds of CPU time to read the document, which is not in memory then. */
const readMillis = (bench: Bench): number =>
  median(
    Array.from({ length: 5 }, () => {
      const before = process.threadCpuUsage()
      const read = bench.storage.read(key)
      if (read._tag !== "Found" || RowCodec.decode(read.document) instanceof Error) {
        throw new Error("the document cannot be read")
      }
      const { system, user } = process.threadCpuUsage(before)
      return (user + system) / 1_000
    })
  )

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** Counts the rows that a replica writes from now on. */
const countRows = (storage: StorageService): () => number => {
  let rows = 0
  const { write } = storage
  const counting = (batch: Batch, ...rest: [Parameters<typeof write>[1]]) => {
    rows += batch.rows.length
    for (const { elements } of batch.documents) rows += 1 + elements.length
    return write(batch, ...rest)
  }
  Object.assign(storage, { write: counting })
  return () => rows
}

/** Of one change, once the code is made. */
const ofOne = (values: ReadonlyArray<number>): string =>
  (median(values.slice(values.length >> 1)) / group).toFixed(1)

const measure = ({ change, fill, strategy, title }: Subject, elements: number): void => {
  const bench = new Bench({ strategy, cacheBytesMax: 2 ** 30 })
  const operate = (calls: ReadonlyArray<Call>): void => {
    const { updated } = bench.begin(calls)
    if (updated._tag !== "Updated") throw new Error(updated._tag)
  }
  for (let from = 0; from < elements; from += atOnce) {
    const count = Math.min(atOnce, elements - from)
    operate(Array.from({ length: count }, (_, i) => fill(from + i)))
    bench.runtime.runReady()
  }
  const rows = countRows(bench.storage)
  const [updates, commits, bytes]: [Array<number>, Array<number>, Array<number>] = [[], [], []]
  let changes = 0
  const until = process.cpuUsage().user + 3e6
  while (process.cpuUsage().user < until && changes < Math.max(elements, changesMin)) {
    const held = allocated()
    updates.push(micros(() => {
      for (let i = 0; i < group; i++) operate([change(changes + i, elements)])
    }))
    const grown = allocated() - held
    // A collection of garbage in between takes away more than was allocated.
    if (grown > 0) bytes.push(grown)
    commits.push(micros(() => bench.runtime.runReady()))
    changes += group
  }
  const name = elements > 1 ? `${title} of ${elements.toLocaleString("en")}` : title
  console.log(
    `${name}: update ${ofOne(updates)} us, commit ${ofOne(commits)} us, ${ofOne(bytes)} bytes, `
      + `${(rows() / changes).toFixed(1)} rows, read ${readMillis(bench).toFixed(1)} ms`
  )
}

const sizes = process.argv.length > 2
  ? process.argv.slice(2).map(Number)
  : [10, 100, 1_000, 10_000, 100_000]
console.log("To make code:")
for (const subject of [put, set, counters]) measure(subject, 100)
console.log("\nMeasured:")
measure(put, 1)
for (const subject of [set, counters]) for (const elements of sizes) measure(subject, elements)
