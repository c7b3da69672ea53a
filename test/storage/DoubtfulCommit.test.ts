/** Commits after a transaction that failed, as SQLite said, and that the disk has all the same. */
import { DatabaseSync } from "node:sqlite"
import { expect, it } from "vitest"
import { MemoryLogFile } from "../../src/storage/LogFile.ts"
import { openStore } from "../../src/storage/OpenStore.ts"
import { Reader } from "../../src/storage/Reader.ts"
import { pack } from "../../src/storage/WorkerProtocol.ts"
import { accepted, batchOf, keyOf, put, shown } from "./documents.ts"
import { identity } from "./storageFixtures.ts"

/** Fails a transaction after it is on the disk, as a failed sync may. */
class DoubtfulDatabase extends DatabaseSync {
  fails = false

  override exec(sql: string): void {
    super.exec(sql)
    if (!this.fails || sql !== "COMMIT") return
    const error = new Error("disk I/O error")
    throw Object.assign(error, { code: "ERR_SQLITE_ERROR", errcode: 10 })
  }
}

const groupOf = (name: string, text: string, sequence: number) =>
  pack([accepted(batchOf(put(keyOf(name), text)), sequence)])

it("a commit that follows a failed one into the tables is there after a crash", () => {
  const database = new DoubtfulDatabase(":memory:")
  const limits = { logBytesMax: 2_000, logGrowthBytes: 1, foldRowsMax: 100 }
  const files = [new MemoryLogFile(), new MemoryLogFile()] as const
  const open = (newStoreId = "store") =>
    openStore(database, files, { identity, fileBytesMax: 2 ** 30, newStoreId, limits })
  const { committer, store } = open()
  expect(committer.commit([groupOf("s1", "before", 1)])).toBeUndefined()
  database.fails = true
  // It is longer than a file of the log.
  expect(committer.commit([groupOf("s2", "v".repeat(3_000), 2)])).toMatchObject({ kind: "failing" })
  database.fails = false
  expect(committer.commit([groupOf("s1", "after", 3)])).toBeUndefined()
  expect(open("another").store.storeId).toBe(store.storeId)
  expect(shown(new Reader(database).read(keyOf("s1"), undefined))).toBe("after{}")
})
