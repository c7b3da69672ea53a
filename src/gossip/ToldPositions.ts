/**
 * Remembers how many changes each other node said are durable in its store, for it to ask after a
 * start: a store that lost the end of its log cannot tell by itself.
 *
 * The memory is written to disk at most once in `toldMillis`, so a crash of this node may forget
 * the positions of that time. A node that loses the end of its log in the same moment is not found
 * out.
 *
 * A memory that cannot be read may have had any number: of a store that it has not heard of since,
 * it cannot tell.
 */
import { digest64 } from "../core/Hash.ts"
import { cannotTell } from "../core/membership/Formation.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Cancel, Runtime } from "../core/Runtime.ts"
import type { Position } from "../transport/Frame.ts"

/** A text on disk. */
export interface Note {
  /** Undefined where there is none, or it cannot be read. */
  readonly text: string | undefined
  readonly isDamaged: boolean
  /** Calls back with whether it is on disk. */
  readonly keep: (text: string, done: (isKept: boolean) => void) => void
}

export interface ToldPositionsOptions {
  readonly runtime: Runtime
  readonly limits: Pick<NodeLimits, "toldMillis" | "toldStoresMax">
  readonly note: Note
}

/** Tells stores apart in frames; few bytes, as each frame has it. */
export const storeTag = (storeId: string): number =>
  Number.parseInt(digest64(storeId).slice(0, 8), 16)

const line = /^(\S+ \d+) (\d+)$/u

/** The first line of a memory from which something is missing. */
const gapLine = "gap"

export class ToldPositions {
  readonly #options: ToldPositionsOptions
  /** By node and tag, the stores not heard of for longest in front. */
  readonly #told = new Map<string, number>()
  /** Whether stores may be missing from the memory. */
  readonly hasGap: boolean
  #isNew = false
  #timer: Cancel | undefined
  #closed = false

  constructor(options: ToldPositionsOptions) {
    this.#options = options
    const { isDamaged, text } = options.note
    let hasGap = isDamaged
    for (const read of text?.split("\n") ?? []) {
      const [, name, changes] = line.exec(read) ?? []
      if (name === undefined) hasGap = true
      else this.#told.set(name, Number(changes))
    }
    this.hasGap = hasGap
  }

  /** Takes note of a frame's position. */
  heard(from: NodeId, { changes, store }: Position): void {
    if (changes === 0) return
    const name = `${from} ${store}`
    const before = this.#told.get(name)
    if (before !== undefined && before >= changes) return
    this.#told.delete(name)
    this.#told.set(name, changes)
    this.#forgetOldest()
    this.#isNew = true
    if (this.#closed) return
    this.#timer ??= this.#options.runtime.after(this.#options.limits.toldMillis, () => {
      this.#timer = undefined
      this.#write()
    })
  }

  /** The greatest number that the node said of this store, or `cannotTell`. */
  of(node: NodeId, storeId: string): number {
    return this.#told.get(`${node} ${storeTag(storeId)}`) ?? (this.hasGap ? cannotTell : 0)
  }

  /** Writes what is new, and no more after that. */
  close(): void {
    this.#closed = true
    this.#timer?.()
    this.#write()
  }

  #forgetOldest(): void {
    if (this.#told.size <= this.#options.limits.toldStoresMax) return
    const [oldest] = this.#told.keys()
    if (oldest !== undefined) this.#told.delete(oldest)
  }

  #write(): void {
    if (!this.#isNew) return
    this.#isNew = false
    const lines = [...this.#told].map(([name, changes]) => `${name} ${changes}`)
    const text = (this.hasGap ? [gapLine, ...lines] : lines).join("\n")
    this.#options.note.keep(text, (isKept) => {
      // The next position that is heard has it written again.
      if (!isKept) this.#isNew = true
    })
  }
}
