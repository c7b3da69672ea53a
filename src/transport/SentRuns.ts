/**
 * Keeps for a while the runs of messages that were sent in parts, so that a receiver that misses
 * some of the parts gets these alone, and not the whole run anew.
 *
 * A run is named after its content: a request that is sent again has the same bytes, so the parts
 * of both sendings are parts of one run, and those of two versions of a document never mix.
 */
import { md5 } from "../core/Hash.ts"
import type { ByteWriter } from "../core/codec/Bytes.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { FrameBody, MissingParts } from "./Frame.ts"

export type SentRunLimits = Pick<NodeLimits, "sentRunsBytesMax" | "sentRunMillis">

/** A run of messages, and how it is cut. */
export interface SentRun {
  readonly to: NodeId
  readonly transfer: number
  readonly count: number
  /** Bytes of each part but the last. */
  readonly room: number
  readonly content: Uint8Array
  /** The buffer that holds the content. */
  readonly writer: ByteWriter
}

interface Kept {
  readonly run: SentRun
  readonly until: number
}

/** The number of a run: the first 48 bits of its content's hash. */
export const transferOf = (content: Uint8Array): number =>
  Buffer.from(md5(content)).readUIntBE(0, 6)

/** A part of a run, as the body of its frame. */
export const partOf = (run: SentRun, index: number): FrameBody => {
  const { content, count, room, transfer } = run
  const bytes = content.subarray(index * room, (index + 1) * room)
  return { _tag: "Part", transfer, index, count, bytes }
}

/** The places whose bits are set. */
export const indexesOf = ({ count, missing }: MissingParts): ReadonlyArray<number> => {
  const indexes: Array<number> = []
  for (let index = 0; index < count; index++) {
    if ((missing[index >> 3]! >> (index & 7) & 1) === 1) indexes.push(index)
  }
  return indexes
}

/** The bits of these places. */
export const bitsOf = (indexes: Iterable<number>, count: number): Uint8Array => {
  const bits = new Uint8Array(Math.ceil(count / 8))
  for (const index of indexes) bits[index >> 3]! |= 1 << (index & 7)
  return bits
}

export class SentRuns {
  readonly #runtime: Pick<Runtime, "after" | "elapsed">
  readonly #limits: SentRunLimits
  readonly #giveBack: (writer: ByteWriter) => void
  /** By receiver and number; the oldest first. */
  readonly #kept = new Map<string, Kept>()
  #bytes = 0
  #scheduled = false

  constructor(
    options: {
      readonly runtime: Pick<Runtime, "after" | "elapsed">
      readonly limits: SentRunLimits
      /** Takes the buffer of a run that is kept no longer. */
      readonly giveBack: (writer: ByteWriter) => void
    }
  ) {
    this.#runtime = options.runtime
    this.#limits = options.limits
    this.#giveBack = options.giveBack
  }

  /** Bytes of the buffers that are kept. */
  get bytes(): number {
    return this.#bytes
  }

  keep(run: SentRun): void {
    const { sentRunMillis, sentRunsBytesMax } = this.#limits
    const name = nameOf(run.to, run)
    this.#drop(name)
    this.#kept.set(name, { run, until: this.#runtime.elapsed() + sentRunMillis })
    this.#bytes += run.writer.capacity
    for (const oldest of this.#kept.keys()) {
      // The latest is kept whatever its size, or a lost part of it could never be had.
      if (this.#bytes <= sentRunsBytesMax || oldest === name) break
      this.#drop(oldest)
    }
    this.#schedule()
  }

  /** The run of this number, which is not kept here any more; undefined where it was not. */
  take(to: NodeId, named: RunName): SentRun | undefined {
    const name = nameOf(to, named)
    const kept = this.#kept.get(name)
    if (kept === undefined) return undefined
    this.#kept.delete(name)
    this.#bytes -= kept.run.writer.capacity
    return kept.run
  }

  clear(): void {
    for (const name of this.#kept.keys()) this.#drop(name)
  }

  #drop(name: string): void {
    const kept = this.#kept.get(name)
    if (kept === undefined) return
    this.#kept.delete(name)
    this.#bytes -= kept.run.writer.capacity
    this.#giveBack(kept.run.writer)
  }

  #schedule(): void {
    const [oldest] = this.#kept.values()
    if (this.#scheduled || oldest === undefined) return
    this.#scheduled = true
    this.#runtime.after(Math.max(0, oldest.until - this.#runtime.elapsed()), () => {
      this.#scheduled = false
      const now = this.#runtime.elapsed()
      for (const [name, { until }] of this.#kept) if (until <= now) this.#drop(name)
      this.#schedule()
    })
  }
}

type RunName = Pick<SentRun, "count" | "transfer">

/** The name of a run to a receiver. */
export const nameOf = (to: NodeId, { count, transfer }: RunName): string =>
  `${to} ${transfer} ${count}`
