/** Tests how a connection becomes the writer of a file. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { expect, it } from "vitest"
import { durability, prepareWriter } from "../../src/storage/Tables.ts"
import { identity } from "./storageFixtures.ts"

const options = { identity, fileBytesMax: 2 ** 30, newStoreId: "store" }

const withFile = (use: (path: string) => void): void => {
  const directory = mkdtempSync(join(tmpdir(), "everwrite-tables-"))
  try {
    use(join(directory, "store.sqlite"))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

it("the writer of a file syncs a write-ahead log at each commit", () => {
  withFile((path) => {
    using database = new DatabaseSync(path)
    prepareWriter(database, options)
    expect(durability(database)).toBe("journal_mode wal, synchronous 2")
  })
})

it("a file whose log cannot be synced is refused", () => {
  withFile((path) => {
    // This way to the file system has no shared memory, and so no write-ahead log.
    using database = new DatabaseSync(`file:${path}?vfs=unix-none`)
    expect(() => prepareWriter(database, options)).toThrow(/cannot sync its log here.*delete/)
  })
})

it("preparing a file a second time changes nothing", () => {
  withFile((path) => {
    using database = new DatabaseSync(path)
    const schema = () => database.prepare("SELECT * FROM sqlite_schema").all()
    prepareWriter(database, options)
    const first = schema()
    prepareWriter(database, options)
    expect(schema()).toEqual(first)
    expect(database.prepare("SELECT * FROM identity").all()).toHaveLength(1)
  })
})
