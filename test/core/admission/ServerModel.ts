/**
 * Simulates a server that works off one queue in order, with a limit at its door: a request that is
 * refused costs a share of its work, one that is taken waits once more for its turn. Pings stand in
 * the same queue.
 */
import * as ConcurrencyLimit from "../../../src/core/admission/ConcurrencyLimit.ts"
import { stream } from "../../../src/testing/simulator/SeededRandom.ts"

export interface Load {
  /** Requests that the server can do. */
  readonly perSecond: number
  /** Requests a second that come at a time. */
  readonly offered: (millis: number) => number
  readonly millis: number
  readonly pingEveryMillis: number
  /** The work of a refusal, as a share of that of a request. */
  readonly refusalShare: number
  /** The time of a request besides its work. */
  readonly baseMillis: number
  /** Whether no request is open for longer than its work takes. */
  readonly isDoneInTurn?: boolean
  /** Of a disk that syncs without a pause: a request waits for the sync at hand, and the next. */
  readonly syncMillis?: number
  readonly seed?: number
}

export interface Served {
  readonly at: number
  /** Undefined where it was refused. */
  readonly took: number | undefined
}

type Item =
  | { readonly _tag: "Ping"; readonly at: number }
  | { readonly _tag: "Request"; readonly at: number }
  /** The second half of a request: as the answers of other nodes come in. */
  | { readonly _tag: "Answer"; readonly at: number }

const stepMillis = 1
const pingsMax = 8

export const serve = (
  options: ConcurrencyLimit.LimitOptions,
  load: Load
): ReadonlyArray<Served> => {
  const random = stream(load.seed ?? 1, "server")
  const served: Array<Served> = []
  const queue: Array<Item> = []
  const syncing: Array<{ readonly due: number; readonly at: number }> = []
  let head = 0
  let limit = ConcurrencyLimit.make(options)
  let open = 0
  let pings = 0
  let due = 0
  let room = 0
  const work = 1_000 / load.perSecond

  /** The time that an item takes. */
  const handle = (item: Item, now: number): number => {
    if (item._tag === "Ping") {
      limit = ConcurrencyLimit.step(limit, { _tag: "Waited", millis: now - item.at, now }, options)
      pings--
      return 0
    }
    if (item._tag === "Answer") {
      open--
      const took = now - item.at + load.baseMillis
      served.push({ at: item.at, took })
      limit = ConcurrencyLimit.step(limit, { _tag: "Written", millis: took, now }, options)
      return work / 2
    }
    const isTaken = ConcurrencyLimit.admits(limit, open, options)
    limit = ConcurrencyLimit.step(limit, { _tag: isTaken ? "Taken" : "Denied", open }, options)
    if (!isTaken) {
      served.push({ at: item.at, took: undefined })
      return work * load.refusalShare
    }
    if (load.isDoneInTurn === true) {
      served.push({ at: item.at, took: now - item.at })
      return work
    }
    open++
    const { syncMillis = 0 } = load
    const due = syncMillis === 0 ? now : (Math.floor(now / syncMillis) + 2) * syncMillis
    syncing.push({ due, at: item.at })
    return work / 2
  }

  for (let now = 0; now < load.millis; now += stepMillis) {
    if (now % load.pingEveryMillis === 0 && pings < pingsMax) {
      pings++
      queue.push({ _tag: "Ping", at: now })
    }
    due += load.offered(now) / 1_000 * stepMillis * 2 * random.next()
    for (; due >= 1; due--) queue.push({ _tag: "Request", at: now })
    while (syncing.length > 0 && syncing[0]!.due <= now) {
      queue.push({ _tag: "Answer", at: syncing.shift()!.at })
    }
    room += stepMillis
    while (room > 0 && head < queue.length) room -= handle(queue[head++]!, now)
    if (head === queue.length) room = Math.min(room, 0)
  }
  return served
}
