/**
 * Finds the hashes that only one of two sets has, from fewer bytes than either set: rateless
 * invertible Bloom lookup tables. A set is an endless row of cells, each the sum of some of its
 * hashes; the cells of two sets, taken from each other, are those of their difference. A cell with
 * one hash left tells it, and taking that from all its cells leaves others with one. The first
 * cell has all hashes, so it is empty once all are told. About 1.35 to 2 cells for each hash that
 * differs do, however many there are, so nobody needs to guess the number beforehand.
 *
 * Which cells a hash is in follows from the hash alone: cell i with a chance of 1 / (1 + i / 2).
 *
 * @see Yang, Gilad, Alizadeh, "Practical Rateless Set Reconciliation", SIGCOMM 2024
 */
import { type HashList, HashSet } from "./HashSet.ts"

/** Cells from one place on, four words each: the sum's two halves, the sum of checks, a count. */
export type Cells = Int32Array<ArrayBuffer>

export const wordsOfCell = 4

/** Of the hashes with one beginning: its value, and how many bits it has. */
export interface Slice {
  readonly bits: number
  readonly prefix: number
}

export const wholeSlice: Slice = { bits: 0, prefix: 0 }

/** At most 2^16 slices. */
export const sliceBitsMax = 16

export const isInSlice = ({ bits, prefix }: Slice, high: number): boolean =>
  bits === 0 || high >>> (32 - bits) === prefix

const mixed = (word: number): number => {
  let bits = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return bits ^ (bits >>> 16)
}

/** Tells one hash from the sum of several. */
const checkOf = (high: number, low: number): number =>
  mixed(Math.imul(mixed(high ^ 0x5bd1e995), 0x9e3779b1) + low)

/** Calls back with each cell before `end` that has the hash. */
const eachCell = (
  high: number,
  low: number,
  { end, visit }: { readonly end: number; readonly visit: (cell: number) => void }
): void => {
  let state = mixed(low ^ Math.imul(high, 0x27d4eb2d))
  let cell = 0
  while (cell < end) {
    visit(cell)
    state = (state + 0x9e3779b9) | 0
    const chance = mixed(state) >>> 0
    // The square root is rounded the same way everywhere (IEEE 754).
    cell += Math.max(1, Math.ceil((cell + 1.5) * (65_536 / Math.sqrt(chance + 1) - 1)))
  }
}

const change = (
  cells: Cells,
  at: number,
  { by, check, high, low }: {
    readonly high: number
    readonly low: number
    readonly check: number
    readonly by: number
  }
): void => {
  cells[at]! ^= high
  cells[at + 1]! ^= low
  cells[at + 2]! ^= check
  cells[at + 3]! += by
}

/** Visits all hashes of a set. */
export type EachHash = (visit: (high: number, low: number) => void) => void

/** The cells `from` to before `from + count` of the hashes of a slice. */
export const cellsOf = (
  hashes: EachHash,
  { count, from, slice }: {
    readonly from: number
    readonly count: number
    readonly slice: Slice
  }
): Cells => {
  const cells = new Int32Array(wordsOfCell * count)
  hashes((high, low) => {
    if (!isInSlice(slice, high)) return
    const hash = { high, low, check: checkOf(high, low), by: 1 }
    const visit = (cell: number) => {
      if (cell >= from) change(cells, wordsOfCell * (cell - from), hash)
    }
    eachCell(high, low, { end: from + count, visit })
  })
  return cells
}

/** The hashes that only one of two sets has. */
export interface Difference {
  readonly theirs: HashList
  readonly ours: HashList
}

/** The cells of a difference, from cell 0 on. */
export const subtract = (theirs: Cells, ours: Cells): Cells =>
  theirs.map((word, i) => i % wordsOfCell === 3 ? word - ours[i]! : word ^ ours[i]!)

const isEmpty = (cells: Cells, at: number): boolean =>
  cells[at] === 0 && cells[at + 1] === 0 && cells[at + 2] === 0 && cells[at + 3] === 0

/** Whether a cell of a difference has one hash. */
const isPure = (cells: Cells, at: number): boolean =>
  Math.abs(cells[at + 3]!) === 1
  && cells[at + 2] === checkOf(cells[at]! >>> 0, cells[at + 1]! >>> 0)

/**
 * The hashes of a difference, from its cells; undefined where these are too few, or are not of two
 * sets as each was at one time.
 */
export const decode = (difference: Cells): Difference | undefined => {
  const cells = difference.slice()
  const end = cells.length / wordsOfCell
  const [theirs, ours] = [new HashSet(), new HashSet()]
  const due: Array<number> = []
  for (let at = 0; at < cells.length; at += wordsOfCell) if (isPure(cells, at)) due.push(at)
  // Bytes that are no cells may tell a hash again and again.
  let left = cells.length
  while (due.length > 0 && left-- > 0) {
    const at = due.pop()!
    if (!isPure(cells, at)) continue
    const [high, low, check, by] = [
      cells[at]! >>> 0,
      cells[at + 1]! >>> 0,
      cells[at + 2]!,
      cells[at + 3]!
    ]
    if (!(by > 0 ? theirs : ours).add(high, low)) return undefined
    const visit = (cell: number) => {
      change(cells, wordsOfCell * cell, { high, low, check, by: -by })
      if (isPure(cells, wordsOfCell * cell)) due.push(wordsOfCell * cell)
    }
    eachCell(high, low, { end, visit })
  }
  if (cells.length === 0 || !isEmpty(cells, 0)) return undefined
  return { theirs: theirs.list(), ours: ours.list() }
}
