/**
 * Holds the content of a simulated disk, and the damage that disks do: they flip bits (the checksum
 * tells), lose rows (the count of elements tells, where they were elements), bring back old pages
 * (nothing tells, as after a lost end of the log).
 */
import type { AcceptedBatch, EncodedRow, NumberedChange } from "../../storage/AcceptedBatch.ts"
import { compareText } from "../../storage/KeyOrder.ts"
import type { OnCommit, ReadResult, RowKey, StoredDocument } from "../../storage/Storage.ts"
import type { OpenedStore } from "../../storage/StoreRow.ts"
import type { SeededRandom } from "./SeededRandom.ts"

/** A document as it lies on a disk: a row for its header, and one for each element. */
export interface DiskDocument {
  readonly key: RowKey
  /** Undefined where the header's row is missing. */
  readonly header: Uint8Array | undefined
  /** As the header says. */
  readonly sequence: number
  readonly elements: ReadonlyMap<string, Uint8Array>
  /** How many elements the header says there are. */
  readonly elementCount: number
  /** Paths of rows whose bytes rotted, the header's being empty; writing one anew mends it. */
  readonly rotten: ReadonlySet<string>
}

/** One image of a disk. */
export interface Image {
  readonly documents: Map<string, DiskDocument>
  /** Of all other families, by family and key. */
  readonly rows: Map<string, EncodedRow>
  readonly store: OpenedStore
}

export const nameOf = (key: RowKey): string =>
  `${key.partition} ${key.bucket} ${key.partitionKey}\u0000${key.sortKey}`

export const rowName = ({ family, key }: Pick<EncodedRow, "family" | "key">): string =>
  `${family} ${key}`

/** Of a disk that was never opened. */
export const empty = (storeId: string): Image => ({
  documents: new Map(),
  rows: new Map(),
  store: { storeId, epoch: 0, changes: 0 }
})

export const copy = ({ documents, rows, store }: Image): Image => ({
  documents: new Map(documents),
  rows: new Map(rows),
  store
})

/** The document after a change. */
export const changed = (
  before: DiskDocument | undefined,
  change: NumberedChange
): DiskDocument | undefined => {
  const { elementCount, header, key, sequence } = change
  if (header === undefined) return undefined
  const elements = new Map(before?.elements)
  const rotten = new Set(before?.rotten)
  rotten.delete("")
  for (const [path, bytes] of change.elements) {
    rotten.delete(path)
    if (bytes === undefined) elements.delete(path)
    else elements.set(path, bytes)
  }
  return { key, header, sequence, elements, elementCount, rotten }
}

/** The storage's answer about a document. */
export const readDocument = (document: DiskDocument | undefined): ReadResult => {
  if (document === undefined) return { _tag: "Absent" }
  const { elementCount, elements, header, rotten, sequence } = document
  if (rotten.size > 0) return { _tag: "Damaged", detail: "a checksum does not fit" }
  if (header === undefined) return { _tag: "Damaged", detail: "its header is missing" }
  if (elements.size !== elementCount) return { _tag: "Damaged", detail: "elements are missing" }
  const sorted = [...elements].sort(([a], [b]) => compareText(a, b))
  return { _tag: "Found", document: { header, elements: new Map(sorted), sequence } }
}

/** A batch: all of it reaches the disk, or nothing. */
export interface DiskWrite extends AcceptedBatch {
  readonly done: OnCommit
}

/** Told of every document that becomes durable, and of each that is gone: it has none then. */
export type Wrote = (key: RowKey, document: StoredDocument | undefined) => void

export const apply = (image: Image, batch: AcceptedBatch, wrote: Wrote = () => {}): void => {
  for (const change of batch.documents) {
    const name = nameOf(change.key)
    const document = changed(image.documents.get(name), change)
    if (document === undefined) image.documents.delete(name)
    else image.documents.set(name, document)
    const result = readDocument(document)
    if (result._tag === "Found") wrote(change.key, result.document)
    else if (document === undefined) wrote(change.key, undefined)
  }
  for (const row of batch.rows) {
    if (row.bytes === undefined) image.rows.delete(rowName(row))
    else image.rows.set(rowName(row), row)
  }
}

/**
 * A kind of damage: the document after it, or undefined where it is gone. `past` are its earlier
 * versions, the oldest first.
 */
export type Harm = (
  document: DiskDocument,
  random: SeededRandom,
  past: ReadonlyArray<DiskDocument>
) => DiskDocument | undefined

/** Whether no checksum, count or digest tells that a document was changed from outside. */
export const isSilent = (before: DiskDocument, after: DiskDocument | undefined): boolean =>
  after === undefined
  || (after.header !== before.header && readDocument(after)._tag === "Found")

/** A bit flips in the header or an element. */
export const rot: Harm = (document, random) => {
  const rotten = new Set(document.rotten).add(random.pick(["", ...document.elements.keys()]))
  return { ...document, rotten }
}

/** The header goes, an element, or the whole document. */
export const loseRow: Harm = (document, random) => {
  if (document.elements.size === 0 || random.chance(0.3)) return undefined
  const elements = new Map(document.elements)
  const path = random.pick(["", ...elements.keys()])
  elements.delete(path)
  const header = path === "" ? undefined : document.header
  return header === undefined && elements.size === 0 ? undefined : { ...document, header, elements }
}

/** An earlier version comes back, of the document or of one of its elements. */
export const staleRow: Harm = (document, random, past) => {
  const before = random.pick([document, ...past])
  if (before.header === document.header) return document
  const paths = [...document.elements.keys()].filter((path) => before.elements.has(path))
  if (paths.length === 0 || random.chance(0.5)) return before
  const path = random.pick(paths)
  return { ...document, elements: new Map(document.elements).set(path, before.elements.get(path)!) }
}
