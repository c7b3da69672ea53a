/**
 * Draws groups of changes, knows the content of a storage after them, and reads that of a real one.
 */
import {
  acceptChange,
  type AcceptedBatch,
  acceptRow,
  type EncodedRow,
  type NumberedChange
} from "../../../src/storage/AcceptedBatch.ts"
import type { Database } from "../../../src/storage/Database.ts"
import { families, familyNumbers } from "../../../src/storage/FamilyKey.ts"
import { textOf } from "../../../src/core/model/RowKey.ts"
import { compareText } from "../../../src/storage/KeyOrder.ts"
import { encodedKey, type Reader } from "../../../src/storage/Reader.ts"
import type { Row, RowKey } from "../../../src/storage/Storage.ts"
import { type Image, nameOf, rowName } from "../../../src/testing/simulator/DiskImage.ts"
import type { SeededRandom } from "../../../src/testing/simulator/SeededRandom.ts"
import { bytesOf, keyOf, put, removal, shown, shownRow } from "../../storage/documents.ts"

/** A line for each document and each row of another family, by its key. */
export type Lines = ReadonlyMap<string, string>

interface Document {
  readonly header: string
  readonly elements: ReadonlyMap<string, string>
}

/** Removes a row where it gives none. */
type DrawRow = (number: number, text: string | undefined) => Row

const rowsOf: ReadonlyArray<DrawRow> = [
  (number, text) => row({ family: "hint", key: [`n${number % 2}`, number * 100] }, text),
  (number, text) => row({ family: "leaf", key: [number % 2, number] }, text),
  (number, text) =>
    row({ family: "index", key: ["by-name", `s${number}`, number % 2, "s1", ""] }, text),
  (number, text) => row({ family: "operation", key: [number % 2, number] }, text),
  (number, text) => row({ family: "metadata", key: [`f${number}`] }, text)
]

type RowName = Row extends infer R ? R extends Row ? Omit<R, "bytes"> : never : never

const row = (name: RowName, text: string | undefined): Row => ({
  ...name,
  bytes: text === undefined ? undefined : bytesOf(text)
})

/** The content of a storage after the groups drawn so far. */
export class Contents {
  readonly #documents: Map<string, Document>
  readonly #rows: Map<string, string>
  readonly #random: SeededRandom
  #group = 0
  #values = 0

  constructor(random: SeededRandom, before?: Contents) {
    this.#random = random
    this.#documents = new Map(before === undefined ? [] : before.#documents)
    this.#rows = new Map(before === undefined ? [] : before.#rows)
  }

  copy(): Contents {
    return new Contents(this.#random, this)
  }

  /** Draws the writes of one group, as several requests of one turn. `group` is a new number. */
  next(group: number): ReadonlyArray<AcceptedBatch> {
    this.#group = group
    return this.#times([1, 3], () => ({
      documents: this.#times([1, 2], () => this.#change()),
      rows: this.#times([0, 2], () => this.#row())
    }))
  }

  get lines(): Lines {
    const lines = new Map<string, string>()
    for (const [name, value] of this.#rows) lines.set(name, value)
    for (const [key, { elements, header }] of this.#documents) {
      const sorted = [...elements].sort(([a], [b]) => compareText(a, b))
      const text = sorted.map(([path, value]) => `${path}=${value}`).join()
      lines.set(key, `${header}{${text}}`)
    }
    return lines
  }

  #times<A>([least, most]: readonly [number, number], draw: () => A): ReadonlyArray<A> {
    return Array.from({ length: this.#random.integer(least, most) }, draw)
  }

  #change(): NumberedChange {
    const random = this.#random
    const number = random.integer(0, 9)
    const key = keyOf(`s${number}`, { partition: number % 4, sortKey: number % 3 ? "" : "i1" })
    const name = textOf(key)
    const before = this.#documents.get(name)
    if (before !== undefined && random.chance(0.15)) {
      this.#documents.delete(name)
      return acceptChange(removal(key), this.#group)
    }
    const header = this.#value()
    const elements = new Map(before?.elements)
    const changed: Record<string, string | undefined> = {}
    this.#times([0, 3], () => {
      const path = `e${random.integer(0, 5)}`
      const value = elements.has(path) && random.chance(0.3) ? undefined : this.#value()
      changed[path] = value
      if (value === undefined) elements.delete(path)
      else elements.set(path, value)
    })
    this.#documents.set(name, { header, elements })
    return acceptChange(put(key, header, changed, elements.size), this.#group)
  }

  #row(): EncodedRow {
    const random = this.#random
    const draw = random.pick(rowsOf)
    const number = random.integer(0, 2)
    const name = rowName(acceptRow(draw(number, undefined), []))
    const value = this.#rows.has(name) && random.chance(0.3) ? undefined : this.#value()
    if (value === undefined) this.#rows.delete(name)
    else this.#rows.set(name, value)
    return acceptRow(draw(number, value), [])
  }

  /** Unlike any other; some fill pages of their own. */
  #value(): string {
    const length = this.#random.pick([1, 1, 60, 300, 1200, 6000])
    return `${this.#group}-${++this.#values}`.padEnd(length, ".")
  }
}

const keyIn = (row: Readonly<Record<string, unknown>>): RowKey => ({
  partition: Number(row["partition"]),
  bucket: String(row["bucket"]),
  partitionKey: String(row["partition_key"]),
  sortKey: String(row["sort_key"])
})

export interface OpenedStore {
  readonly database: Database
  readonly reader: Reader
}

const keysIn = ({ database }: OpenedStore): ReadonlyArray<RowKey> =>
  database.prepare("SELECT DISTINCT partition, bucket, partition_key, sort_key FROM documents")
    .all().map(keyIn)

/** Intact ones and damaged ones, but not the storage's own. */
const rowsIn = ({ database }: OpenedStore): ReadonlyArray<Omit<EncodedRow, "bytes">> =>
  database.prepare("SELECT family, key FROM family_rows").all().flatMap((found) => {
    const family = families.find((name) => familyNumbers[name] === found["family"])
    return family === undefined ? [] : [{ family, key: encodedKey(found) }]
  })

/** The content as the product's reader finds it, which believes no checksum and no count. */
export const linesIn = (store: OpenedStore, show = shown): Lines =>
  new Map([
    ...keysIn(store).map((key) => [textOf(key), show(store.reader.read(key, undefined))] as const),
    ...rowsIn(store).map((row) =>
      [rowName(row), shownRow(store.reader.row(row.family, row.key))] as const
    )
  ])

/** The same as a model holds it. Damaged documents are left out. */
export const imageIn = (store: OpenedStore): Pick<Image, "documents" | "rows"> => {
  const documents = keysIn(store).flatMap((key) => {
    const result = store.reader.read(key, undefined)
    if (result._tag !== "Found") return []
    const { document } = result
    const elementCount = document.elements.size
    return [[nameOf(key), { ...document, key, elementCount, rotten: new Set<string>() }] as const]
  })
  const rows = rowsIn(store).flatMap((row) => {
    const result = store.reader.row(row.family, row.key)
    if (result._tag !== "Found") return []
    return [[rowName(row), { ...row, bytes: result.bytes }] as const]
  })
  return { documents: new Map(documents), rows: new Map(rows) }
}

const quoted = (line: string | undefined): string =>
  line === undefined ? "nothing" : JSON.stringify(line.replaceAll(/\.+/g, "…"))

/** Where two differ; undefined where they do not. */
export const difference = (expected: Lines, found: Lines): string | undefined => {
  for (const key of new Set([...expected.keys(), ...found.keys()])) {
    if (expected.get(key) === found.get(key)) continue
    return `${JSON.stringify(key)}: ${quoted(found.get(key))} instead of ${
      quoted(expected.get(key))
    }`
  }
  return undefined
}
