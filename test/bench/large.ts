/**
 * Measures how large documents slow down others: reads of absent keys in their bucket, and writes
 * of small documents in another one, with 60 documents of 1 MB against none, in one run.
 *
 *     npx node --conditions=everwrite-source test/bench/large.ts
 */
import "effect/schema/SchemaJITCompiler/enable"
import { MemoryDisk, openDirect } from "../../src/storage/DirectStorage.ts"
import type { RowKey } from "../../src/storage/Storage.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"

const small = 5_000
const large = 60
const rounds = 5

const keyOf = (bucket: string, name: string): RowKey => ({
  partition: 1,
  bucket,
  partitionKey: `s${name}`,
  sortKey: ""
})

const open = () => {
  const runtime = new SteppedRuntime()
  const identity = { node: "n1", cluster: "bench", partitionCount: 16 }
  const { service } = openDirect({ directory: new MemoryDisk(), identity, runtime })
  const write = (key: RowKey, bytes: number): void => {
    const header = new Uint8Array(bytes)
    const change = { key, header, elements: [], elementCount: 0 }
    service.write({ documents: [change], rows: [] }, () => undefined)
    runtime.runReady()
  }
  for (let i = 0; i < small; i++) write(keyOf("small", String(i)), 256)
  return { service, write }
}

/** The least CPU time of some rounds, since other programs take turns with this one. */
const micros = (run: () => void): number => {
  let least = Infinity
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    run()
    const { system, user } = process.cpuUsage(before)
    least = Math.min(least, (system + user) / 2_000)
  }
  return least
}

const measure = ({ service, write }: ReturnType<typeof open>) => ({
  read: micros(() => {
    for (let i = 0; i < 2_000; i++) service.read(keyOf("large", `${i % 60}-absent`))
  }),
  write: micros(() => {
    for (let i = 0; i < 2_000; i++) write(keyOf("other", String(i)), 256)
  })
})

const alone = measure(open())
const among = open()
for (let i = 0; i < large; i++) among.write(keyOf("large", String(i)), 1_000_000)
const beside = measure(among)
console.log(
  `reads of absent keys ${alone.read.toFixed(1)} us, beside ${large} of 1 MB `
    + `${beside.read.toFixed(1)} us: ${
      (beside.read / alone.read).toFixed(1)
    } times; writes of small `
    + `documents ${alone.write.toFixed(1)} us, ${beside.write.toFixed(1)} us: `
    + `${(beside.write / alone.write).toFixed(1)} times`
)
