/**
 * Puts runs of messages back together that were too long for one frame.
 *
 * Parts may come in any order, twice, or never. Where no part of a run came for a while, its sender
 * is asked for those that are missing. Waiting parts are bounded: the oldest run gives its parts
 * up, and asks for them again later. A run for which asking does not help is forgotten; the sender
 * of a request that was in it sends it again, under the same number.
 */
import { bitsOf } from "./SentRuns.ts"

export interface Part {
  readonly sender: string
  readonly transfer: number
  readonly index: number
  readonly count: number
  readonly bytes: Uint8Array
}

export interface ReassemblyLimits {
  /** Bytes of parts that wait, with what is noted about them. */
  readonly bytesMax: number
  /** Parts of one run. */
  readonly partsMax: number
  /** How often a run asks in vain before it is forgotten; 0 unless given. */
  readonly asksMax?: number
  /** Runs that were whole lately, whose late parts begin nothing; 0 unless given. */
  readonly finishedMax?: number
}

/** A question for the parts of a run that did not come. */
export interface Ask {
  readonly sender: string
  readonly transfer: number
  readonly count: number
  /** A bit for each part. */
  readonly missing: Uint8Array
}

interface Run {
  readonly sender: string
  readonly transfer: number
  readonly parts: Array<Uint8Array | undefined>
  missing: number
  /** Of its longest part so far. */
  partBytes: number
  /** Bytes of its parts so far, and of its bookkeeping. */
  bytes: number
  /** Sweeps since its last part or question. */
  idleSweeps: number
  /** Questions since its last part. */
  asks: number
}

/** A run's share of memory before its first byte, roughly: its name, and an entry for each part. */
const bookkeepingOf = (name: string, count: number): number => 200 + 2 * name.length + count * 8

/** A part's share beside its content: the object that holds it. */
const partOverhead = 100

export class Reassembly {
  readonly #limits: Required<ReassemblyLimits>
  readonly #runs = new Map<string, Run>()
  /** Names of runs that became whole since the last sweep, and in the sweep before. */
  #finished = new Set<string>()
  #finishedBefore = new Set<string>()
  #waiting = 0
  #abandoned = 0

  constructor(limits: ReassemblyLimits) {
    this.#limits = { asksMax: 0, finishedMax: 0, ...limits }
  }

  waitingBytes(): number {
    return this.#waiting
  }

  /** How often a run gave its parts up because too much was waiting, or was forgotten. */
  abandoned(): number {
    return this.#abandoned
  }

  /** Whether a sweep has anything to do. */
  isIdle(): boolean {
    return this.#runs.size + this.#finished.size + this.#finishedBefore.size === 0
  }

  /** The whole run, once its last part is there. */
  add(part: Part): Uint8Array | undefined {
    const { bytes, count, index, sender, transfer } = part
    const name = `${sender} ${transfer} ${count}`
    if (this.#finished.has(name) || this.#finishedBefore.has(name)) return undefined
    // All parts but the last are of one length, so one of them tells that of the whole.
    const least = index < count - 1 ? bytes.length * (count - 1) : bytes.length
    if (count > this.#limits.partsMax || least > this.#limits.bytesMax) {
      this.#forget(name)
      this.#abandoned++
      return undefined
    }
    const run = this.#runs.get(name) ?? this.#begin(name, part)
    if (run.parts[index] !== undefined) return undefined
    run.missing--
    run.asks = run.idleSweeps = 0
    // The last part is not kept beyond this call.
    run.parts[index] = run.missing > 0 ? new Uint8Array(bytes) : bytes
    run.bytes += bytes.length + partOverhead
    run.partBytes = Math.max(run.partBytes, bytes.length)
    this.#waiting += bytes.length + partOverhead
    if (run.missing > 0) {
      this.#makeRoom(name)
      return undefined
    }
    this.#forget(name)
    if (this.#finished.size < this.#limits.finishedMax) this.#finished.add(name)
    return Buffer.concat(run.parts.filter((piece) => piece !== undefined))
  }

  /**
   * The questions that are due, where this is called in even pauses: of each run of which no part
   * came since the last call, and later after twice as many calls each time. No more are asked for
   * at once than there is room for.
   */
  sweep(): ReadonlyArray<Ask> {
    this.#finishedBefore = this.#finished
    this.#finished = new Set()
    const asks: Array<Ask> = []
    let room = this.#limits.bytesMax
    for (const [name, run] of this.#runs) {
      if (++run.idleSweeps < 2 ** run.asks + 1) continue
      if (run.asks >= this.#limits.asksMax) {
        this.#forget(name)
        this.#abandoned++
        continue
      }
      const { length } = run.parts
      room -= bookkeepingOf(name, length) + length * (run.partBytes + partOverhead)
      if (room < 0 && asks.length > 0) continue
      run.asks++
      run.idleSweeps = 0
      const { parts, sender, transfer } = run
      const open = [...parts.keys()].filter((index) => parts[index] === undefined)
      asks.push({ sender, transfer, count: parts.length, missing: bitsOf(open, parts.length) })
    }
    return asks
  }

  #begin(
    name: string,
    { count, sender, transfer }: Pick<Part, "count" | "sender" | "transfer">
  ): Run {
    const bytes = bookkeepingOf(name, count)
    const parts = Array.from({ length: count }, () => undefined)
    const sizes = { missing: count, partBytes: 0, bytes }
    const run = { sender, transfer, parts, ...sizes, idleSweeps: 0, asks: 0 }
    this.#runs.set(name, run)
    this.#waiting += bytes
    return run
  }

  #forget(name: string): void {
    const run = this.#runs.get(name)
    if (run === undefined) return
    this.#runs.delete(name)
    this.#waiting -= run.bytes
  }

  /**
   * The oldest runs give up their parts, and then are forgotten; the one that just got a part is
   * the last of them.
   */
  #makeRoom(latest: string): void {
    const { bytesMax } = this.#limits
    const others = [...this.#runs].filter(([name]) => name !== latest)
    for (const [name, run] of others) {
      if (this.#waiting <= bytesMax) return
      const count = run.parts.length
      if (run.missing === count) continue
      this.#forget(name)
      this.#abandoned++
      this.#begin(name, { ...run, count }).partBytes = run.partBytes
    }
    for (const name of [...others.map(([other]) => other), latest]) {
      if (this.#waiting <= bytesMax) return
      this.#forget(name)
      this.#abandoned++
    }
  }
}

export const make = (limits: ReassemblyLimits): Reassembly => new Reassembly(limits)
