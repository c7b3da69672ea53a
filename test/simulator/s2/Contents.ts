/**
 * Draws groups of changes, knows what a storage holds after them, and reads what one holds.
 */
import type { Batch } from "../../../src/storage/Committer.ts"
import type { Database } from "../../../src/storage/Database.ts"
import { compareText, keyText } from "../../../src/storage/KeyOrder.ts"
import type { Reader } from "../../../src/storage/Reader.ts"
import type { Change, RowKey } from "../../../src/storage/Storage.ts"
import { type Image, nameOf } from "../../../src/testing/simulator/DiskImage.ts"
import type { SeededRandom } from "../../../src/testing/simulator/SeededRandom.ts"
import { keyOf, put, removal, shown } from "../../storage/documents.ts"

/** A line for each document and fact, by its key. */
export type Lines = ReadonlyMap<string, string>

interface Document {
  readonly header: string
  readonly elements: ReadonlyMap<string, string>
}

/** What a storage holds after the groups drawn so far. */
export class Contents {
  readonly #documents: Map<string, Document>
  readonly #facts: Map<string, string>
  readonly #random: SeededRandom
  #group = 0
  #values = 0

  constructor(random: SeededRandom, before?: Contents) {
    this.#random = random
    this.#documents = new Map(before === undefined ? [] : before.#documents)
    this.#facts = new Map(before === undefined ? [] : before.#facts)
  }

  copy(): Contents {
    return new Contents(this.#random, this)
  }

  /** Draws what is committed together, as several requests of one turn. `group` is a new number. */
  next(group: number): ReadonlyArray<Batch> {
    this.#group = group
    return this.#times([1, 3], () => ({
      changes: this.#times([1, 2], () => this.#change()),
      facts: this.#times([0, 1], () => this.#fact())
    }))
  }

  get lines(): Lines {
    const lines = new Map<string, string>()
    for (const [name, value] of this.#facts) lines.set(`fact ${name}`, value)
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

  #change(): Change {
    const random = this.#random
    const number = random.integer(0, 9)
    const key = keyOf(`s${number}`, { partition: number % 4, sortKey: number % 3 ? "" : "i1" })
    const name = keyText(key)
    const before = this.#documents.get(name)
    if (before !== undefined && random.chance(0.15)) {
      this.#documents.delete(name)
      return removal(key)
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
    return put(key, header, changed, elements.size)
  }

  #fact() {
    const fact = { name: `f${this.#random.integer(0, 2)}`, value: this.#value() }
    this.#facts.set(fact.name, fact.value)
    return fact
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
  database.prepare("SELECT DISTINCT partition, bucket, partition_key, sort_key FROM rows")
    .all().map(keyIn)

/** Intact ones and damaged ones. */
const factsIn = ({ database, reader }: OpenedStore): ReadonlyArray<readonly [string, string]> =>
  database.prepare("SELECT name FROM facts").all().map((row) => {
    const name = String(row["name"])
    return [name, reader.fact(name) ?? "Damaged"] as const
  })

/** What is found, by way of the product's reader, which believes no checksum and no count. */
export const linesIn = (store: OpenedStore, show = shown): Lines =>
  new Map([
    ...keysIn(store).map((key) => [keyText(key), show(store.reader.read(key, undefined))] as const),
    ...factsIn(store).map(([name, value]) => [`fact ${name}`, value] as const)
  ])

/** The same as a model holds it. What is damaged is left out. */
export const imageIn = (store: OpenedStore): Image => {
  const rows = keysIn(store).flatMap((key) => {
    const result = store.reader.read(key, undefined)
    if (result._tag !== "Found") return []
    const { document } = result
    const elementCount = document.elements.size
    return [[nameOf(key), { ...document, key, elementCount, rotten: new Set<string>() }] as const]
  })
  return { rows: new Map(rows), facts: new Map(factsIn(store)) }
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
