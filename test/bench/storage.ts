/**
 * Measures the storage beside bare SQLite: acknowledged writes of 256 changing bytes at 1, 64 and
 * 512 in flight, and reads, over 50,000 documents. Bare SQLite is one upsert after the other into
 * the same kind of table, synced every 1, 64 or 512 of them, with neither checksum nor queue.
 *
 * The three take turns, and the best of three turns counts: others may use the machine.
 */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { openDirect } from "../../src/storage/DirectStorage.ts"
import type { Batch, OnCommit, RowKey, StorageService } from "../../src/storage/Storage.ts"
import { openWorker } from "../../src/storage/WorkerStorage.ts"
import { liveRuntime } from "../tooling/runtimes.ts"

const documentCount = 50_000
const readCount = 50_000
const millisPerTurn = 1_000
const turns = 3
const inFlights = [1, 64, 512]
const identity = { node: "bench", cluster: "bench", partitionCount: 256 }

interface Subject {
  readonly name: string
  /** Writes for `millis`; how many were acknowledged. */
  readonly write: (options: { inFlight: number; millis: number }) => Promise<number>
  readonly read: (i: number) => boolean
}

// A step prime to the count visits all documents in an order of no locality.
const keyOf = (i: number): RowKey => {
  const number = (i * 7_919) % documentCount
  return { partition: number % 256, bucket: "carts", partitionKey: `suser-${number}`, sortKey: "" }
}

// SQLite writes no page for the bytes it holds already: each visit to a document changes it.
const bodyOf = (i: number): Uint8Array => new Uint8Array(256).fill(i % 251)

const batchOf = (i: number): Batch => ({
  documents: [{ key: keyOf(i), header: bodyOf(i), elements: [], elementCount: 0 }],
  rows: []
})

const subjectOf = (name: string, service: StorageService): Subject => {
  let visit = 0
  return {
    name,
    read: (i) => service.read(keyOf(i))._tag === "Found",
    write: ({ inFlight, millis }) =>
      new Promise((resolve, reject) => {
        const end = performance.now() + millis
        let waiting = 0
        let acknowledged = 0
        const next = () => {
          waiting++
          service.write(batchOf(visit++), done)
        }
        const done: OnCommit = (failure) => {
          waiting--
          acknowledged++
          if (failure !== undefined) reject(new Error(failure.detail))
          else if (performance.now() < end) next()
          else if (waiting === 0) resolve(acknowledged)
        }
        for (let i = 0; i < inFlight; i++) next()
      })
  }
}

const bareSubject = (database: DatabaseSync): Subject => {
  database.exec(
    `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;
     CREATE TABLE documents (partition INTEGER, bucket TEXT, key TEXT, sort TEXT, body BLOB,
       PRIMARY KEY (partition, bucket, key, sort)) WITHOUT ROWID`
  )
  const put = database.prepare(
    "INSERT INTO documents VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
  )
  const get = database.prepare(
    "SELECT body FROM documents WHERE partition = ? AND bucket = ? AND key = ? AND sort = ?"
  )
  let visit = 0
  return {
    name: "bare SQLite",
    read: (i) => {
      const { bucket, partition, partitionKey, sortKey } = keyOf(i)
      return get.get(partition, bucket, partitionKey, sortKey) !== undefined
    },
    write: async ({ inFlight, millis }) => {
      const first = visit
      for (const end = performance.now() + millis; performance.now() < end;) {
        database.exec("BEGIN IMMEDIATE")
        for (let i = 0; i < inFlight; i++) {
          const { bucket, partition, partitionKey, sortKey } = keyOf(visit)
          put.run(partition, bucket, partitionKey, sortKey, bodyOf(visit++))
        }
        database.exec("COMMIT")
      }
      return visit - first
    }
  }
}

interface Rate {
  readonly perSecond: number
  /** Of this thread, for each. */
  readonly cpuMicros: number
}

const rateOf = async (work: () => Promise<number>): Promise<Rate> => {
  const cpuBefore = process.threadCpuUsage()
  const start = performance.now()
  const count = await work()
  const seconds = (performance.now() - start) / 1_000
  const cpu = process.threadCpuUsage(cpuBefore)
  return { perSecond: count / seconds, cpuMicros: (cpu.user + cpu.system) / count }
}

const readAll = async (subject: Subject): Promise<number> => {
  for (let i = 0; i < readCount; i++) {
    if (!subject.read(i)) throw new Error(`document ${i} is missing`)
  }
  return readCount
}

const compare = async (
  what: string,
  subjects: ReadonlyArray<Subject>,
  work: (subject: Subject) => Promise<number>
): Promise<void> => {
  const best = new Map<Subject, Rate>()
  for (let turn = 0; turn < turns; turn++) {
    for (const subject of subjects) {
      const rate = await rateOf(() => work(subject))
      if (rate.perSecond > (best.get(subject)?.perSecond ?? 0)) best.set(subject, rate)
    }
  }
  const cells = [...best].map(([{ name }, { cpuMicros, perSecond }]) => {
    const rate = Math.round(perSecond).toLocaleString("en")
    return `${name} ${rate.padStart(7)}/s ${cpuMicros.toFixed(1).padStart(5)} µs`
  })
  console.log([what.padEnd(22), ...cells].join(" | "))
}

export const run = async (): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), "everwrite-bench-"))
  const options = (name: string) => ({
    directory: join(directory, name),
    identity,
    runtime: liveRuntime
  })
  const thread = await Effect.runPromise(openWorker(options("thread")))
  const direct = openDirect(options("direct"))
  using database = new DatabaseSync(join(directory, "bare.sqlite"))
  try {
    const subjects = [
      subjectOf("storage thread", thread.service),
      subjectOf("this thread", direct.service),
      bareSubject(database)
    ]
    for (const subject of subjects) {
      for (let count = 0; count < documentCount;) {
        count += await subject.write({ inFlight: 512, millis: 100 })
      }
    }
    for (const inFlight of inFlights) {
      await compare(
        `writes, ${inFlight} in flight`,
        subjects,
        (subject) => subject.write({ inFlight, millis: millisPerTurn })
      )
    }
    await compare("reads", subjects, readAll)
  } finally {
    await Effect.runPromise(thread.close)
    direct.close()
    rmSync(directory, { recursive: true })
  }
}

if (import.meta.main) await run()
