/**
 * Compares Node's own SQLite with the package `sqlite3`, each with the statements of a node's hot
 * path: groups of 64 rows of 256 bytes that are replaced in one synced transaction, and reads of
 * one row. The package is no dependency, so it is installed for this alone.
 *
 *     npm install --no-save sqlite3 && npx node test/bench/sqlite.ts [--seconds 3]
 */
import { mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { parseArgs } from "node:util"

const { values } = parseArgs({ options: { seconds: { type: "string", default: "3" } } })
const millis = Number(values.seconds) * 1_000
const rounds = 3
const group = 64
const keys = 10_000
const body = Buffer.alloc(256, "x")

const schema = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
  + "CREATE TABLE documents (key TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID"
const put = "INSERT INTO documents VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
const get = "SELECT body FROM documents WHERE key = ?"
const keyOf = (n: number): string => `k${n * 7_919 % keys}`

interface Driver {
  /** Replaces rows, from the n-th key on, and has them synced. */
  readonly group: (n: number) => Promise<void> | void
  readonly read: (n: number) => Promise<void> | void
  readonly close: () => void
}

const own = (path: string): Driver => {
  const database = new DatabaseSync(path)
  database.exec(schema)
  const [putting, getting] = [database.prepare(put), database.prepare(get)]
  return {
    group: (n) => {
      database.exec("BEGIN")
      for (let i = 0; i < group; i++) putting.run(keyOf(n * group + i), body)
      database.exec("COMMIT")
    },
    read: (n) => void getting.get(keyOf(n)),
    close: () => database.close()
  }
}

type Done = (error: Error | null) => void

/** As much of the package as is used here. */
interface Package {
  readonly Database: new(path: string, done: Done) => {
    readonly exec: (sql: string, done: Done) => void
    readonly close: () => void
    readonly prepare: (sql: string) => {
      readonly run: (key: string, body: Buffer, done: Done) => void
      readonly get: (key: string, done: Done) => void
      readonly finalize: () => void
    }
  }
}

const promised = (call: (done: Done) => void): Promise<void> =>
  new Promise((resolve, reject) => call((error) => error === null ? resolve() : reject(error)))

const packaged = async ({ Database }: Package, path: string): Promise<Driver> => {
  let database: InstanceType<Package["Database"]> | undefined
  await promised((done) => void (database = new Database(path, done)))
  const db = database!
  await promised((done) => db.exec(schema, done))
  const [putting, getting] = [db.prepare(put), db.prepare(get)]
  return {
    group: async (n) => {
      await promised((done) => db.exec("BEGIN", done))
      const rows = Array.from(
        { length: group },
        (_, i) => promised((done) => putting.run(keyOf(n * group + i), body, done))
      )
      await Promise.all(rows)
      await promised((done) => db.exec("COMMIT", done))
    },
    read: (n) => promised((done) => getting.get(keyOf(n), done)),
    close: () => {
      putting.finalize()
      getting.finalize()
      db.close()
    }
  }
}

/** Calls a second, one after another. */
const rate = async (call: (n: number) => Promise<void> | void): Promise<number> => {
  const began = performance.now()
  let n = 0
  for (; performance.now() - began < millis; n++) await call(n)
  return n / (performance.now() - began) * 1_000
}

const folder = mkdtempSync(join(tmpdir(), "everwrite-sqlite-"))
const sqlite3: Package = createRequire(import.meta.url)("sqlite3")
const drivers = {
  "node:sqlite": own(join(folder, "own")),
  "sqlite3": await packaged(sqlite3, join(folder, "packaged"))
}
console.log(`Node ${process.versions.node}, ${millis / 1_000} s a figure`)
console.log("| round | driver | rows replaced/s | reads/s |")
console.log("| --- | --- | --- | --- |")
for (let round = 1; round <= rounds; round++) {
  for (const [name, driver] of Object.entries(drivers)) {
    const groups = await rate(driver.group)
    const reads = await rate(driver.read)
    const cells = [round, name, Math.round(groups * group), Math.round(reads)]
    console.log(`| ${cells.join(" | ")} |`)
  }
}
for (const driver of Object.values(drivers)) driver.close()
rmSync(folder, { recursive: true })
