/**
 * Measures what it costs to remember the last dot of each document: the table alone with 5,000,000
 * documents, and a replica that writes 500,000 documents twice, of which memory tells of all, or of
 * half.
 *
 *     npx node --conditions=everwrite-source test/bench/births.ts
 */
import "effect/schema/SchemaJITCompiler/enable"
import * as Document from "../../src/core/crdt/Document.ts"
import type { RowKey } from "../../src/core/model/RowKey.ts"
import { LastIssuedDots, type LastIssuedDotsOptions } from "../../src/replica/LastIssuedDots.ts"
import { Bench } from "../replica/bench.ts"

const partitionCount = 256
const actor = "n1.000000000000000.1"

const keyOf = (number: number): RowKey => ({
  partition: number % partitionCount,
  bucket: "documents",
  partitionKey: `sdocument-${number}`,
  sortKey: ""
})

/** CPU time, since other programs on the machine take turns with this one. */
const seconds = (run: () => void): number => {
  const before = process.cpuUsage()
  run()
  const { system, user } = process.cpuUsage(before)
  return (system + user) / 1e6
}

const micros = (time: number, count: number): string => `${(time / count * 1e6).toFixed(2)} us`

const heldAt = (counter: number) => ({ ...Document.empty, context: new Map([[actor, counter]]) })

const table = (documents: number): void => {
  const storage: LastIssuedDotsOptions["storage"] = { readRow: () => ({ _tag: "Absent" }) }
  const limits = { lastIssuedDotsMax: documents }
  const dots = new LastIssuedDots({ storage, salt: "salt", limits })
  const insert = seconds(() => {
    for (let i = 0; i < documents; i++) dots.made(keyOf(i), heldAt(i + 1), actor)
  })
  let held = 0
  const ask = seconds(() => {
    for (let i = 0; i < documents; i++) {
      const local = { document: heldAt(i + 1), digest: "", own: actor }
      if (dots.holdsLast(keyOf(i), local) === "by memory") held++
    }
  })
  console.log(
    `table: ${documents} documents, ${held} held, ${(dots.bytes / documents).toFixed(1)} bytes, `
      + `${micros(insert, documents)} an insert, ${micros(ask, documents)} a look`
  )
}

const replica = (documents: number, lastIssuedDotsMax: number): void => {
  const bench = new Bench({ strategy: { family: "lww" }, lastIssuedDotsMax })
  const write = (round: number): number =>
    seconds(() => {
      for (let i = 0; i < documents; i++) {
        bench.begin([["put", `${round} ${i}`]], { key: keyOf(i) })
        if (i % 256 === 255) bench.runtime.runReady()
      }
      bench.runtime.runReady()
    })
  const first = write(1)
  const second = write(2)
  const { births, leafReads, updates } = bench.replica.stats()
  console.log(
    `replica: ${documents} documents, memory tells of ${lastIssuedDotsMax}: ${updates} writes, `
      + `${births} births, ${leafReads} leaves read, ${micros(first, documents)} a first write, `
      + `${micros(second, documents)} a second one`
  )
}

table(5_000_000)
for (const lastIssuedDotsMax of [500_000, 250_000]) replica(500_000, lastIssuedDotsMax)
