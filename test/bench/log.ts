/**
 * Compares commits that append to the log, with the fold behind them, with commits that write the
 * tables: on one thread, as the storage thread does it, documents of 256 bytes with leaf and
 * operation id under random keys. The time includes the fold of all that was committed, and the
 * checkpoint; the bytes are those of this process's `write` calls.
 *
 *     npx node --conditions=everwrite-source test/bench/log.ts --documents 10000 --seconds 3
 */
import { randomBytes } from "node:crypto"
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { parseArgs } from "node:util"
import { lan } from "../../src/core/model/Limits.ts"
import type { AcceptedBatch } from "../../src/storage/AcceptedBatch.ts"
import { encodeKey } from "../../src/storage/FamilyKey.ts"
import { logPaths, openLogFiles } from "../../src/storage/LogFile.ts"
import { openStore } from "../../src/storage/OpenStore.ts"
import { TableWriter } from "../../src/storage/TableWriter.ts"
import { prepareWriter } from "../../src/storage/Tables.ts"
import { pack } from "../../src/storage/WorkerProtocol.ts"

const { values } = parseArgs({
  options: {
    documents: { type: "string", default: "10000" },
    seconds: { type: "string", default: "3" },
    log: { type: "string", default: String(lan.node.logBytesMax) }
  }
})
const documents = Number(values.documents)
const millis = Number(values.seconds) * 1_000
const groups = [1, 16, 128]
const ways = { tables: 0, log: Number(values.log) }
const store = {
  identity: { node: "bench", cluster: "bench", partitionCount: 256 },
  fileBytesMax: 2 ** 43,
  newStoreId: "bench"
}
const contents = randomBytes(1_024)
let sequence = 2 ** 40

/** Odd constants spread the documents over partitions and leaves, each always at its own. */
const partitionOf = (n: number): number => (n * 2_654_435_761 >>> 8) % 256
const leafOf = (n: number): number => (n * 40_503_000_001) % 2 ** 47

const batchOf = (n: number): AcceptedBatch => {
  const partition = partitionOf(n)
  const number = ++sequence
  const bytes = (length: number) => contents.subarray(number % 700, number % 700 + length)
  const key = { partition, bucket: "carts", partitionKey: `suser-${n}`, sortKey: "" }
  const operation = encodeKey("operation", [number, partition])
  return {
    documents: [{ key, header: bytes(256), elements: [], elementCount: 0, sequence: number }],
    rows: [
      { family: "leaf", key: encodeKey("leaf", [partition, leafOf(n)]), bytes: bytes(9) },
      { family: "operation", key: operation, bytes: bytes(24) }
    ]
  }
}

/** All documents, in the order of the tables. Of most, a node forgot the operation ids. */
const seed = (path: string): void => {
  using database = new DatabaseSync(path)
  prepareWriter(database, store)
  database.exec("PRAGMA synchronous = OFF; BEGIN")
  const tables = new TableWriter(database)
  const partitions = Map.groupBy(Array.from({ length: documents }, (_, n) => n), partitionOf)
  for (const numbers of partitions.values()) {
    for (const name of numbers.map(String).sort()) {
      const { documents: all, rows } = batchOf(Number(name))
      tables.write({ documents: all, rows: rows.slice(0, 1) })
    }
  }
  database.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")
}

const written = (): number =>
  Number(/^wchar: (\d+)/mu.exec(readFileSync("/proc/self/io", "utf8"))?.[1])

const drawBatch = () => batchOf(Math.floor(Math.random() * documents))

const measure = (path: string, { group, logBytesMax }: {
  readonly group: number
  readonly logBytesMax: number
}): ReadonlyArray<number> => {
  using database = new DatabaseSync(path)
  const files = openLogFiles(path)
  const limits = { ...lan.node, logBytesMax }
  const { committer } = openStore(database, files, { ...store, limits })
  const before = { cpu: process.cpuUsage(), bytes: written(), at: performance.now() }
  const waits: Array<number> = []
  let puts = 0
  while (performance.now() - before.at < millis) {
    const batches = Array.from({ length: group }, drawBatch)
    const packed = pack(batches, group * 600)
    const began = performance.now()
    const failure = committer.commit([packed])
    if (failure !== undefined) throw new Error(failure.detail)
    committer.fold()
    waits.push(performance.now() - began)
    puts += group
  }
  committer.settle()
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)")
  const seconds = (performance.now() - before.at) / 1_000
  const { system, user } = process.cpuUsage(before.cpu)
  const bytes = written() - before.bytes
  for (const file of files) file.close()
  waits.sort((a, b) => a - b)
  const p99 = waits[Math.floor(waits.length * 0.99)] ?? 0
  return [puts / seconds, (user + system) / puts, (user + system) / puts * group, bytes / puts, p99]
}

const directory = mkdtempSync(join(tmpdir(), "everwrite-log-"))
try {
  const seeded = join(directory, "seed.sqlite")
  seed(seeded)
  console.log(`${documents} documents, logs of ${ways.log} bytes`)
  console.log(
    "| group | commits write | puts/s | CPU µs a put | a commit | bytes a put | p99 ms a commit |"
  )
  console.log("| --- | --- | --- | --- | --- | --- | --- |")
  for (const group of groups) {
    for (const [way, logBytesMax] of Object.entries(ways)) {
      const path = join(directory, "store.sqlite")
      copyFileSync(seeded, path)
      const cells = measure(path, { group, logBytesMax })
      const shown = cells.map((cell, i) => i === 4 ? cell.toFixed(1) : String(Math.round(cell)))
      console.log(`| ${[group, `the ${way}`, ...shown].join(" | ")} |`)
      for (const file of [path, `${path}-wal`, `${path}-shm`, ...logPaths(path)]) {
        rmSync(file, { force: true })
      }
    }
  }
} finally {
  rmSync(directory, { recursive: true })
}
