/**
 * Sends runs of messages in parts no faster than the broker takes them: beyond a window of bytes it
 * waits until the broker has all that was sent. A run at once would be more than a connection may
 * have under way, and the rest of it, and all other messages, would be dropped.
 *
 * Runs take turns, part by part, so that each receiver soon has a part, and can ask for others.
 */
import type { NodeLimits } from "../core/model/Limits.ts"
import type { ByteWriter } from "../core/codec/Bytes.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { MissingParts } from "./Frame.ts"
import { indexesOf, nameOf, type SentRun, type SentRunLimits, SentRuns } from "./SentRuns.ts"

export type PacedLimits =
  & SentRunLimits
  & Pick<NodeLimits, "partsInFlightBytesMax" | "partsWaitingBytesMax">

export interface PacedPartsOptions {
  readonly runtime: Pick<Runtime, "after" | "elapsed">
  readonly limits: PacedLimits
  /** Calls back once the broker has all that was sent, or cannot be reached. */
  readonly flush: (done: (reached: boolean) => void) => void
  readonly sendPart: (run: SentRun, index: number) => void
  /** Takes the buffer of a run that is needed no longer. */
  readonly giveBack: (writer: ByteWriter) => void
}

interface Waiting {
  readonly run: SentRun
  /** The parts that are still to be sent, in their order. */
  readonly indexes: Set<number>
}

export class PacedParts {
  readonly #options: PacedPartsOptions
  readonly #sent: SentRuns
  /** By receiver and number; the first one sends the next part. */
  readonly #waiting = new Map<string, Waiting>()
  #waitingBytes = 0
  #inFlight = 0
  #isFlushing = false
  #abandoned = 0

  constructor(options: PacedPartsOptions) {
    this.#options = options
    this.#sent = new SentRuns(options)
  }

  /** Bytes of the buffers of runs that wait, or are kept for receivers that miss parts. */
  get bytes(): number {
    return this.#waitingBytes + this.#sent.bytes
  }

  /** Runs that were given up because too much waited. */
  get abandoned(): number {
    return this.#abandoned
  }

  /**
   * Sends a run. One that is on its way goes on. Of a long one that was sent lately the first part
   * goes again: a receiver that has not got all of it asks for what it misses.
   */
  send(run: SentRun): void {
    const name = nameOf(run.to, run)
    const isOnItsWay = this.#waiting.has(name)
    const known = isOnItsWay ? undefined : this.#sent.take(run.to, run)
    if (isOnItsWay || known !== undefined) this.#options.giveBack(run.writer)
    if (isOnItsWay) return
    const { partsInFlightBytesMax } = this.#options.limits
    const isLong = run.count * run.room > partsInFlightBytesMax
    this.#add(known ?? run, known !== undefined && isLong ? [0] : Array(run.count).keys())
  }

  /** Sends the parts again that a receiver misses; false where their run is kept no longer. */
  resend(to: NodeId, missing: MissingParts): boolean {
    const run = this.#waiting.get(nameOf(to, missing))?.run ?? this.#sent.take(to, missing)
    if (run === undefined) return false
    this.#add(run, indexesOf(missing))
    return true
  }

  /** Sends nothing any more, and keeps nothing. */
  clear(): void {
    for (const name of this.#waiting.keys()) this.#end(name)
    this.#sent.clear()
  }

  #add(run: SentRun, indexes: Iterable<number>): void {
    const name = nameOf(run.to, run)
    const waiting = this.#waiting.get(name)
    if (waiting === undefined) {
      this.#makeRoom(run.writer.capacity)
      this.#waiting.set(name, { run, indexes: new Set(indexes) })
      this.#waitingBytes += run.writer.capacity
    } else {
      for (const index of indexes) waiting.indexes.add(index)
    }
    this.#proceed()
  }

  /** A run alone is sent whatever its size. */
  #makeRoom(bytes: number): void {
    for (const [name, { run }] of this.#waiting) {
      if (this.#waitingBytes + bytes <= this.#options.limits.partsWaitingBytesMax) return
      this.#forget(name, run)
      this.#options.giveBack(run.writer)
      this.#abandoned++
    }
  }

  #proceed(): void {
    const { limits: { partsInFlightBytesMax }, sendPart } = this.#options
    while (!this.#isFlushing) {
      const [next] = this.#waiting
      if (next === undefined) return
      const [name, { indexes, run }] = next
      const [index] = indexes
      if (index === undefined) {
        this.#end(name)
        continue
      }
      if (this.#inFlight > 0 && this.#inFlight + run.room > partsInFlightBytesMax) {
        return this.#flush()
      }
      indexes.delete(index)
      this.#inFlight += run.room
      this.#waiting.delete(name)
      this.#waiting.set(name, next[1])
      sendPart(run, index)
    }
  }

  #flush(): void {
    this.#isFlushing = true
    this.#options.flush((reached) => {
      this.#isFlushing = false
      this.#inFlight = 0
      // Without a broker all parts would be lost. The receivers ask for them, or for the message.
      if (!reached) { for (const name of this.#waiting.keys()) this.#end(name) }
      this.#proceed()
    })
  }

  #end(name: string): void {
    const waiting = this.#waiting.get(name)
    if (waiting === undefined) return
    this.#forget(name, waiting.run)
    this.#sent.keep(waiting.run)
  }

  #forget(name: string, run: SentRun): void {
    this.#waiting.delete(name)
    this.#waitingBytes -= run.writer.capacity
  }
}
