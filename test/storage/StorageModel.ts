/**
 * Describes a storage as a map, and the commands that a storage and the map must agree on.
 */
import * as fc from "fast-check"
import { expect } from "vitest"
import { compareKeys } from "../../src/storage/KeyOrder.ts"
import type { Batch, Change, KeyedRow, RowKey, StorageFailure } from "../../src/storage/Storage.ts"
import {
  bytesOf,
  commit,
  commitBatch,
  keyOf,
  put,
  removal,
  shown,
  shownHeader,
  textOf
} from "./documents.ts"
import { failCommits, type Fixture } from "./storageFixtures.ts"

interface ModelDocument {
  readonly key: RowKey
  readonly header: string
  readonly elements: ReadonlyMap<string, string>
  readonly sequence: number
}

export interface Model {
  readonly documents: Map<string, ModelDocument>
  /** By family and key. */
  readonly rows: Map<string, KeyedRow>
  /** The last sequence number of each partition. */
  readonly numbers: Map<number, number>
  accepted: number
}

export const emptyModel = (): Model => ({
  documents: new Map(),
  rows: new Map(),
  numbers: new Map(),
  accepted: 0
})

export interface Real extends Fixture {
  waiting: Array<Promise<StorageFailure | undefined>>
}

interface Edit {
  readonly key: RowKey
  /** Undefined removes the document. */
  readonly header: string | undefined
  readonly elements: Readonly<Record<string, string | undefined>>
}

const name = (key: RowKey): string => JSON.stringify(key)
const rowName = ({ family, key }: KeyedRow): string => JSON.stringify([family, key])

const showModel = (document: ModelDocument | undefined): string => {
  if (document === undefined) return "Absent"
  const elements = [...document.elements].sort(([a], [b]) => Buffer.compare(bytesOf(a), bytesOf(b)))
  return `${document.header}{${elements.map(([path, value]) => `${path}=${value}`).join()}}`
}

/** The document after the edit, and the change that stores it. */
const carryOut = (
  { key, header, elements }: Edit,
  before: ModelDocument | undefined
): { readonly after: ModelDocument | undefined; readonly change: Change } => {
  if (header === undefined) return { after: undefined, change: removal(key) }
  const merged = new Map(before?.elements)
  for (const [path, value] of Object.entries(elements)) {
    if (value === undefined) merged.delete(path)
    else merged.set(path, value)
  }
  return {
    after: { key, header, elements: merged, sequence: 0 },
    change: put(key, header, elements, merged.size)
  }
}

type Command = fc.AsyncCommand<Model, Real>

const command = (
  label: string,
  run: (model: Model, real: Real) => Promise<void> | void
): Command => ({
  check: () => true,
  run: async (model, real) => run(model, real),
  toString: () => label
})

const allCommitted = async (real: Real): Promise<void> => {
  const failures = await Promise.all(real.waiting.splice(0))
  expect(failures.filter((failure) => failure !== undefined)).toEqual([])
}

/** A batch that the storage accepts, whose numbers are new. */
const accept = (model: Model, real: Real, batch: Batch): ReadonlyArray<number> => {
  let numbers: ReadonlyArray<number> = []
  real.waiting.push(
    new Promise((resolve) => {
      numbers = real.storage.service.write(batch, resolve)
    })
  )
  expect(numbers).toHaveLength(batch.documents.length)
  for (const [i, { key: { partition } }] of batch.documents.entries()) {
    expect(numbers[i]).toBeGreaterThan(model.numbers.get(partition) ?? 0)
    model.numbers.set(partition, numbers[i]!)
  }
  return numbers
}

const write = (edits: ReadonlyArray<Edit>, rows: ReadonlyArray<KeyedRow>): Command =>
  command(`write(${JSON.stringify(edits)}, ${JSON.stringify(rows)})`, (model, real) => {
    const documents = edits.map((edit) => {
      const { after, change } = carryOut(edit, model.documents.get(name(edit.key)))
      if (after === undefined) model.documents.delete(name(edit.key))
      else model.documents.set(name(edit.key), after)
      return change
    })
    for (const row of rows) {
      if (row.bytes === undefined) model.rows.delete(rowName(row))
      else model.rows.set(rowName(row), row)
    }
    model.accepted += documents.length
    const numbers = accept(model, real, { documents, rows })
    for (const [i, { key }] of edits.entries()) {
      const document = model.documents.get(name(key))
      const isLast = edits.findLastIndex((edit) => name(edit.key) === name(key)) === i
      if (document === undefined || !isLast) continue
      model.documents.set(name(key), { ...document, sequence: numbers[i]! })
    }
  })

/** Writes that are accepted and seen, and then fail together: the map stays as it was. */
const failToWrite = (edits: ReadonlyArray<Edit>, rows: ReadonlyArray<KeyedRow>): Command =>
  command(`failToWrite(${JSON.stringify(edits)})`, async (model, real) => {
    await allCommitted(real)
    const mend = failCommits(real.fixture)
    const { service } = real.storage
    // Removals of absent rows touch no row: the writes before them must fail first.
    const first = commit(service, put(keyOf("sfirst"), "never"))
    const seen = new Map(model.documents)
    const outcomes = edits.map((edit) => {
      const { after, change } = carryOut(edit, seen.get(name(edit.key)))
      if (after === undefined) seen.delete(name(edit.key))
      else seen.set(name(edit.key), after)
      const outcome = commitBatch(service, { documents: [change], rows })
      expect(shown(service.read(edit.key))).toBe(showModel(after))
      expect(shownHeader(service.readHeader(edit.key))).toBe(after?.header ?? "Absent")
      return outcome
    })
    for (const outcome of [first, ...outcomes]) {
      expect(await outcome).toMatchObject({ kind: "failing" })
    }
    mend()
  })

const read = (key: RowKey): Command =>
  command(`read(${JSON.stringify(key)})`, (model, real) => {
    const stored = real.storage.service.read(key)
    const document = model.documents.get(name(key))
    expect(shown(stored)).toBe(showModel(document))
    if (stored._tag === "Found") expect(stored.document.sequence).toBe(document?.sequence)
    const alone = real.storage.service.readHeader(key)
    expect(shownHeader(alone)).toBe(document?.header ?? "Absent")
    if (alone._tag === "Found") expect(alone.document.sequence).toBe(document?.sequence)
  })

const scan = (options: { partition: number; after: RowKey | undefined; limit: number }): Command =>
  command(`scan(${JSON.stringify(options)})`, (model, real) => {
    const { partition, after, limit } = options
    const keys = [...model.documents.values()].map(({ key }) => key)
      .filter((key) => key.partition === partition)
      .filter((key) => after === undefined || compareKeys(key, after) > 0)
      .sort(compareKeys)
      .slice(0, limit)
    expect(real.storage.service.scan(options)).toEqual(keys)
  })

const fieldsOf = ({ key }: KeyedRow): ReadonlyArray<string | number> => key

/** Field by field: text by its bytes, numbers by size. */
const compareRows = (a: KeyedRow, b: KeyedRow): number => {
  for (const [i, field] of fieldsOf(a).entries()) {
    const other = fieldsOf(b)[i]!
    const order = typeof field === "number"
      ? field - Number(other)
      : Buffer.compare(bytesOf(field), bytesOf(String(other)))
    if (order !== 0) return order
  }
  return 0
}

const isUnder = (row: KeyedRow, fields: ReadonlyArray<string | number>): boolean =>
  fields.every((field, i) => fieldsOf(row)[i] === field)

const showRows = (rows: ReadonlyArray<{ key: unknown; bytes: Uint8Array | undefined }>) =>
  rows.map(({ bytes, key }) => [key, bytes === undefined ? "" : textOf(bytes)])

const scanRows = (
  { after, depth, limit }: { after: KeyedRow; depth: number; limit: number }
): Command =>
  command(`scanRows(${JSON.stringify(after)}, ${depth}, ${limit})`, (model, real) => {
    const under = fieldsOf(after).slice(0, depth % fieldsOf(after).length)
    const isRow = (row: KeyedRow) => row.family === after.family && isUnder(row, under)
    const all = [...model.rows.values()].filter(isRow).sort(compareRows)
    const { service } = real.storage
    const whole = { family: after.family, under, after: undefined, limit: 100 }
    expect(showRows(service.scanRows(whole))).toEqual(showRows(all))
    const rest = all.filter((row) => compareRows(row, after) > 0).slice(0, limit)
    expect(showRows(service.scanRows({ ...whole, after: after.key, limit }))).toEqual(
      showRows(rest)
    )
  })

const readRow = (row: KeyedRow): Command =>
  command(`readRow(${JSON.stringify(row)})`, (model, real) => {
    const { service } = real.storage
    const bytes = model.rows.get(rowName(row))?.bytes
    expect(service.readRow(row.family, row.key))
      .toEqual(bytes === undefined ? { _tag: "Absent" } : { _tag: "Found", bytes })
  })

const committed = command("committed()", (_, real) => allCommitted(real))

const reopen = command("reopen()", async (_, real) => {
  await real.storage.close()
  await allCommitted(real)
  real.storage = await real.fixture.open({ limits: { groupChangesMax: 3 } })
})

// Few keys, so that they meet; their UTF-8 and UTF-16 orders differ.
const keys = fc.record({
  partition: fc.constantFrom(0, 255),
  bucket: fc.constantFrom("a", "b-1"),
  partitionKey: fc.constantFrom("sa", "s\uFFFD", "s\u{1F6D2}"),
  sortKey: fc.constantFrom("", "i1")
})
// Some are so long that their bytes may lie apart from their keys.
const values = fc.oneof(
  { weight: 7, arbitrary: fc.string({ unit: "binary", maxLength: 5 }) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom("x", "y"), fc.constantFrom(4_095, 4_096, 4_097, 20_000))
      .map(([letter, length]) => letter.repeat(length))
  }
)
const edits = fc.record({
  key: keys,
  header: fc.option(values, { nil: undefined, freq: 5 }),
  elements: fc.dictionary(
    fc.constantFrom("e", "f\uFFFD", "f\u{1F6D2}"),
    fc.option(values, { nil: undefined })
  )
})

const texts = fc.constantFrom("", "a", "a\u0001", "b", "f\uFFFD", "f\u{1F6D2}")
const numbers = fc.constantFrom(0, 1, 255, 256, 65_536, Number.MAX_SAFE_INTEGER)
const bytes = fc.option(values.map(bytesOf), { nil: undefined })
const familyRow = <F extends KeyedRow["family"]>(
  family: F,
  key: fc.Arbitrary<Extract<KeyedRow, { readonly family: F }>["key"]>
) => fc.record({ family: fc.constant(family), key, bytes })
const rows: fc.Arbitrary<KeyedRow> = fc.oneof(
  familyRow("hint", fc.tuple(texts, numbers)),
  familyRow("leaf", fc.tuple(numbers, numbers)),
  familyRow("index", fc.tuple(texts, texts, numbers, texts, texts)),
  familyRow("operation", fc.tuple(numbers, numbers)),
  familyRow("metadata", fc.tuple(texts))
)

const writes = fc.tuple(fc.array(edits, { maxLength: 3 }), fc.array(rows, { maxLength: 4 }))
  .map(([changed, others]) => write(changed, others))

const failures = fc.tuple(
  fc.array(edits, { minLength: 1, maxLength: 5 }),
  fc.array(rows, { maxLength: 2 })
).map(([changed, others]) => failToWrite(changed, others))

/** Commits can be made to fail by the tables, where these are what they write. */
export const makeCommands = ({ hasLog }: { readonly hasLog: boolean }) =>
  fc.commands<Model, Real, false>([
    writes,
    writes,
    writes,
    ...hasLog ? [] : [failures],
    keys.map(read),
    fc.record({
      partition: fc.constantFrom(0, 255),
      after: fc.option(keys, { nil: undefined }),
      limit: fc.integer({ min: 1, max: 5 })
    }).map(scan),
    rows.map(readRow),
    fc.record({ after: rows, depth: fc.nat({ max: 4 }), limit: fc.integer({ min: 1, max: 3 }) })
      .map(scanRows),
    fc.constantFrom(committed, committed, reopen)
  ], { maxCommands: 60, size: "max" })

/** Reads every document after the last command, open and reopened. */
export const agreeAtTheEnd = async (model: Model, real: Real): Promise<void> => {
  for (const phase of [committed, reopen]) {
    await phase.run(model, real)
    for (const { key } of model.documents.values()) await read(key).run(model, real)
    for (const partition of [0, 255]) {
      await scan({ partition, after: undefined, limit: 100 }).run(model, real)
    }
    for (const row of model.rows.values()) {
      await readRow(row).run(model, real)
      await scanRows({ after: row, depth: 1, limit: 2 }).run(model, real)
    }
  }
}
