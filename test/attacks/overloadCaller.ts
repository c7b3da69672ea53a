/**
 * Keeps a number of puts under way for a time, in a process of its own, and reports how they ended.
 * A caller whose put fails makes the next one at once: no caller is assumed to be patient.
 */
import { performance } from "node:perf_hooks"
import { connect } from "../../src/index.ts"
import * as Schema from "effect/Schema"
import { mayHaveApplied, Overloaded, StoreError } from "../../src/core/model/StoreError.ts"
import { Documents } from "../bench/everwrite.config.ts"
import { bodyOf, keyOf } from "../bench/measure.ts"

/** One run, as the parent asks for it. */
export interface Load {
  readonly inFlight: number
  /** Not counted: the limits find their places. */
  readonly warmMillis: number
  readonly millis: number
}

export interface Ended {
  /** Milliseconds of each put that was acknowledged, rounded up. */
  readonly times: ReadonlyArray<number>
  readonly refused: number
  readonly inDoubt: number
  /** The other errors, by name. */
  readonly others: Readonly<Record<string, number>>
}

const [nats = "", number = "0"] = process.argv.slice(2)
const buckets = { documents: Documents }
const db = await connect(buckets, { servers: nats, cluster: "bench" })
let version = Number(number) * 100_000_000

const isStoreError = Schema.is(StoreError)
const refusals = ["NodeUnavailable", "NodeUnwritable"]

const run = async ({ inFlight, millis, warmMillis }: Load): Promise<Ended> => {
  const times: Array<number> = []
  const others: Record<string, number> = {}
  let refused = 0
  let inDoubt = 0
  const countFrom = performance.now() + warmMillis
  const until = countFrom + millis
  const note = (error: unknown): void => {
    // Thousands a second, whose counting must take no time from the nodes.
    if (error instanceof Overloaded) return void refused++
    const tag = isStoreError(error) ? error._tag : String(error)
    if (isStoreError(error) && mayHaveApplied(error)) inDoubt++
    else if (refusals.includes(tag)) refused++
    else others[tag] = (others[tag] ?? 0) + 1
  }
  const call = async (): Promise<void> => {
    while (performance.now() < until) {
      const at = performance.now()
      const next = ++version
      const error: unknown = await db.documents.put(keyOf(next), bodyOf(next)).then(
        () => undefined,
        (failure: unknown) => failure
      )
      const now = performance.now()
      if (now < countFrom || now > until) continue
      if (error === undefined) times.push(Math.ceil(now - at))
      else note(error)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, call))
  return { times, refused, inDoubt, others }
}

process.on("message", (load: Load) => {
  void run(load).then((ended) => process.send?.(ended))
})
process.on("disconnect", () => process.exit())
process.send?.("ready")
