// Checks that a document which the disk changed is told from one that it does not tell now.
import { beforeEach, expect, it } from "vitest"
import { MemoryDisk, openDirect } from "../../src/storage/DirectStorage.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"
import { batchOf, keyOf, put } from "./documents.ts"
import { identity } from "./storageFixtures.ts"

const key = keyOf("s1")

let disk: MemoryDisk
let storage: ReturnType<typeof openDirect>
beforeEach(() => {
  disk = new MemoryDisk()
  const runtime = new SteppedRuntime()
  storage = openDirect({ directory: disk, identity, runtime, limits: { logBytesMax: 0 } })
  storage.service.write(batchOf(put(key, "header", { a: "element" })), () => {})
  runtime.runReady()
})

it("a document of which SQLite fails to tell the rows may be told later", () => {
  disk.database.exec("ALTER TABLE documents RENAME TO away")
  expect(storage.service.read(key)).toMatchObject({ _tag: "Damaged", isUnread: true })
  expect(storage.service.readHeader(key)).toMatchObject({ _tag: "Damaged", isUnread: true })
  disk.database.exec("ALTER TABLE away RENAME TO documents")
  expect(storage.service.read(key)).toMatchObject({ _tag: "Found" })
})

it("a document whose rows fail their checksums is lost", () => {
  disk.database.exec("UPDATE documents SET bytes = x'00'")
  for (const result of [storage.service.read(key), storage.service.readHeader(key)]) {
    expect(result).toMatchObject({ _tag: "Damaged" })
    expect(result).not.toHaveProperty("isUnread")
  }
})
