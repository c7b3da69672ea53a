/**
 * Measures what one add to a set, or to a map of counters, costs as it grows: bytes on the wire to
 * a replica, bytes to its disk, and CPU of each node, beside a put of 256 bytes. Each kind has one
 * document, so one node coordinates nearly all its changes and two replicate them. A client goes to
 * another node where its own is slow for a while; then a replica may lack the base of a change.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connectSynced, everwrite } from "./peers/everwrite.ts"
import { type Load, loads, setLoad, tallyLoad } from "./peers/Loads.ts"
import { forEach } from "./peers/Measuring.ts"
import type { Client } from "./peers/Program.ts"

const sizes = [10, 100, 1_000, 10_000, 100_000]
const inFlight = 8
const secondsMax = 15
const titleWidth = 34

/** The counters of one node. */
interface Counters {
  readonly cpuMicros: number
  readonly sent: number
  readonly received: number
  /** Bytes committed to the disk. */
  readonly disk: number
  /** Changes that came without their base. */
  readonly basesMissing: number
}

const countersOf = async (url: string): Promise<Counters> => {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  const valueOf = (name: string): number =>
    Number(new RegExp(`^everwrite_${name}_total ([\\d.e+-]+)$`, "mu").exec(metrics)?.[1])
  const cpu = /^everwrite_process_cpu_seconds_total(?:\{[^}]*\})? (\S+)$/gmu
  const seconds = [...metrics.matchAll(cpu)].reduce((sum, [, value]) => sum + Number(value), 0)
  return {
    cpuMicros: seconds * 1e6,
    sent: valueOf("nats_bytes_sent"),
    received: valueOf("nats_bytes_received"),
    disk: valueOf("bytes_committed"),
    basesMissing: valueOf("bases_missing")
  }
}

const differences = (after: Counters, before: Counters, count: number): Counters => ({
  cpuMicros: (after.cpuMicros - before.cpuMicros) / count,
  sent: (after.sent - before.sent) / count,
  received: (after.received - before.received) / count,
  disk: (after.disk - before.disk) / count,
  basesMissing: (after.basesMissing - before.basesMissing) / count
})

/** Of one operation. */
interface Cost {
  readonly coordinator: Counters
  readonly replicas: ReadonlyArray<Counters>
}

/** So many operations, or as many as end in some seconds; how many there were. */
const some = async (
  countMax: number,
  operate: (i: number) => Promise<unknown>
): Promise<number> => {
  const deadline = performance.now() + secondsMax * 1_000
  let count = 0
  const work = async (): Promise<void> => {
    while (count < countMax && performance.now() < deadline) await operate(count++)
  }
  await Promise.all(Array.from({ length: inFlight }, work))
  return count
}

const measure = async (
  urls: ReadonlyArray<string>,
  operate: (i: number) => Promise<unknown>,
  countMax: number
): Promise<Cost> => {
  await some(countMax, operate)
  const before = await Promise.all(urls.map(countersOf))
  const count = await some(countMax, operate)
  const after = await Promise.all(urls.map(countersOf))
  const costs = after.map((node, i) => differences(node, before[i]!, count))
  // The coordinator sends to two others and to the client.
  const [coordinator, ...replicas] = costs.sort((a, b) => b.sent - a.sent)
  return { coordinator: coordinator!, replicas }
}

const times = (micros: number, of: number | undefined): string =>
  of === undefined ? "" : `${(micros / of).toFixed(1)}x`

const cellsOf = (title: string, { coordinator, replicas }: Cost, base?: Cost): string => {
  const greatest = (name: keyof Counters, of: ReadonlyArray<Counters> = replicas): number =>
    Math.max(...of.map((counters) => counters[name]))
  return [
    title.padEnd(titleWidth),
    greatest("received").toFixed(0).padStart(16),
    greatest("disk").toFixed(0).padStart(16),
    coordinator.cpuMicros.toFixed(0).padStart(16),
    times(coordinator.cpuMicros, base?.coordinator.cpuMicros).padStart(8),
    greatest("cpuMicros").toFixed(0).padStart(12),
    times(greatest("cpuMicros"), base && greatest("cpuMicros", base.replicas)).padStart(8),
    `${(100 * greatest("basesMissing")).toFixed(1)}%`.padStart(15)
  ].join("")
}

const head = [
  "".padEnd(titleWidth),
  "bytes/replica".padStart(16),
  "bytes to disk".padStart(16),
  "coordinator µs".padStart(16),
  "".padStart(8),
  "replica µs".padStart(12),
  "".padStart(8),
  "bases missing".padStart(15)
].join("")

const triesMax = 5

type Edit = (key: string, names: ReadonlyArray<string>) => Promise<unknown>

const again = (edit: Edit): Edit => async (key, names) => {
  for (let tries = 1; tries < triesMax; tries++) {
    if (await edit(key, names).then(() => true, () => false)) return
  }
  return edit(key, names)
}

/** A client whose large edits are sent again where a busy machine has no answer in time. */
const patient = (client: Client): Client => {
  const { add, addToTally } = client
  if (add === undefined || addToTally === undefined) return client
  return { ...client, add: again(add), addToTally: again(addToTally) }
}

const growthLoads = (sizesMax: number): ReadonlyArray<Load> =>
  [setLoad, tallyLoad].flatMap((load) => sizes.filter((size) => size <= sizesMax).map(load))

export const runGrowth = async (
  { count, sizesMax }: { readonly count: number; readonly sizesMax: number }
): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), "everwrite-growth-"))
  const started = await everwrite.start(directory)
  const client: Client = await connectSynced(started.address)
  try {
    const urls = started.urls ?? []
    const put = loads["put"]!.operation(client)!
    // Warm first: a put that is compiled is what an add is held against.
    await forEach(5_000, put)
    const base = await measure(urls, () => put(0), count)
    console.log(`up to ${count} adds each, ${inFlight} in flight\n${head}`)
    console.log(cellsOf("put of 256 bytes", base))
    for (const load of growthLoads(sizesMax)) {
      process.stderr.write(`filling: ${load.title}\n`)
      await load.needs.fill(patient(client), forEach)
      const cost = await measure(urls, load.operation(client)!, count)
      console.log(cellsOf(load.title, cost, base))
    }
  } finally {
    await client.close()
    await started.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}
