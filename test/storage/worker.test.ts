/** Tests how the storage thread treats the groups of an attempt that has failed. */
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Worker } from "node:worker_threads"
import { expect, it } from "vitest"
import type { Change } from "../../src/storage/Storage.ts"
import { pack, type ToThread } from "../../src/storage/WorkerProtocol.ts"
import { accepted, batchOf, keyOf, put } from "./documents.ts"
import { identity } from "./storageFixtures.ts"

it("the thread commits nothing more of an attempt in which a commit failed", async () => {
  const directory = mkdtempSync(join(tmpdir(), "everwrite-thread-"))
  const databasePath = join(directory, "store.sqlite")
  const file = new URL("../../src/storage/worker.ts", import.meta.url)
  const thread = new Worker(file, {
    workerData: {
      databasePath,
      identity,
      fileBytesMax: 2 ** 30,
      newStoreId: "store",
      threadFile: file.href,
      limits: { logBytesMax: 0, logGrowthBytes: 1, foldRowsMax: 1 }
    }
  })
  const answer = async (): Promise<unknown> => (await once(thread, "message"))[0]
  const tell = (message: ToThread): void => thread.postMessage(message, [])
  const send = (id: number, attempt: number, change: Change): void =>
    tell({ _tag: "Commit", id, attempt, packed: pack([accepted(batchOf(change))], 0) })
  try {
    expect(await answer()).toEqual({
      _tag: "Ready",
      store: { storeId: "store", epoch: 1, changes: 0 }
    })
    using database = new DatabaseSync(databasePath)
    database.exec(
      `CREATE TRIGGER refuse BEFORE INSERT ON documents WHEN new.partition_key = 'spoison'
       BEGIN SELECT RAISE(ABORT, 'injected'); END`
    )
    send(1, 0, put(keyOf("spoison"), "v"))
    expect(await answer()).toMatchObject({ _tag: "Failed", failure: { kind: "failing" } })
    send(2, 0, put(keyOf("slate"), "v"))
    send(3, 1, put(keyOf("snext"), "v"))
    expect(await answer()).toMatchObject({ _tag: "Committed", id: 3, buffers: [{}] })
    const rows = database.prepare("SELECT partition_key FROM documents").all()
    expect(rows).toEqual([{ partition_key: "snext" }])
  } finally {
    tell({ _tag: "Close" })
    await once(thread, "exit")
    rmSync(directory, { recursive: true })
  }
})
