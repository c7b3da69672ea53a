/** Opens the files that earlier formats left, and the golden one of this format. */
import * as Effect from "effect/Effect"
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { Malformed } from "../../src/core/codec/Bytes.ts"
import * as DocumentCodec from "../../src/core/crdt/DocumentCodec.ts"
import * as RowCodec from "../../src/replica/RowCodec.ts"
import { openDirect } from "../../src/storage/DirectStorage.ts"
import { readMetadata } from "../../src/storage/Metadata.ts"
import type { RowKey, StorageService } from "../../src/storage/Storage.ts"
import { openWorker } from "../../src/storage/WorkerStorage.ts"
import { textOf } from "../core/crdt/documents.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { commit, keyOf, put, shown, shownRow, textOf as bytesText } from "./documents.ts"
import {
  goldenEntries,
  goldenNotes,
  goldenOwn,
  goldenRows,
  goldenStoreId,
  largeKey,
  largeText,
  plainKey
} from "./goldenStores.ts"
import { identity } from "./storageFixtures.ts"

let directory = ""
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "everwrite-golden-"))
})
afterEach(() => rmSync(directory, { recursive: true }))

const copyOf = (format: number): void => {
  mkdirSync(directory, { recursive: true })
  const golden = fileURLToPath(new URL(`../golden/store-format-${format}/`, import.meta.url))
  for (const file of readdirSync(golden)) copyFileSync(join(golden, file), join(directory, file))
}

const openThread = async () => {
  const opening = openWorker({ directory, identity, runtime: liveRuntime })
  const { close, service } = await Effect.runPromise(opening)
  return { service, close: () => Effect.runPromise(close) }
}

const found = (service: StorageService, key: RowKey) => {
  const result = service.read(key)
  if (result._tag !== "Found") throw new Error(`${key.partitionKey} is ${result._tag}`)
  return result.document
}

const expectContents = (service: StorageService): void => {
  for (const [name, document] of goldenEntries) {
    const held = RowCodec.decode(found(service, keyOf(`s${name}`)))
    if (held instanceof Malformed) throw held
    expect(textOf(held.document)).toBe(textOf(document))
    expect(held.digest).toBe(DocumentCodec.encode(document).digest)
    expect(held.own).toBe(goldenOwn)
  }
  expect(shown(service.read(plainKey))).toBe("header{a=1,b=2}")
  for (const [name, text] of goldenNotes) expect(readMetadata(service, name)).toBe(text)
  const keys = goldenEntries.map(([name]) => `s${name}`).sort()
  expect(service.scan({ partition: 7, after: undefined, limit: 99 }).map((key) => key.partitionKey))
    .toEqual(keys)
}

const schema = (): ReadonlyArray<unknown> => {
  using database = new DatabaseSync(join(directory, "store.sqlite"))
  return database.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY name").all()
}

describe.each([1, 2, 3, 4])("a file of format %i", (format) => {
  it("is opened, read, written on and opened again", async () => {
    copyOf(format)
    let storage = await openThread()
    const { storeId } = storage.service
    expectContents(storage.service)
    const [first = 0] = storage.service.write(
      { documents: [put(keyOf("snew"), "v1")], rows: [] },
      () => {}
    )
    expect(await commit(storage.service, put(plainKey, "header2", { b: undefined }, 1)))
      .toBeUndefined()
    await storage.close()
    storage = await openThread()
    expect(storage.service.storeId).toBe(storeId)
    expect(found(storage.service, keyOf("snew")).sequence).toBe(first)
    expect(shown(storage.service.read(plainKey))).toBe("header2{a=1}")
    expect(storage.service.stats().damaged).toBe(0)
    await storage.close()
  })

  it("has the tables of a new file once it is opened", () => {
    const open = () => openDirect({ directory, identity, runtime: liveRuntime }).close()
    mkdirSync(directory, { recursive: true })
    open()
    const expected = schema()
    rmSync(directory, { recursive: true })
    copyOf(format)
    open()
    expect(schema()).toEqual(expected)
  })
})

describe("a file of format 1", () => {
  it("has documents without a sequence number, and gets an id", async () => {
    copyOf(1)
    const storage = await openThread()
    expect(storage.service.storeId).toMatch(/^[0-9a-z]{26}$/)
    for (const [name] of goldenEntries) {
      expect(found(storage.service, keyOf(`s${name}`)).sequence).toBe(0)
    }
    await storage.close()
  })

  it("whose note is damaged is opened without that note", () => {
    copyOf(1)
    const [[name], [other, text]] = goldenNotes
    const database = new DatabaseSync(join(directory, "store.sqlite"))
    database.prepare("UPDATE facts SET value = 'x' WHERE name = ?").run(name)
    database.close()
    const { close, service } = openDirect({ directory, identity, runtime: liveRuntime })
    expect([readMetadata(service, name), readMetadata(service, other)]).toEqual([undefined, text])
    close()
  })
})

describe.each([2, 3, 4])("a file of format %i", (format) => {
  it("has its id, sequence numbers, and rows of every family", async () => {
    copyOf(format)
    const storage = await openThread()
    expect(storage.service.storeId).toBe(goldenStoreId)
    for (const [i, [name]] of goldenEntries.entries()) {
      expect(found(storage.service, keyOf(`s${name}`)).sequence).toBe(2 ** 32 + i)
    }
    for (const { bytes, family, key } of goldenRows) {
      expect(shownRow(storage.service.readRow(family, key))).toBe(bytesText(bytes!))
      const scanned = storage.service.scanRows({ family, under: [], after: undefined, limit: 9 })
      expect(scanned).toEqual([{ key, bytes }])
    }
    const next = storage.service.write({ documents: [put(keyOf("s"), "v")], rows: [] }, () => {})
    expect(next).toEqual([2 * 2 ** 32])
    await storage.close()
  })
})

describe.each([3, 4])("a file of format %i", (format) => {
  it("has the bytes of a large row apart from its key", () => {
    copyOf(format)
    const { close, service } = openDirect({ directory, identity, runtime: liveRuntime })
    expect(shown(service.read(largeKey))).toBe(`header{a=1,b=${largeText}}`)
    close()
    using database = new DatabaseSync(join(directory, "store.sqlite"))
    expect(database.prepare("SELECT path FROM documents WHERE content IS NOT NULL").all())
      .toEqual([{ path: "b" }])
  })
})

it("a header of format 2 is read in its bytes, and written in the present format", () => {
  copyOf(2)
  const { close, service } = openDirect({ directory, identity, runtime: liveRuntime })
  for (const [name, document] of goldenEntries) {
    const encoded = DocumentCodec.encode(document)
    const before = { ...document, store: undefined }
    const { header } = RowCodec.change({ before, after: document, encoded, own: goldenOwn })
    const stored = found(service, keyOf(`s${name}`))
    expect(stored.header[0]).toBe(2)
    expect(header[0]).toBe(RowCodec.formatVersion)
    expect(RowCodec.headerLiveness(stored)).toBeUndefined()
    expect(RowCodec.headerLiveness({ ...stored, header })).toEqual(RowCodec.livenessOf(document))
    expect(RowCodec.decode({ ...stored, header })).toEqual(RowCodec.decode(stored))
  }
  close()
})

it("a header of format 1 is none of format 2, nor the other way round", () => {
  const sequences = [1, 2].map((format) => {
    rmSync(directory, { recursive: true })
    copyOf(format)
    const { close, service } = openDirect({ directory, identity, runtime: liveRuntime })
    const stored = found(service, keyOf("svalues"))
    close()
    const other = { ...stored, sequence: stored.sequence === 0 ? 1 : 0 }
    expect(RowCodec.decode(other)).toBeInstanceOf(Malformed)
    return stored.sequence
  })
  expect(sequences[0]).toBe(0)
  expect(sequences[1]).toBeGreaterThan(0)
})
