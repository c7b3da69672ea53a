/**
 * Holds what lies on a simulated disk, and what disks do to it: flip bits (the checksum tells),
 * lose rows (the count of elements tells, where they were elements), bring back old pages
 * (nothing tells, as after a lost end of the log).
 */
import { compareText } from "../../storage/KeyOrder.ts"
import type {
  Change,
  Committed,
  ReadResult,
  RowKey,
  StoredDocument
} from "../../storage/Storage.ts"
import type { SeededRandom } from "./SeededRandom.ts"

/** A document as it lies on a disk: a row for its header, and one for each element. */
export interface Row {
  readonly key: RowKey
  /** Undefined where the header's row is missing. */
  readonly header: Uint8Array | undefined
  readonly elements: ReadonlyMap<string, Uint8Array>
  /** How many elements the header says there are. */
  readonly elementCount: number
  /** Paths of rows whose bytes rotted, the header's being empty; writing one anew mends it. */
  readonly rotten: ReadonlySet<string>
}

/** One image of a disk. */
export interface Image {
  readonly rows: Map<string, Row>
  readonly facts: Map<string, string>
}

export const nameOf = (key: RowKey): string =>
  `${key.partition} ${key.bucket} ${key.partitionKey}\u0000${key.sortKey}`

export const empty = (): Image => ({ rows: new Map(), facts: new Map() })

export const copy = (image: Image): Image => ({
  rows: new Map(image.rows),
  facts: new Map(image.facts)
})

/** The row after a change. */
export const changed = (before: Row | undefined, change: Change): Row | undefined => {
  const { elementCount, header, key } = change
  if (header === undefined) return undefined
  const elements = new Map(before?.elements)
  const rotten = new Set(before?.rotten)
  rotten.delete("")
  for (const [path, bytes] of change.elements) {
    rotten.delete(path)
    if (bytes === undefined) elements.delete(path)
    else elements.set(path, bytes)
  }
  return { key, header, elements, elementCount, rotten }
}

/** What the storage says of a row. */
export const readRow = (row: Row | undefined): ReadResult => {
  if (row === undefined) return { _tag: "Absent" }
  const { elementCount, elements, header, rotten } = row
  if (rotten.size > 0) return { _tag: "Damaged", detail: "a checksum does not fit" }
  if (header === undefined) return { _tag: "Damaged", detail: "its header is missing" }
  if (elements.size !== elementCount) return { _tag: "Damaged", detail: "elements are missing" }
  const sorted = [...elements].sort(([a], [b]) => compareText(a, b))
  return { _tag: "Found", document: { header, elements: new Map(sorted) } }
}

/** What belongs together: all of it reaches the disk, or nothing. */
export interface DiskWrite {
  readonly changes: ReadonlyArray<Change>
  readonly facts: ReadonlyArray<readonly [string, string]>
  readonly done: Committed
}

/** Told of every document that becomes durable. */
export type Wrote = (key: RowKey, document: StoredDocument) => void

export const apply = (image: Image, write: DiskWrite, wrote: Wrote = () => {}): void => {
  for (const change of write.changes) {
    const name = nameOf(change.key)
    const row = changed(image.rows.get(name), change)
    if (row === undefined) image.rows.delete(name)
    else image.rows.set(name, row)
    const result = readRow(row)
    if (result._tag === "Found") wrote(change.key, result.document)
  }
  for (const [name, value] of write.facts) image.facts.set(name, value)
}

/**
 * What happens to a row: the row after it, or undefined where it is gone. `past` are its earlier
 * versions, the oldest first.
 */
export type Harm = (row: Row, random: SeededRandom, past: ReadonlyArray<Row>) => Row | undefined

/** A bit flips in the header or an element. */
export const rot: Harm = (row, random) => {
  const rotten = new Set(row.rotten).add(random.pick(["", ...row.elements.keys()]))
  return { ...row, rotten }
}

/** The header goes, an element, or the whole document. */
export const loseRow: Harm = (row, random) => {
  if (row.elements.size === 0 || random.chance(0.3)) return undefined
  const elements = new Map(row.elements)
  const path = random.pick(["", ...elements.keys()])
  elements.delete(path)
  const header = path === "" ? undefined : row.header
  return header === undefined && elements.size === 0 ? undefined : { ...row, header, elements }
}

/** An earlier version comes back, of the document or of one of its elements. */
export const staleRow: Harm = (row, random, past) => {
  const before = random.pick([row, ...past])
  if (before.header === row.header) return row
  const paths = [...row.elements.keys()].filter((path) => before.elements.has(path))
  if (paths.length === 0 || random.chance(0.5)) return before
  const path = random.pick(paths)
  return { ...row, elements: new Map(row.elements).set(path, before.elements.get(path)!) }
}
