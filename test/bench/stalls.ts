/**
 * Measures how long writes of the storage thread wait: at a fixed rate, each from the moment at
 * which it was to begin, and in a closed loop. Documents of 256 bytes with leaf and operation id
 * under random keys. With `--neighbour`, another process writes and syncs files meanwhile.
 *
 *     npx node --conditions=everwrite-source test/bench/stalls.ts --documents 10000 --seconds 20
 */
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { lan } from "../../src/core/model/Limits.ts"
import type { Batch, StorageService } from "../../src/storage/Storage.ts"
import { openWorker } from "../../src/storage/WorkerStorage.ts"
import { liveRuntime } from "../tooling/runtimes.ts"

const { values } = parseArgs({
  options: {
    documents: { type: "string", default: "10000" },
    seconds: { type: "string", default: "20" },
    rate: { type: "string", default: "500" },
    "in-flight": { type: "string", default: "512" },
    log: { type: "string", default: String(lan.node.logBytesMax) },
    neighbour: { type: "boolean", default: false },
    "write-files-in": { type: "string" }
  }
})
const documents = Number(values.documents)
const millis = Number(values.seconds) * 1_000
const contents = randomBytes(1_024)
let visit = 0

const batchOf = (n: number): Batch => {
  const partition = (n * 2_654_435_761 >>> 8) % 256
  const bytes = (length: number) => contents.subarray(visit % 700, visit % 700 + length)
  const key = { partition, bucket: "carts", partitionKey: `suser-${n}`, sortKey: "" }
  visit++
  return {
    documents: [{ key, header: bytes(256), elements: [], elementCount: 0 }],
    rows: [
      { family: "leaf", key: [partition, (n * 40_503_000_001) % 2 ** 47], bytes: bytes(9) },
      { family: "operation", key: ([sequence]) => [sequence!, partition], bytes: bytes(90) }
    ]
  }
}

const drawBatch = (): Batch => batchOf(Math.floor(Math.random() * documents))

interface Waits {
  readonly millis: Array<number>
  failures: number
}

/** Keeps `inFlight` writes under way. */
const closedLoop = (service: StorageService, inFlight: number): Promise<Waits> =>
  new Promise((resolve) => {
    const waits: Waits = { millis: [], failures: 0 }
    const end = performance.now() + millis
    let waiting = 0
    const next = () => {
      const began = performance.now()
      waiting++
      service.write(drawBatch(), (failure) => {
        waiting--
        const now = performance.now()
        waits.millis.push(now - began)
        if (failure !== undefined) waits.failures++
        if (now < end) next()
        else if (waiting === 0) resolve(waits)
      })
    }
    for (let i = 0; i < inFlight; i++) next()
  })

/** Begins `rate` writes a second, whatever becomes of them. */
const fixedRate = (service: StorageService, rate: number): Promise<Waits> =>
  new Promise((resolve) => {
    const waits: Waits = { millis: [], failures: 0 }
    const start = performance.now()
    const count = rate * millis / 1_000
    let begun = 0
    const timer = setInterval(() => {
      for (; begun < count && start + begun * 1_000 / rate <= performance.now(); begun++) {
        const due = start + begun * 1_000 / rate
        service.write(drawBatch(), (failure) => {
          waits.millis.push(performance.now() - due)
          if (failure !== undefined) waits.failures++
          if (waits.millis.length >= count) resolve(waits)
        })
      }
      if (begun >= count) clearInterval(timer)
    }, 1)
  })

const row = (name: string, { failures, millis: waits }: Waits): string => {
  waits.sort((a, b) => a - b)
  const at = (share: number) => waits[Math.floor((waits.length - 1) * share)]!.toFixed(1)
  const rate = Math.round(waits.length / millis * 1_000)
  return `| ${[name, rate, at(0.5), at(0.99), at(0.999), at(1), failures].join(" | ")} |`
}

/** Writes and syncs files of 64 MB, with a pause of a second after each. */
const writeFiles = (directory: string): void => {
  const chunk = randomBytes(2 ** 20)
  const writeFile = () => {
    const file = openSync(join(directory, "neighbour"), "w")
    for (let i = 0; i < 64; i++) writeSync(file, chunk)
    fsyncSync(file)
    closeSync(file)
    setTimeout(writeFile, 1_000)
  }
  writeFile()
}

const startNeighbour = (directory: string): ChildProcess =>
  spawn(process.execPath, [
    ...process.execArgv,
    import.meta.filename,
    "--write-files-in",
    directory
  ])

const run = async (): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), "everwrite-stalls-"))
  const storage = await Effect.runPromise(openWorker({
    directory: join(directory, "store"),
    identity: { node: "bench", cluster: "bench", partitionCount: 256 },
    runtime: liveRuntime,
    limits: { logBytesMax: Number(values.log) }
  }))
  const { service } = storage
  const fill = (n: number): Promise<void> =>
    new Promise((resolve) => {
      const last = Math.min(documents, n + 1_000)
      for (let i = n; i < last; i++) {
        service.write(batchOf(i), i === last - 1 ? () => resolve() : () => {})
      }
    })
  for (let n = 0; n < documents; n += 1_000) await fill(n)
  const neighbour = values.neighbour ? startNeighbour(directory) : undefined
  try {
    console.log("| load | writes/s | p50 ms | p99 ms | p99.9 ms | longest ms | failed |")
    console.log("| --- | --- | --- | --- | --- | --- | --- |")
    const rate = Number(values.rate)
    console.log(row(`${rate} a second`, await fixedRate(service, rate)))
    const inFlight = Number(values["in-flight"])
    console.log(row(`${inFlight} in flight`, await closedLoop(service, inFlight)))
  } finally {
    neighbour?.kill()
    await Effect.runPromise(storage.close)
    rmSync(directory, { recursive: true })
  }
}

const filesIn = values["write-files-in"]
if (filesIn === undefined) await run()
else writeFiles(filesIn)
