// Checks that the WebAssembly build of SQLite serves the part of the interface that storage uses.
import { DatabaseSync } from "node:sqlite"
import { describe, expect, it } from "vitest"
import { Committer } from "../../../src/storage/Committer.ts"
import type { Database } from "../../../src/storage/Database.ts"
import { isSqliteError } from "../../../src/storage/SqliteError.ts"
import { prepareWriter } from "../../../src/storage/Tables.ts"
import { pack } from "../../../src/storage/WorkerProtocol.ts"
import { stream } from "../../../src/testing/simulator/SeededRandom.ts"
import { accepted, batchOf, keyOf, put } from "../../storage/documents.ts"
import { identity } from "../../storage/storageFixtures.ts"
import { TornDisk } from "./TornDisk.ts"
import { databaseName, WasmDatabase } from "./WasmDatabase.ts"

const open = () => {
  const disk = new TornDisk()
  disk.open(databaseName)
  return { disk, database: new WasmDatabase(disk, stream(1, "sqlite")) }
}

/** The code of the error that it throws. */
const codeOf = (act: () => void): unknown => {
  try {
    act()
    return undefined
  } catch (error) {
    return isSqliteError(error) ? error.errcode : error
  }
}

const answers = (database: Database) => {
  database.exec("CREATE TABLE t (i INTEGER, r REAL, t TEXT, b BLOB) STRICT")
  const insert = database.prepare("INSERT INTO t VALUES (?, ?, ?, ?)")
  insert.run(1, 0.5, "text \u{1F6D2}", Uint8Array.of(0, 255))
  insert.run(-(2 ** 40), 2, "", new Uint8Array(0))
  insert.run(null, null, null, null)
  const all = database.prepare("SELECT * FROM t WHERE i < ? OR i IS NULL ORDER BY i")
  const named = all.all(2)
  all.setReturnArrays(true)
  const counted = all.all(2)
  return {
    named: named.map((row) => Object.entries(row)),
    counted: counted.map(({ 0: i, 1: r, 2: t, 3: b }) => [i, r, t, b]),
    nothing: database.prepare("SELECT 1 WHERE ?").get(0),
    wrongType: codeOf(() => insert.run("x", 1, "", null)),
    wrongSql: codeOf(() => database.exec("NOT SQL")),
    isTransaction: [false, true].map((begun) => {
      if (begun) database.exec("BEGIN")
      return database.isTransaction
    })
  }
}

describe("SQLite on a simulated disk", () => {
  it("answers as node:sqlite does", () => {
    expect(answers(open().database)).toEqual(answers(new DatabaseSync(":memory:")))
  })

  it("tells a full disk from a failing one, and goes on once it is mended", () => {
    const { database, disk } = open()
    prepareWriter(database, { identity, fileBytesMax: 2 ** 30, newStoreId: "store" })
    const committer = new Committer({ database })
    for (const refusal of ["full", "failing"] as const) {
      const batch = accepted(batchOf(put(keyOf("sa"), refusal.repeat(1000))))
      disk.refusal = refusal
      expect(committer.commit([pack([batch])])).toMatchObject({ kind: refusal })
      disk.refusal = undefined
      expect(committer.commit([pack([batch])])).toBeUndefined()
    }
    database.close()
  })

  it("may find after a power cut a transaction whose sync failed, as a whole or not at all", () => {
    const found = new Set(Array.from({ length: 40 }, (_, seed) => {
      const { database, disk } = open()
      prepareWriter(database, { identity, fileBytesMax: 2 ** 30, newStoreId: "store" })
      disk.refusal = "failing"
      disk.writesBeforeRefusal = 100
      const changes = ["sa", "sb"].map((key) => put(keyOf(key), "v"))
      const failure = new Committer({ database }).commit([pack([accepted(batchOf(...changes))])])
      expect(failure).toMatchObject({ kind: "failing" })
      disk.cutPower()
      database.close()
      disk.restorePower(stream(seed, "cut"))
      const after = new WasmDatabase(disk, stream(1, "sqlite"))
      const [row] = after.prepare("SELECT count(*) AS count FROM documents").all()
      after.close()
      return row?.["count"]
    }))
    expect(found).toEqual(new Set([0, 2]))
  })

  it("empties the log into the file and removes it as it closes", () => {
    const { database, disk } = open()
    prepareWriter(database, { identity, fileBytesMax: 2 ** 30, newStoreId: "store" })
    expect(disk.exists(`${databaseName}-wal`)).toBe(true)
    database.close()
    expect(disk.exists(`${databaseName}-wal`)).toBe(false)
  })
})
