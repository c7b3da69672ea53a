/**
 * Finds the versions of one partition that only one of two nodes holds, by ever more cells of
 * sketches: the nodes' cells taken from each other are those of the difference. Where one sketch
 * would take too many, or too many versions, their hashes are compared in slices.
 */
import type { PartitionSum } from "../../schemas/AntiEntropyMessage.ts"
import { HashSet, isSameSum, type Sum } from "../core/anti-entropy/HashSet.ts"
import {
  type Cells,
  cellsOf,
  decode,
  type Slice,
  sliceBitsMax,
  subtract,
  wordsOfCell
} from "../core/anti-entropy/Sketch.ts"
import type { AntiEntropyLimits } from "../core/model/AntiEntropyLimits.ts"
import type { Includes, VersionIndex } from "../replica/VersionIndex.ts"
import type { Conversation } from "./Conversation.ts"

/** The versions that only the other node holds, and those that only this one does. */
export interface Found {
  readonly theirs: HashSet
  readonly ours: HashSet
}

const firstCells = 8

export class Comparison {
  readonly #versions: VersionIndex
  readonly #limits: AntiEntropyLimits
  readonly #includes: Includes
  readonly #conversation: Pick<Conversation, "ask">
  readonly #partition: number
  readonly #bucket: string
  readonly #done: (found: Found | undefined) => void
  readonly #theirs: Sum
  readonly #ours: Sum
  readonly #found: Found = { theirs: new HashSet(), ours: new HashSet() }
  readonly #slices: Array<Slice> = []
  /** Cells that the last slice took. */
  #usual = firstCells

  /** `done` gets undefined where the versions changed meanwhile. */
  constructor(
    options: {
      readonly versions: VersionIndex
      readonly limits: AntiEntropyLimits
      readonly includes: Includes
      readonly bucket: string
      readonly theirs: PartitionSum
      readonly conversation: Pick<Conversation, "ask">
    },
    done: (found: Found | undefined) => void
  ) {
    const { theirs: { partition, sum } } = options
    this.#versions = options.versions
    this.#limits = options.limits
    this.#includes = options.includes
    this.#bucket = options.bucket
    this.#conversation = options.conversation
    this.#partition = partition
    this.#theirs = sum
    this.#ours = this.#versions.sum(partition, this.#includes)
    this.#done = done
  }

  start(): void {
    if (!this.#versions.isWhole(this.#partition)) return this.#done(undefined)
    // All that one of them has.
    if (this.#theirs.count === 0) {
      this.#versions.each(this.#partition, this.#includes, (high, low) => {
        this.#found.ours.add(high, low)
      })
      return this.#done(this.#found)
    }
    const most = Math.max(this.#theirs.count, this.#ours.count)
    const pieces = Math.ceil(Math.log2(most / this.#limits.sketchVersionsMax))
    const bits = Math.min(Math.max(pieces, 0), sliceBitsMax)
    for (let prefix = 2 ** bits - 1; prefix >= 0; prefix--) this.#slices.push({ bits, prefix })
    this.#next()
  }

  #next(): void {
    const slice = this.#slices.pop()
    if (slice === undefined) return this.#done(this.#found)
    this.#extend(slice, new Int32Array(0), Math.min(this.#usual, this.#limits.sketchCellsMax))
  }

  /** Asks for the next cells of a slice, until all tell the difference. */
  #extend(slice: Slice, known: Cells, count: number): void {
    const from = known.length / wordsOfCell
    const { sketchCellsMax } = this.#limits
    const asked = { bucket: this.#bucket, partition: this.#partition, slice, from, count }
    this.#conversation.ask({ kind: "Sketch", ...asked }, (answer) => {
      if (answer.kind !== "Sketched" || !this.#isStill(answer.sum)) return this.#done(undefined)
      if (answer.cells.length !== wordsOfCell * count) return this.#done(undefined)
      const cells = new Int32Array(known.length + answer.cells.length)
      cells.set(known)
      cells.set(answer.cells, known.length)
      const own = cellsOf(
        (visit) => this.#versions.each(this.#partition, this.#includes, visit),
        { from: 0, count: from + count, slice }
      )
      const difference = decode(subtract(cells, own))
      if (difference === undefined) {
        const more = Math.min(from + count, sketchCellsMax - from - count)
        if (more > 0) return this.#extend(slice, cells, more)
        return this.#split(slice)
      }
      this.#usual = from + count
      eachOf(difference.theirs, (high, low) => this.#found.theirs.add(high, low))
      eachOf(difference.ours, (high, low) => this.#found.ours.add(high, low))
      this.#next()
    })
  }

  /** Whether both nodes still hold the versions that they held at the beginning. */
  #isStill(theirs: Sum): boolean {
    const ours = this.#versions.sum(this.#partition, this.#includes)
    return isSameSum(theirs, this.#theirs) && isSameSum(ours, this.#ours)
      && this.#versions.isWhole(this.#partition)
  }

  #split({ bits, prefix }: Slice): void {
    if (bits >= sliceBitsMax) return this.#done(undefined)
    this.#slices.push(
      { bits: bits + 1, prefix: 2 * prefix + 1 },
      { bits: bits + 1, prefix: 2 * prefix }
    )
    this.#next()
  }
}

/** Of some versions, those that this node holds. */
export const heldOf = (versions: VersionIndex, partition: number, of: HashSet): Uint32Array =>
  those(of, (high, low) => versions.has(partition, high, low))

/** Of some versions, those that this node lacks. */
export const lackedOf = (versions: VersionIndex, partition: number, of: HashSet): Uint32Array =>
  those(of, (high, low) => !versions.has(partition, high, low))

const those = (of: HashSet, isMeant: (high: number, low: number) => boolean): Uint32Array => {
  const list: Array<number> = []
  of.each((high, low) => {
    if (isMeant(high, low)) list.push(high, low)
  })
  return Uint32Array.from(list)
}

const eachOf = (list: Uint32Array, visit: (high: number, low: number) => void): void => {
  for (let i = 0; i < list.length; i += 2) visit(list[i]!, list[i + 1]!)
}
