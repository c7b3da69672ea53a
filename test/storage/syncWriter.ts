/**
 * Commits one group after the other and prints each acknowledgement, for a trace of the process.
 *
 * `node syncWriter.ts DIRECTORY FULL|NORMAL`: FULL is the product; NORMAL, which does not sync
 * every commit, shows that the trace can tell.
 */
import * as Effect from "effect/Effect"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Committer } from "../../src/storage/Committer.ts"
import { prepareWriter } from "../../src/storage/Tables.ts"
import { pack } from "../../src/storage/WorkerProtocol.ts"
import { openWorker } from "../../src/storage/WorkerStorage.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { accepted, batchOf, commit, keyOf, put } from "./documents.ts"
import { identity } from "./storageFixtures.ts"

const [directory = "", mode = ""] = process.argv.slice(2)
const changesOf = (group: number) =>
  Array.from({ length: 1 + group % 20 }, (_, i) => put(keyOf(`s${i}`), `version ${group}`))

const openRaw = () => {
  mkdirSync(directory, { recursive: true })
  const database = new DatabaseSync(join(directory, "store.sqlite"))
  prepareWriter(database, { identity, fileBytesMax: 2 ** 30, newStoreId: "store" })
  database.exec("PRAGMA synchronous = NORMAL")
  const committer = new Committer({ database })
  return async (group: number) => committer.commit([pack([accepted(batchOf(...changesOf(group)))])])
}

const openProduct = async () => {
  const limits = mode === "TABLES" ? { logBytesMax: 0 } : { logBytesMax: 8_000 }
  const opening = openWorker({ directory, identity, runtime: liveRuntime, limits })
  const { service } = await Effect.runPromise(opening)
  return (group: number) => commit(service, ...changesOf(group))
}

const write = mode === "NORMAL" ? openRaw() : await openProduct()
for (let group = 0; group < 50; group++) {
  const failure = await write(group)
  if (failure !== undefined) throw new Error(failure.detail)
  process.stdout.write(`acknowledged ${group}\n`)
}
process.exit()
