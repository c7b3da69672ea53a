/**
 * Finds the versions of one partition that only one of two nodes holds, by ever more cells of
 * sketches: the nodes' cells taken from each other are those of the difference. Where one sketch
 * would take too many, or too many versions, their hashes are compared in slices.
 *
 * Versions may change all the time. Each sketch tells those of one moment, and this node takes its
 * own cells as it is answered: so one answer with enough cells always tells the difference. Cells
 * of two answers go together where the other node's versions are the same in both.
 */
import type { PartitionSum } from "../../schemas/AntiEntropyMessage.ts"
import { type HashList, HashSet, isSameSum, noSum, type Sum } from "../core/anti-entropy/HashSet.ts"
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
  /** Whether `theirs` are all that this node lacked of the other's versions of one moment. */
  readonly isOfOneMoment: boolean
}

/** Cells of a slice, from the first one on, and the sum of the partition that they are of. */
interface Known {
  readonly cells: Cells
  readonly sum: Sum
}

const none: Known = { cells: new Int32Array(0), sum: noSum }

const firstCells = 8

export class Comparison {
  readonly #versions: VersionIndex
  readonly #limits: AntiEntropyLimits
  readonly #includes: Includes
  readonly #conversation: Pick<Conversation, "ask">
  readonly #partition: number
  readonly #bucket: string
  readonly #changed: () => void
  readonly #done: (found: Found | undefined) => void
  /** How many versions the other node had when it was asked first. */
  readonly #theirCount: number
  readonly #theirs = new HashSet()
  readonly #ours = new HashSet()
  readonly #slices: Array<Slice> = []
  /** The other node's sum in the last answer. */
  #last: Sum
  /** And in the answer that told the last slice. */
  #told: Sum | undefined
  #isOfOneMoment = true
  /** Cells that the last slice took. */
  #usual = firstCells

  /** `done` gets undefined where one of the nodes has not read its rows, or too many differ. */
  constructor(
    options: {
      readonly versions: VersionIndex
      readonly limits: AntiEntropyLimits
      readonly includes: Includes
      readonly bucket: string
      readonly theirs: PartitionSum
      readonly conversation: Pick<Conversation, "ask">
      /** Told where the other node's versions are no longer those of its last answer. */
      readonly changed: () => void
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
    this.#theirCount = sum.count
    this.#last = sum
    this.#changed = options.changed
    this.#done = done
  }

  start(): void {
    if (!this.#versions.isWhole(this.#partition)) return this.#done(undefined)
    // All that one of them has.
    if (this.#theirCount === 0) {
      this.#versions.each(this.#partition, this.#includes, (high, low) => {
        this.#ours.add(high, low)
      })
      return this.#end()
    }
    const most = Math.max(this.#theirCount, this.#sum().count)
    const pieces = Math.ceil(Math.log2(most / this.#limits.sketchVersionsMax))
    const bits = Math.min(Math.max(pieces, 0), sliceBitsMax)
    for (let prefix = 2 ** bits - 1; prefix >= 0; prefix--) this.#slices.push({ bits, prefix })
    this.#next()
  }

  #sum(): Sum {
    return this.#versions.sum(this.#partition, this.#includes)
  }

  #end(): void {
    const [theirs, ours] = [this.#theirs, this.#ours]
    this.#done({ theirs, ours, isOfOneMoment: this.#isOfOneMoment })
  }

  #next(): void {
    const slice = this.#slices.pop()
    if (slice === undefined) return this.#end()
    this.#extend(slice, none, Math.min(this.#usual, this.#limits.sketchCellsMax))
  }

  /** Asks for the next cells of a slice, until all tell the difference. */
  #extend(slice: Slice, known: Known, count: number): void {
    const from = known.cells.length / wordsOfCell
    const { sketchCellsMax } = this.#limits
    const asked = { bucket: this.#bucket, partition: this.#partition, slice, from, count }
    this.#conversation.ask({ kind: "Sketch", ...asked }, (answer) => {
      if (answer.kind !== "Sketched" || !this.#versions.isWhole(this.#partition)) {
        return this.#done(undefined)
      }
      const { cells: more, sum } = answer
      if (more.length !== wordsOfCell * count) return this.#done(undefined)
      if (!isSameSum(sum, this.#last)) this.#changed()
      this.#last = sum
      if (isSameSum(sum, this.#sum())) return this.#areEqual()
      // One answer has all of these, and the next ones twice as many: that comes to an end.
      if (from > 0 && !isSameSum(sum, known.sum)) return this.#extend(slice, none, from + count)
      const cells = new Int32Array(known.cells.length + more.length)
      cells.set(known.cells)
      cells.set(more, known.cells.length)
      const own = cellsOf(
        (visit) => this.#versions.each(this.#partition, this.#includes, visit),
        { from: 0, count: from + count, slice }
      )
      const difference = decode(subtract(cells, own))
      if (difference === undefined) {
        const next = Math.min(from + count, sketchCellsMax - from - count)
        if (next > 0) return this.#extend(slice, { cells, sum }, next)
        return this.#split(slice)
      }
      this.#usual = from + count
      if (!isSameSum(sum, this.#told ?? sum)) this.#isOfOneMoment = false
      this.#told = sum
      eachOf(difference.theirs, (high, low) => this.#theirs.add(high, low))
      eachOf(difference.ours, (high, low) => this.#ours.add(high, low))
      this.#next()
    })
  }

  /** All that differed before has come meanwhile. */
  #areEqual(): void {
    this.#done({ theirs: new HashSet(), ours: new HashSet(), isOfOneMoment: true })
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
export const heldOf = (versions: VersionIndex, partition: number, of: HashSet): HashList =>
  those(of, (high, low) => versions.has(partition, high, low))

/** Of some versions, those that this node lacks. */
export const lackedOf = (versions: VersionIndex, partition: number, of: HashSet): HashList =>
  those(of, (high, low) => !versions.has(partition, high, low))

const those = (of: HashSet, isMeant: (high: number, low: number) => boolean): HashList => {
  const list: Array<number> = []
  of.each((high, low) => {
    if (isMeant(high, low)) list.push(high, low)
  })
  return Uint32Array.from(list)
}

const eachOf = (list: Uint32Array, visit: (high: number, low: number) => void): void => {
  for (let i = 0; i < list.length; i += 2) visit(list[i]!, list[i + 1]!)
}
