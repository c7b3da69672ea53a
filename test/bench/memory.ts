/**
 * Measures the memory of a replica that writes and reads many small documents, beside what its
 * settings say: its cache, the last dots, and the operations that it remembers.
 *
 *     npx node --expose-gc --conditions=everwrite-source test/bench/memory.ts [documents]
 */
import "effect/schema/SchemaJITCompiler/enable"
import { lan } from "../../src/core/model/Limits.ts"
import type { RowKey } from "../../src/core/model/RowKey.ts"
import { Bench } from "../replica/bench.ts"

const documents = Number(process.argv[2] ?? 900_000)
const keyOf = (number: number): RowKey => ({
  partition: number % 256,
  bucket: "documents",
  partitionKey: `sdocument-${number}`,
  sortKey: ""
})

/** The lengths of buffers are no memory of the heap. */
const measured = () => {
  globalThis.gc?.()
  const { arrayBuffers, heapUsed, rss } = process.memoryUsage()
  return { heap: heapUsed + arrayBuffers, rss }
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`

const { cacheBytesMax } = lan.node
const before = measured()
const bench = new Bench({ strategy: { family: "lww" }, cacheBytesMax })
for (let i = 0; i < documents; i++) {
  bench.begin([["put", "x".repeat(60)]], { key: keyOf(i) })
  if (i % 256 === 255) bench.runtime.runReady()
}
bench.runtime.runReady()
for (let i = 0; i < documents; i++) bench.replica.read(keyOf(i))
const after = measured()
const { cachedBytes, cachedDocuments, lastDots } = bench.replica.stats()
console.log(
  `${documents} documents: heap and buffers ${mebibytes(after.heap - before.heap)}, resident `
    + `${mebibytes(after.rss - before.rss)} with the disk in memory; by the settings: cache `
    + `${mebibytes(cacheBytesMax)}, of which ${cachedDocuments} documents take `
    + `${mebibytes(cachedBytes)}; ${lastDots} last dots of 24 bytes, ${mebibytes(lastDots * 24)}`
)
