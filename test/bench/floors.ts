/**
 * Measures what nothing built on NATS and SQLite can be faster than, in the benchmark's own run:
 * messages there and back through the broker, and batches of upserts, each synced.
 */
import { connect } from "@nats-io/transport-node"
import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { fileURLToPath } from "node:url"
import { bodyOf, documentCount, type Line, measure } from "./measure.ts"

/** One message of 256 bytes there, and one back, through another process. */
export const natsEcho = async (
  url: string,
  options: { readonly inFlight: number; readonly millis: number }
): Promise<Line> => {
  const echo = fork(fileURLToPath(new URL("./echo.ts", import.meta.url)), [url])
  await once(echo, "message")
  const client = await connect({ servers: url })
  const waiting: Array<() => void> = []
  client.subscribe("bench.back", { callback: () => waiting.shift()?.() })
  await client.flush()
  const payload = Buffer.from(bodyOf(1))
  const line = await measure(options, () =>
    new Promise<void>((resolve) => {
      waiting.push(resolve)
      client.publish("bench.there", payload, { reply: "bench.back" })
    }))
  await client.close()
  echo.kill()
  return line
}

/** Upserts of 256 bytes, `inFlight` to a transaction, each transaction synced. */
export const sqliteUpserts = (
  options: { readonly inFlight: number; readonly millis: number }
): Line => {
  const directory = mkdtempSync(join(tmpdir(), "everwrite-floor-"))
  const database = new DatabaseSync(join(directory, "floor.db"))
  database.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
      + "CREATE TABLE documents(key TEXT PRIMARY KEY, body TEXT) WITHOUT ROWID"
  )
  const upsert = database.prepare(
    "INSERT INTO documents VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET body = excluded.body"
  )
  const times: Array<number> = []
  const began = performance.now()
  let count = 0
  while (performance.now() - began < options.millis) {
    const at = performance.now()
    database.exec("BEGIN")
    for (let i = 0; i < options.inFlight; i++, count++) {
      upsert.run(`k${(count * 7_919) % documentCount}`, bodyOf(count))
    }
    database.exec("COMMIT")
    times.push(performance.now() - at)
  }
  const seconds = (performance.now() - began) / 1000
  database.close()
  rmSync(directory, { recursive: true, force: true })
  return { perSecond: count / seconds, times, failures: 0 }
}
