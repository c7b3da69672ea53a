/**
 * Wipes one of five nodes that hold many documents, while requests go on at a steady rate: how long
 * until the node has all of them again, and what that does to the requests.
 */
import { pause } from "./pause.ts"
import { secondsToComplete, unequalOf } from "./replicas.ts"
import { type ChaosDb, families } from "./families.ts"
import type { Written } from "./load.ts"
import { makeRandom, type Random } from "./random.ts"
import { type Columns, tableOf } from "./table.ts"
import { startWorld } from "./world.ts"

export interface RefillOptions {
  readonly seed: number
  readonly documents: number
  readonly perSecond: number
  /** How long the requests are measured before. */
  readonly seconds: number
  /** How long the node may take. */
  readonly limitSeconds: number
}

export interface RefillRow {
  readonly documents: number
  readonly perSecond: number
  readonly before: Requests
  readonly during: Requests
  /** Undefined where the node was not complete in time. */
  readonly completeSeconds: number | undefined
  /** Of some documents, those whose replicas are not equal afterwards. */
  readonly unequal: number
}

interface Requests {
  readonly times: Array<number>
  failed: number
}

const fillAtOnce = 64
const fillTries = 20
const sampled = 200
const tickMillis = 10
const underWayMax = 1_000

const keyOf = (i: number): string => `k${i}`
const bodyOf = (version: number): string => String(version).padStart(256, "x")

const fill = async (clients: ReadonlyArray<ChaosDb>, documents: number): Promise<void> => {
  const numbers = Array.from({ length: documents }, (_, i) => i).values()
  const work = async (): Promise<void> => {
    for (const i of numbers) await put(clients[i % clients.length]!, i)
  }
  await Promise.all(Array.from({ length: fillAtOnce }, work))
}

/** A node that has too much to do says so, and is asked again. */
const put = async ({ last }: ChaosDb, i: number): Promise<void> => {
  for (let tries = 1;; tries++) {
    try {
      await last.put(keyOf(i), bodyOf(i), { w: "all" })
      return
    } catch (error) {
      if (tries === fillTries) throw error
      await pause(100)
    }
  }
}

/** Sends requests at a steady rate, half of them puts, until `ended`. */
const send = async (
  options: RefillOptions & {
    readonly clients: ReadonlyArray<ChaosDb>
    readonly random: Random
    readonly ended: () => boolean
  }
): Promise<Requests> => {
  const { clients, documents, ended, perSecond, random } = options
  const requests: Requests = { times: [], failed: 0 }
  const underWay = new Set<Promise<void>>()
  const one = async (version: number): Promise<void> => {
    const { last } = random.of(clients)
    const key = keyOf(random.below(documents))
    const begunAt = performance.now()
    try {
      await (version % 2 === 0 ? last.get(key) : last.put(key, bodyOf(version)))
      requests.times.push(performance.now() - begunAt)
    } catch {
      requests.failed++
    }
  }
  const begunAt = performance.now()
  for (let sent = 0; !ended(); await pause(tickMillis)) {
    const due = (performance.now() - begunAt) / 1_000 * perSecond
    for (; sent < due; sent++) {
      if (underWay.size >= underWayMax) {
        requests.failed++
        continue
      }
      const call = one(sent)
      underWay.add(call)
      void call.finally(() => underWay.delete(call))
    }
  }
  await Promise.all(underWay)
  return requests
}

export const runRefill = async (options: RefillOptions): Promise<RefillRow> => {
  const { documents, limitSeconds, perSecond, seconds, seed } = options
  const random = makeRandom(seed)
  const world = await startWorld({ reach: "own" })
  try {
    const { clients, nodes } = world
    await fill(clients, documents)
    const load = { ...options, clients, random }
    const measureUntil = performance.now() + seconds * 1_000
    const before = await send({ ...load, ended: () => performance.now() > measureUntil })
    const node = random.of(nodes.names)
    await nodes.kill(node)
    nodes.wipe(node)
    await nodes.start(node)
    let hasEnded = false
    const sending = send({ ...load, ended: () => hasEnded })
    const completeSeconds = await secondsToComplete(nodes.url(node), limitSeconds * 1_000)
    hasEnded = true
    const during = await sending
    const family = families[0]!
    const sample: ReadonlyArray<Written> = Array.from({ length: sampled }, () => ({
      family,
      mode: "default",
      key: keyOf(random.below(documents)),
      account: new Map()
    }))
    const { length: unequal } = await unequalOf(nodes, sample)
    return { documents, perSecond, before, during, completeSeconds, unequal }
  } finally {
    await world.stop()
  }
}

/** One that failed took longer than any other. */
const percentileOf = ({ failed, times }: Requests, share: number): number =>
  [...times].sort((a, b) => a - b)[Math.floor((times.length + failed) * share)] ?? Infinity

const percentile = (requests: Requests, share: number): string =>
  percentileOf(requests, share).toFixed(1)

/** Where more than one request of 100 fails, there is no such time. */
const isSlower = ({ before, during }: RefillRow): boolean => {
  const p99 = percentileOf(during, 0.99)
  return p99 === Infinity || p99 > 2 * percentileOf(before, 0.99)
}

const columns: Columns<RefillRow> = [
  ["documents", ({ documents }) => String(documents)],
  ["requests/s", ({ perSecond }) => String(perSecond)],
  ["complete s", ({ completeSeconds }) => completeSeconds?.toFixed(1) ?? "not in time"],
  [`unequal of ${sampled}`, ({ unequal }) => String(unequal)],
  ["p50 ms before", ({ before }) => percentile(before, 0.5)],
  ["p50 ms", ({ during }) => percentile(during, 0.5)],
  ["p99 ms before", ({ before }) => percentile(before, 0.99)],
  ["p99 ms", ({ during }) => percentile(during, 0.99)],
  ["failed before", ({ before }) => String(before.failed)],
  ["failed", ({ during }) => String(during.failed)]
]

/** The promises that are broken. */
export const brokenRefill = (row: RefillRow): ReadonlyArray<string> => [
  ...row.completeSeconds === undefined ? ["a node that lost its disk has everything in time"] : [],
  ...row.unequal > 0 ? ["the replicas of a document are equal when the node is complete"] : [],
  ...isSlower(row) ? ["of 100 requests, 99 take at most twice the time that they took before"] : []
]

export const refillReport = (row: RefillRow): string => tableOf(columns, [row])
