/** Tests the claim on a directory within one process; other processes are in `crash.test.ts`. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import { StorageUnavailable } from "../../src/storage/Storage.ts"
import { lockDirectory } from "../../src/storage/StoreDirectory.ts"
import { commit, keyOf, put } from "./documents.ts"
import { workerFixture } from "./storageFixtures.ts"

let parent = ""
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "everwrite-claim-"))
})
afterEach(() => rmSync(parent, { recursive: true }))

it("a directory is locked by one storage at a time", () => {
  const directory = join(parent, "a", "b")
  const claim = lockDirectory(directory)
  const reason = "another process, or another storage of this process, uses it"
  const refusal = expect.objectContaining({ path: directory, reason })
  expect(() => lockDirectory(directory)).toThrow(refusal)
  // A refused attempt must not have loosened the lock.
  expect(() => lockDirectory(directory)).toThrow(refusal)
  claim.release()
  lockDirectory(directory).release()
})

it("only the owner may read the stored files", async () => {
  const fixture = workerFixture()
  const storage = await fixture.open()
  await commit(storage.service, put(keyOf("s"), "v"))
  const directory = fixture.directory!
  const files = readdirSync(directory)
  const kept = ["lock", "store.sqlite", "store.sqlite-log-0", "store.sqlite-log-1"]
  expect(files.sort()).toEqual([...kept, "store.sqlite-shm", "store.sqlite-wal"])
  for (const path of [directory, ...files.map((file) => join(directory, file))]) {
    expect(statSync(path).mode & 0o077, path).toBe(0)
  }
  await storage.close()
  // Closing empties SQLite's log into the file.
  expect(readdirSync(directory).sort()).toEqual(kept)
  fixture.remove()
})

it("a path that cannot be a directory is refused", () => {
  writeFileSync(join(parent, "file"), "")
  expect(() => lockDirectory(join(parent, "file"))).toThrow(StorageUnavailable)
})
