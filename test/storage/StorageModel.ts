/**
 * Describes a storage as a map, and the commands that a storage and the map must agree on.
 */
import * as fc from "fast-check"
import { expect } from "vitest"
import { compareKeys } from "../../src/storage/KeyOrder.ts"
import type { Change, RowKey, StorageFailure } from "../../src/storage/Storage.ts"
import { bytesOf, commit, commitFact, keyOf, put, removal, shown } from "./documents.ts"
import { failCommits, type Fixture } from "./storageFixtures.ts"

interface ModelDocument {
  readonly key: RowKey
  readonly header: string
  readonly elements: ReadonlyMap<string, string>
}

export interface Model {
  readonly documents: Map<string, ModelDocument>
  readonly facts: Map<string, string>
  accepted: number
}

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

const showModel = (document: ModelDocument | undefined): string => {
  if (document === undefined) return "Absent"
  const elements = [...document.elements].sort(([a], [b]) => Buffer.compare(bytesOf(a), bytesOf(b)))
  return `${document.header}{${elements.map(([path, value]) => `${path}=${value}`).join()}}`
}

/** What the edit makes of the document, and the change that says so. */
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
    after: { key, header, elements: merged },
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

const settle = async (real: Real): Promise<void> => {
  const failures = await Promise.all(real.waiting.splice(0))
  expect(failures.filter((failure) => failure !== undefined)).toEqual([])
}

const write = (edits: ReadonlyArray<Edit>): Command =>
  command(`write(${JSON.stringify(edits)})`, (model, real) => {
    const changes = edits.map((edit) => {
      const { after, change } = carryOut(edit, model.documents.get(name(edit.key)))
      if (after === undefined) model.documents.delete(name(edit.key))
      else model.documents.set(name(edit.key), after)
      return change
    })
    model.accepted += changes.length
    real.waiting.push(commit(real.storage.service, ...changes))
  })

/** Writes that are accepted and seen, and then fail together: the map stays as it was. */
const failToWrite = (edits: ReadonlyArray<Edit>): Command =>
  command(`failToWrite(${JSON.stringify(edits)})`, async (model, real) => {
    await settle(real)
    const mend = failCommits(real.place)
    const { service } = real.storage
    // Removals of what is absent touch no row: what they rest on must fail first.
    const first = commit(service, put(keyOf("sfirst"), "never"))
    const seen = new Map(model.documents)
    const outcomes = edits.map((edit) => {
      const { after, change } = carryOut(edit, seen.get(name(edit.key)))
      if (after === undefined) seen.delete(name(edit.key))
      else seen.set(name(edit.key), after)
      const outcome = commit(service, change)
      expect(shown(service.read(edit.key))).toBe(showModel(after))
      return outcome
    })
    outcomes.push(commitFact(service, "fact", "never"))
    expect(service.readFact("fact")).toBe("never")
    for (const outcome of [first, ...outcomes]) {
      expect(await outcome).toMatchObject({ kind: "failing" })
    }
    mend()
  })

const read = (key: RowKey): Command =>
  command(`read(${JSON.stringify(key)})`, (model, real) => {
    const stored = real.storage.service.read(key)
    expect(shown(stored)).toBe(showModel(model.documents.get(name(key))))
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

const writeFact = (value: string): Command =>
  command(`writeFact(${JSON.stringify(value)})`, (model, real) => {
    model.facts.set("fact", value)
    real.waiting.push(commitFact(real.storage.service, "fact", value))
  })

const readFact = command("readFact()", (model, real) => {
  expect(real.storage.service.readFact("fact")).toBe(model.facts.get("fact"))
})

const settled = command("settled()", (_, real) => settle(real))

const reopen = command("reopen()", async (_, real) => {
  await real.storage.close()
  await settle(real)
  real.storage = await real.place.open({ limits: { groupChangesMax: 3 } })
})

// Few keys, so that they meet; their UTF-8 and UTF-16 orders differ.
const keys = fc.record({
  partition: fc.constantFrom(0, 255),
  bucket: fc.constantFrom("a", "b-1"),
  partitionKey: fc.constantFrom("sa", "s\uFFFD", "s\u{1F6D2}"),
  sortKey: fc.constantFrom("", "i1")
})
const values = fc.string({ unit: "binary", maxLength: 5 })
const edits = fc.record({
  key: keys,
  header: fc.option(values, { nil: undefined, freq: 5 }),
  elements: fc.dictionary(
    fc.constantFrom("e", "f\uFFFD", "f\u{1F6D2}"),
    fc.option(values, { nil: undefined })
  )
})

const writes = fc.array(edits, { minLength: 1, maxLength: 3 }).map(write)

export const commands = fc.commands<Model, Real, false>([
  writes,
  writes,
  writes,
  fc.array(edits, { minLength: 1, maxLength: 5 }).map(failToWrite),
  keys.map(read),
  fc.record({
    partition: fc.constantFrom(0, 255),
    after: fc.option(keys, { nil: undefined }),
    limit: fc.integer({ min: 1, max: 5 })
  }).map(scan),
  values.map(writeFact),
  fc.constantFrom(readFact, settled, settled, reopen)
], { maxCommands: 60, size: "max" })

/** Reads every document after the last command, open and reopened. */
export const agreeAtTheEnd = async (model: Model, real: Real): Promise<void> => {
  for (const phase of [settled, reopen]) {
    await phase.run(model, real)
    for (const { key } of model.documents.values()) await read(key).run(model, real)
    for (const partition of [0, 255]) {
      await scan({ partition, after: undefined, limit: 100 }).run(model, real)
    }
    await readFact.run(model, real)
  }
}
