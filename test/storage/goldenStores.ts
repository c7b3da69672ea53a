/**
 * Names the contents of the files under test/golden/store-format-*, and makes the newest one.
 *
 * `node --conditions=everwrite-source test/storage/goldenStores.ts DIRECTORY` writes it there.
 * Files of users have these formats: a golden file is never changed.
 */
import * as Effect from "effect/Effect"
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Document from "../../src/core/crdt/Document.ts"
import * as DocumentCodec from "../../src/core/crdt/DocumentCodec.ts"
import * as RowCodec from "../../src/replica/RowCodec.ts"
import type { KeyedRow } from "../../src/storage/Storage.ts"
import { openWorker } from "../../src/storage/WorkerStorage.ts"
import { formerGoldenFormats } from "../core/crdt/goldenDocuments.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { bytesOf, commit, commitRows, keyOf, note, put } from "./documents.ts"
import { identity } from "./storageFixtures.ts"

export const goldenOwn = "n1.0mi8dfxmoabcdef.1"

export const goldenStoreId = "0123456789abcdefghijklmnop"

/** Under the key `s` and the name: documents of their first format, which was the only one then. */
export const goldenEntries = Object.entries(formerGoldenFormats["document-1"])

/** A document that no replica encoded. */
export const plainKey = keyOf("splain \u{1F6D2}", {
  partition: 255,
  bucket: "b-1",
  sortKey: "i1"
})

/** A document of format 3, whose header and one element lie beside their keys, and one does not. */
export const largeKey = keyOf("slarge", { partition: 255, bucket: "b-1", sortKey: "i2" })

export const largeText = "large \u{1F6D2} ".repeat(1_000)

/** Names and texts of node metadata. */
export const goldenNotes = [
  ["incarnation", "0mi8dfxmoabcdef"],
  ["colour \u{1F6D2}", "blue \u{1F6D2}"]
] as const

/** Of the families that format 1 had not. */
export const goldenRows: ReadonlyArray<KeyedRow> = [
  { family: "hint", key: ["n2", 258], bytes: bytesOf("hint") },
  { family: "leaf", key: [7, 65_536], bytes: bytesOf("leaf") },
  { family: "index", key: ["by-name", "s\u{1F6D2}", 7, "scart", ""], bytes: new Uint8Array(0) },
  { family: "operation", key: [7, 2 ** 32], bytes: bytesOf("operation") }
]

/** As a crash leaves it: all is in the log, and nothing in the tables. */
const make = async (golden: string): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), "everwrite-golden-"))
  const runtime = { ...liveRuntime, id: () => goldenStoreId }
  const limits = { logBytesMax: 32_000 }
  const opening = openWorker({ directory, identity, runtime, limits })
  const { close, service } = await Effect.runPromise(opening)
  for (const [name, after] of goldenEntries) {
    const encoded = DocumentCodec.encode(after)
    const before = Document.empty
    const change = RowCodec.change({ before, after, encoded, own: goldenOwn })
    await commit(service, { key: keyOf(`s${name}`), ...change })
  }
  await commit(service, put(plainKey, "header", { a: "1", b: "2" }))
  await commit(service, put(largeKey, "header", { a: "1", b: largeText }))
  await commitRows(service, ...goldenNotes.map(([name, text]) => note(name, text)), ...goldenRows)
  mkdirSync(golden, { recursive: true })
  for (const name of readdirSync(directory)) {
    if (name !== "lock") copyFileSync(join(directory, name), join(golden, name))
  }
  await Effect.runPromise(close)
  const database = new DatabaseSync(join(golden, "store.sqlite"))
  database.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
  database.close()
  rmSync(directory, { recursive: true })
}

if (import.meta.main) await make(process.argv[2]!)
