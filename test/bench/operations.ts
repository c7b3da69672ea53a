/**
 * Measures what it costs to remember as many operations as a node does: how long a start takes to
 * read their rows, and how much memory each one takes, read or carried out.
 *
 *     npx node --expose-gc --conditions=everwrite-source test/bench/operations.ts
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { invariant } from "../../src/core/Invariant.ts"
import { lan } from "../../src/core/model/Limits.ts"
import type { RowKey } from "../../src/core/model/RowKey.ts"
import { OperationIndex } from "../../src/replica/OperationIndex.ts"
import * as OperationRow from "../../src/replica/OperationRow.ts"
import { openDirect } from "../../src/storage/DirectStorage.ts"
import type { StorageService } from "../../src/storage/Storage.ts"
import { liveRuntime } from "../tooling/runtimes.ts"

const { operationIdsMax: count } = lan.node
const partitionCount = 256
const rowsAtOnce = 256
const incarnation = "000000000000000"
const identity = { node: "n1", cluster: "everwrite", partitionCount }

const documents = 10_000
/** One birth for each document. `join` makes flat texts, as decoded ones are. */
const actors = Array.from({ length: documents }, (_, i) => ["n1", incarnation, `${i}`].join("."))
/** As clients name them. */
const sessions = Array.from({ length: 100 }, (_, i) => ["0mjuohw3up", 10_000 + i].join(""))

const operationOf = (i: number): OperationRow.AppliedOperation => ({
  id: { session: sessions[i % sessions.length]!, sequence: 1 + i },
  dot: { actor: actors[i % documents]!, counter: 1 + i }
})

const keyOf = (i: number): RowKey => ({
  partition: i % partitionCount,
  bucket: "documents",
  partitionKey: `sdocument-${i % documents}`,
  sortKey: ""
})

const fill = async (storage: StorageService): Promise<void> => {
  for (let from = 0; from < count; from += rowsAtOnce) {
    const rows = Array.from({ length: rowsAtOnce }, (_, n) => {
      const { partition, ...document } = keyOf(from + n)
      const bytes = OperationRow.encode({ ...operationOf(from + n), document })
      return { family: "operation", key: [2 ** 32 + from + n, partition], bytes } as const
    })
    await new Promise<void>((resolve, reject) =>
      storage.write(
        { documents: [], rows },
        (failure) => failure === undefined ? resolve() : reject(new Error(failure.detail))
      )
    )
  }
}

const heap = (): number => {
  invariant(globalThis.gc !== undefined, "node runs with --expose-gc")
  globalThis.gc()
  globalThis.gc()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const empty: Pick<StorageService, "scanRows"> = { scanRows: () => [] }

const make = (storage: Pick<StorageService, "scanRows">): OperationIndex =>
  new OperationIndex({
    storage,
    runtime: liveRuntime,
    incarnation: () => incarnation,
    limits: lan.node
  })

const carryOutAll = (index: OperationIndex): void => {
  for (let i = 0; i < count; i++) {
    index.applied(keyOf(i), operationOf(i)).accepted([2 ** 32 + i])
  }
}

const directory = mkdtempSync(join(tmpdir(), "everwrite-operations-"))
try {
  const open = () => openDirect({ directory, identity, runtime: liveRuntime })
  const first = open()
  await fill(first.service)
  first.close()

  const again = open()
  const before = heap()
  const beganAt = performance.now()
  const cpu = process.cpuUsage()
  const read = make(again.service)
  const millis = performance.now() - beganAt
  const { system, user } = process.cpuUsage(cpu)
  const readBytes = (heap() - before) / read.kept
  console.log(
    `start: ${read.kept} operations are read in ${(millis / 1000).toFixed(2)} s, of which `
      + `${((system + user) / 1e6).toFixed(2)} s of CPU; ${readBytes.toFixed(0)} bytes each`
  )
  again.close()

  const empties = heap()
  const live = make(empty)
  const used = process.cpuUsage()
  carryOutAll(live)
  const { system: inSystem, user: inUser } = process.cpuUsage(used)
  const micros = (inSystem + inUser) / live.kept
  const liveBytes = (heap() - empties) / live.kept
  console.log(
    `carried out: ${live.kept} operations, ${liveBytes.toFixed(0)} bytes and `
      + `${micros.toFixed(1)} µs of CPU each`
  )
} finally {
  rmSync(directory, { recursive: true, force: true })
}
