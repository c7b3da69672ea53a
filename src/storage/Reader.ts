/**
 * Reads documents, keys and rows from the tables, and believes no row before its checksum.
 *
 * A document with one bad or missing row is damaged as a whole: its header's context would claim
 * that the elements no longer hold.
 */
import type { SQLOutputValue } from "node:sqlite"
import { documentChecksum, type DocumentRow, rowChecksum } from "./Checksum.ts"
import type { Database, Statement } from "./Database.ts"
import { decodeKey, familyNumbers } from "./FamilyKey.ts"
import { compareKeys, compareText } from "./KeyOrder.ts"
import type { Overlay } from "./PendingWrites.ts"
import { isBadPage, messageOf } from "./SqliteError.ts"
import {
  type Family,
  type HeaderResult,
  type Missing,
  type ReadResult,
  type RowKey,
  type RowResult,
  ScanFailed
} from "./Storage.ts"

/** By number of column: an array is read faster than an object. */
type Row = Readonly<Record<string, SQLOutputValue>>

const absent: Missing = { _tag: "Absent" }
const noElements: ReadonlyMap<string, Uint8Array> = new Map<string, Uint8Array>()

/** A row of another family, as it is found. */
export interface StoredRow {
  readonly key: string
  /** Absent where any bit of the row differs from the stored one. */
  readonly bytes: Uint8Array | undefined
}

/** The bytes of a document's row, which lie apart from its key where they are many. */
const rowBytes = `CASE WHEN content IS NULL THEN bytes
  ELSE (SELECT contents.bytes FROM contents WHERE id = content) END`

/** The row as it was stored; undefined where any bit of it differs. */
const intact = (key: RowKey, row: Row): DocumentRow | undefined => {
  const { 0: path, 1: elementCount, 2: checksum, 3: bytes, 4: sequence } = row
  const typed = typeof path === "string" && bytes instanceof Uint8Array
    && (elementCount === null || typeof elementCount === "number")
    && (sequence === null || typeof sequence === "number")
  if (!typed) return undefined
  const content = { path, elementCount, bytes, sequence }
  return checksum === documentChecksum(key, content) ? content : undefined
}

export class Reader {
  readonly #rows: Statement
  readonly #header: Statement
  readonly #keyAfter: Statement
  readonly #row: Statement
  readonly #rowsAfter: Statement
  #damaged = 0
  readonly #onBadPage: (detail: string) => void

  /** `onBadPage` is told of each page that cannot be read however often it is tried. */
  constructor(database: Database, onBadPage: (detail: string) => void = () => undefined) {
    this.#onBadPage = onBadPage
    this.#rows = database.prepare(
      `SELECT path, element_count, checksum, ${rowBytes}, sequence FROM documents
       WHERE partition = ? AND bucket = ? AND partition_key = ? AND sort_key = ? ORDER BY path`
    )
    this.#rows.setReturnArrays(true)
    this.#header = database.prepare(
      `SELECT path, element_count, checksum, ${rowBytes}, sequence FROM documents
       WHERE partition = ? AND bucket = ? AND partition_key = ? AND sort_key = ? AND path = ''`
    )
    this.#header.setReturnArrays(true)
    // One seek a document: it passes over elements, of which there may be thousands.
    this.#keyAfter = database.prepare(
      `SELECT bucket, partition_key, sort_key FROM documents
       WHERE partition = ? AND (bucket, partition_key, sort_key) > (?, ?, ?)
       ORDER BY bucket, partition_key, sort_key LIMIT 1 OFFSET ?`
    )
    this.#row = database.prepare(
      "SELECT checksum, bytes FROM family_rows WHERE family = ? AND key = ?"
    )
    this.#rowsAfter = database.prepare(
      `SELECT key, checksum, bytes FROM family_rows
       WHERE family = ? AND key > ? AND key < ? ORDER BY key LIMIT ? OFFSET ?`
    )
  }

  /** How often a read found damage. */
  get damaged(): number {
    return this.#damaged
  }

  /** The document as it will be once the waiting changes, the overlay, are committed. */
  read(key: RowKey, overlay: Overlay | undefined): ReadResult {
    if (overlay !== undefined) {
      if (overlay.header === undefined) return absent
      if (overlay.elementCount === 0) {
        const { header, sequence } = overlay
        return { _tag: "Found", document: { header, elements: noElements, sequence } }
      }
    }
    let rows: ReadonlyArray<Row> = []
    try {
      if (!overlay?.replaces) {
        const { partition, bucket, partitionKey, sortKey } = key
        rows = this.#rows.all(partition, bucket, partitionKey, sortKey)
      }
    } catch (error) {
      return this.#unread(error)
    }
    return rows.length === 0 && overlay === undefined ? absent : this.#assemble(key, rows, overlay)
  }

  /** The document's header as it will be once the waiting changes are committed. */
  header(key: RowKey, overlay: Overlay | undefined): HeaderResult {
    if (overlay !== undefined) {
      const { header, sequence } = overlay
      return header === undefined ? absent : { _tag: "Found", document: { header, sequence } }
    }
    try {
      const { partition, bucket, partitionKey, sortKey } = key
      const [row] = this.#header.all(partition, bucket, partitionKey, sortKey)
      // There may be elements without it.
      if (row === undefined) return this.read(key, undefined)
      const content = intact(key, row)
      if (content === undefined) return this.#damage("its header fails its checksum")
      const { bytes: header, sequence } = content
      return { _tag: "Found", document: { header, sequence: sequence ?? 0 } }
    } catch (error) {
      return this.#unread(error)
    }
  }

  #assemble(key: RowKey, rows: ReadonlyArray<Row>, overlay: Overlay | undefined): ReadResult {
    let header = overlay?.header
    let elementCount = overlay?.elementCount
    let sequence = overlay?.sequence ?? 0
    const elements = new Map<string, Uint8Array>()
    for (const row of rows) {
      const path = String(row["0"])
      // A row that a waiting change replaces need not be intact any more.
      if (overlay !== undefined && (path === "" || overlay.elements.has(path))) continue
      const content = intact(key, row)
      if (content === undefined) return this.#damage(`the row "${path}" fails its checksum`)
      if (content.path === "") {
        header = content.bytes
        elementCount = content.elementCount ?? 0
        sequence = content.sequence ?? 0
      } else {
        elements.set(content.path, content.bytes)
      }
    }
    for (const [path, bytes] of overlay?.elements ?? []) {
      if (bytes !== undefined) elements.set(path, bytes)
    }
    if (header === undefined) return this.#damage("its header is missing")
    if (elements.size !== elementCount) {
      return this.#damage(`it has ${elements.size} elements instead of ${elementCount}`)
    }
    const ordered = overlay === undefined ? elements : inPathOrder(elements)
    return { _tag: "Found", document: { header, elements: ordered, sequence } }
  }

  #faultOf(error: unknown): string {
    const detail = messageOf(error)
    if (isBadPage(error)) this.#onBadPage(detail)
    return detail
  }

  #unread(error: unknown): Missing {
    return this.#damage(this.#faultOf(error), isBadPage(error) ? {} : { isUnread: true })
  }

  #damage(detail: string, more: { readonly isUnread?: true } = {}): Missing {
    this.#damaged++
    return { _tag: "Damaged", detail, ...more }
  }

  /** The next document's key on disk, be the document damaged or not. */
  keyAfter(partition: number, after: RowKey | undefined): RowKey | undefined {
    const last = after ?? { partition, bucket: "", partitionKey: "", sortKey: "" }
    const { bucket, partitionKey, sortKey } = last
    try {
      for (let skipped = 0;; skipped++) {
        const row = this.#keyAfter.get(partition, bucket, partitionKey, sortKey, skipped)
        if (row === undefined) return undefined
        const key = {
          partition,
          bucket: String(row["bucket"]),
          partitionKey: String(row["partition_key"]),
          sortKey: String(row["sort_key"])
        }
        // A damaged key may sort elsewhere than it lies: to follow it would be to go in circles.
        if (compareKeys(key, last) > 0) return key
      }
    } catch (error) {
      throw new ScanFailed(this.#faultOf(error))
    }
  }

  row(family: Family, key: string): RowResult {
    try {
      const row = this.#row.get(familyNumbers[family], Buffer.from(key, "latin1"))
      if (row === undefined) return absent
      const bytes = intactBytes({ family, key }, row)
      return bytes === undefined ? this.#damage(wrongChecksum) : { _tag: "Found", bytes }
    } catch (error) {
      return this.#unread(error)
    }
  }

  /** The next rows of a family on disk, damaged ones too; none where there are no more. */
  rowsAfter(
    family: Family,
    { after, before, limit }: {
      readonly after: string
      readonly before: string
      readonly limit: number
    }
  ): ReadonlyArray<StoredRow> {
    const bounds = [after, before].map((key) => Buffer.from(key, "latin1"))
    const rows: Array<StoredRow> = []
    let last = after
    try {
      for (let skipped = 0;; skipped += limit) {
        const found = this.#rowsAfter.all(familyNumbers[family], ...bounds, limit, skipped)
        for (const row of found) {
          const key = encodedKey(row)
          const bytes = intactBytes({ family, key }, row)
          if (bytes === undefined) this.#damage(wrongChecksum)
          // A damaged key may sort elsewhere than it lies, or be no key any more.
          if (key <= last || decodeKey(family, key) === undefined) continue
          rows.push({ key, bytes })
          last = key
        }
        if (rows.length > 0 || found.length < limit) return rows
      }
    } catch (error) {
      throw new ScanFailed(this.#faultOf(error))
    }
  }
}

/** Of a row of another family; STRICT tables hold a blob there. */
export const encodedKey = ({ key }: Readonly<Record<string, SQLOutputValue>>): string =>
  key instanceof Uint8Array ? Buffer.from(key).toString("latin1") : ""

const wrongChecksum = "its checksum is wrong"

const intactBytes = (
  { family, key }: { readonly family: Family; readonly key: string },
  { bytes, checksum }: Readonly<Record<string, SQLOutputValue>>
): Uint8Array | undefined =>
  bytes instanceof Uint8Array && checksum === rowChecksum({ family, key, bytes })
    ? bytes
    : undefined

const inPathOrder = (elements: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Uint8Array> =>
  new Map([...elements].sort(([a], [b]) => compareText(a, b)))
