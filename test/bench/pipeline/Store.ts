/**
 * Keeps the values of one node of the bare pipeline: a thread commits and syncs all writes that
 * queued up while it committed the ones before; reads find waiting writes first.
 */
import { join } from "node:path"
import { DatabaseSync, type StatementSync } from "node:sqlite"
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"

type Write = readonly [key: string, value: Uint8Array, done: () => void]

type Group = ReadonlyArray<readonly [key: string, value: Uint8Array]>

const open = (directory: string): DatabaseSync => {
  const database = new DatabaseSync(join(directory, "pipeline.db"))
  database.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;"
      + "CREATE TABLE IF NOT EXISTS documents(key TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID"
  )
  return database
}

export class Store {
  readonly #thread: Worker
  readonly #waiting = new Map<string, Uint8Array>()
  readonly #read: StatementSync
  #next: Array<Write> = []
  #committing: ReadonlyArray<Write> = []
  #isScheduled = false

  constructor(directory: string) {
    this.#read = open(directory).prepare("SELECT body FROM documents WHERE key = ?")
    this.#thread = new Worker(new URL(import.meta.url), { workerData: directory })
    this.#thread.on("message", () => this.#committed())
  }

  read(key: string): Uint8Array | undefined {
    const value = this.#waiting.get(key) ?? this.#read.get(key)?.["body"]
    return value instanceof Uint8Array ? value : undefined
  }

  write(key: string, value: Uint8Array, done: () => void): void {
    this.#waiting.set(key, value)
    this.#next.push([key, value, done])
    if (this.#isScheduled || this.#committing.length > 0) return
    this.#isScheduled = true
    setImmediate(() => this.#commit())
  }

  #commit(): void {
    this.#isScheduled = false
    if (this.#next.length === 0) return
    this.#committing = this.#next
    this.#next = []
    const group: Group = this.#committing.map(([key, value]) => [key, value])
    this.#thread.postMessage(group, [])
  }

  #committed(): void {
    const done = this.#committing
    this.#committing = []
    this.#commit()
    for (const [key, value, call] of done) {
      if (this.#waiting.get(key) === value) this.#waiting.delete(key)
      call()
    }
  }
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort
  const database = open(String(workerData))
  const put = database.prepare(
    "INSERT INTO documents VALUES(?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
  )
  port.on("message", (group: Group) => {
    database.exec("BEGIN IMMEDIATE")
    for (const [key, value] of group) put.run(key, value)
    database.exec("COMMIT")
    port.postMessage("committed")
  })
}
