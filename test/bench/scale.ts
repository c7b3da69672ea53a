/**
 * Measures how many documents change the speed and the memory of nodes: puts and gets at 64 in
 * flight, keys chosen by a Zipf distribution with the exponent 0.99 as YCSB chooses them, among ten
 * thousand documents and among millions of the same cluster; resident memory of a node on the way.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bodyOf } from "./measure.ts"
import { connectSynced, everwrite } from "./peers/everwrite.ts"
import { forEach, keepInFlight } from "./peers/Measuring.ts"
import type { Client, Started } from "./peers/Program.ts"
import { median } from "./peers/Report.ts"

const exponent = 0.99
const inFlight = 64
const fillInFlight = 256
const few = 10_000

/** Numbers from 0 to 1 that are the same in each run (mulberry32). */
const chance = (seed: number) => {
  let state = seed
  return (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Ranks from 0 to `count` - 1, the first the most frequent (Gray et al., "Quickly Generating
 * Billion-Record Synthetic Databases", SIGMOD 1994).
 */
export const zipf = (count: number, seed: number) => {
  let zeta = 0
  for (let rank = 1; rank <= count; rank++) zeta += rank ** -exponent
  const alpha = 1 / (1 - exponent)
  const zetaOfTwo = 1 + 2 ** -exponent
  const eta = (1 - (2 / count) ** (1 - exponent)) / (1 - zetaOfTwo / zeta)
  const random = chance(seed)
  return (): number => {
    const u = random()
    if (u * zeta < 1) return 0
    if (u * zeta < zetaOfTwo) return 1
    return Math.min(count - 1, Math.floor(count * (eta * u - eta + 1) ** alpha))
  }
}

/** Hot documents lie anywhere among the others: 7,919 is prime to every count that is used. */
const keyOfRank = (rank: number, count: number): string => `d${(rank * 7_919) % count}`

const residentMegabytes = ({ pids }: Started): number =>
  Math.max(
    ...pids().map((pid) => {
      const status = readFileSync(`/proc/${pid}/status`, "utf8")
      return Number(/^VmRSS:\s+(\d+) kB$/mu.exec(status)?.[1]) / 1024
    })
  )

let version = 0
const put = (client: Client, key: string): Promise<unknown> => client.put(key, bodyOf(++version))

interface Speeds {
  readonly put: number
  readonly get: number
}

const measure = async (client: Client, count: number, options: ScaleOptions): Promise<Speeds> => {
  const next = zipf(count, count)
  const key = (): string => keyOfRank(next(), count)
  const puts: Array<number> = []
  const gets: Array<number> = []
  const { rounds, seconds } = options
  for (let round = 0; round <= rounds; round++) {
    const written = await keepInFlight({ inFlight, seconds }, () => put(client, key()))
    const read = await keepInFlight({ inFlight, seconds }, () => client.get(key()))
    // The first one fills caches.
    if (round === 0) continue
    puts.push(written.perSecond)
    gets.push(read.perSecond)
  }
  return { put: median(puts), get: median(gets) }
}

export interface ScaleOptions {
  readonly documents: number
  readonly rounds: number
  readonly seconds: number
}

const line = (count: number, megabytes: number, speeds?: Speeds): string =>
  [
    count.toLocaleString("en").padStart(12),
    `${megabytes.toFixed(0)} MB`.padStart(12),
    (speeds?.put.toFixed(0) ?? "").padStart(10),
    (speeds?.get.toFixed(0) ?? "").padStart(10)
  ].join("").trimEnd()

export const runScale = async (options: ScaleOptions): Promise<void> => {
  const { documents } = options
  const directory = mkdtempSync(join(tmpdir(), "everwrite-scale-"))
  const started = await everwrite.start(directory)
  const client = await connectSynced(started.address)
  let filled = 0
  const fill = async (count: number): Promise<void> => {
    for (const step = 100_000; filled < count;) {
      const from = filled
      const upTo = Math.min(step, count - from)
      await forEach(upTo, (i) => put(client, `d${from + i}`), fillInFlight)
      filled += upTo
      process.stderr.write(`${filled} documents\n`)
    }
  }
  try {
    console.log("   documents   most of RSS    puts/s    gets/s")
    await fill(few)
    const before = await measure(client, few, options)
    console.log(line(few, residentMegabytes(started), before))
    const million = 1_000_000
    if (documents > million) {
      await fill(million)
      console.log(line(million, residentMegabytes(started)))
    }
    await fill(documents)
    const after = await measure(client, documents, options)
    console.log(line(documents, residentMegabytes(started), after))
    const ratios = [after.put / before.put, after.get / before.get]
    console.log(`puts ${ratios[0]!.toFixed(2)}, gets ${ratios[1]!.toFixed(2)} times as fast`)
  } finally {
    await client.close()
    await started.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}
