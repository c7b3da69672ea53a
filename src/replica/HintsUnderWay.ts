/**
 * Knows what the disk has of each hint whose row is being written or removed, for where that fails.
 *
 * A failed commit ends all that is under way: a removal, and the write of the next hint for the
 * same document. Memory must go back to the row that is on the disk then, and not to what another
 * write of them had made. The next write takes that row's place, so there is never a second one.
 * A write that is refused at once ends no other: memory is as it was before it.
 */
import type { NodeId } from "../core/model/Names.ts"
import { type RowKey, textOf } from "../core/model/RowKey.ts"

interface Way<A> {
  /** On the disk, as far as commits have ended. */
  stored: A | undefined
  /** Writes whose commits have not ended. */
  open: number
  /** The last write that was made. */
  last: object
}

/** How a write ends: a failure ends all that is under way, a refusal nothing. */
export type End = "stored" | "failed" | "refused"

/** `A` is a hint; undefined where there is none. */
export class HintsUnderWay<A> {
  readonly #ways = new Map<string, Way<A>>()
  readonly #goBack: (target: NodeId, key: RowKey, stored: A | undefined) => void

  /** `goBack` is called where memory is to know again what was there before. */
  constructor(goBack: (target: NodeId, key: RowKey, stored: A | undefined) => void) {
    this.#goBack = goBack
  }

  /** What the disk has of a hint that is under way. */
  stored(target: NodeId, key: RowKey): A | undefined {
    return this.#ways.get(nameOf(target, key))?.stored
  }

  /** Begins a write, before which memory has `before`; what it returns is told its end, once. */
  begin(
    target: NodeId,
    key: RowKey,
    { after, before }: { readonly before: A | undefined; readonly after: A | undefined }
  ): (end: End) => void {
    const name = nameOf(target, key)
    const write = {}
    const way = this.#ways.get(name) ?? { stored: before, open: 0, last: write }
    this.#ways.set(name, way)
    const { last } = way
    way.open++
    way.last = write
    return (end) => {
      way.open--
      if (way.open === 0) this.#ways.delete(name)
      if (end === "stored") way.stored = after
      else if (end === "refused") {
        way.last = last
        this.#goBack(target, key, before)
      } else if (way.last === write) this.#goBack(target, key, way.stored)
    }
  }
}

const nameOf = (target: NodeId, key: RowKey): string => `${target} ${textOf(key)}`
