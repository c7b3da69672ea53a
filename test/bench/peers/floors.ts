/**
 * Runs the floors: nothing that is built on NATS, or on SQLite, can be faster than these.
 */
import { connect } from "@nats-io/transport-node"
import { fork } from "node:child_process"
import { once } from "node:events"
import { DatabaseSync } from "node:sqlite"
import { fileURLToPath } from "node:url"
import { natsServerBinary, startNatsServer } from "../../tooling/natsServer.ts"
import { madeFolder, owned } from "./Processes.ts"
import type { Connect, Program } from "./Program.ts"

/** Floors have no nodes to kill. */
const none = {
  pids: () => [],
  kill: async () => undefined,
  restart: async () => undefined
}

const echoCode = fileURLToPath(new URL("../echo.ts", import.meta.url))

export const natsEcho: Program = {
  promise: "256 bytes to another process and back: nothing is kept",
  ...natsServerBinary === undefined ? { missing: "apt-get install -y nats-server" } : {},
  start: async () => {
    const nats = await startNatsServer()
    const echo = owned(fork(echoCode, [nats.url]))
    await once(echo, "message")
    const stop = async (): Promise<void> => {
      echo.kill()
      await nats.stop()
    }
    return { ...none, address: nats.url, stop }
  }
}

export const connectNatsEcho: Connect = async (address) => {
  const connection = await connect({ servers: address })
  const waiting: Array<() => void> = []
  connection.subscribe("bench.back", { callback: () => waiting.shift()?.() })
  await connection.flush()
  const echo = (body: string): Promise<void> =>
    new Promise((resolve) => {
      waiting.push(resolve)
      connection.publish("bench.there", Buffer.from(body, "latin1"), { reply: "bench.back" })
    })
  const some = "x".repeat(256)
  return { put: (_key, body) => echo(body), get: () => echo(some), close: () => connection.close() }
}

export const sqlite: Program = {
  promise: "synced on one disk, all writes of a turn at once: no other process",
  start: async (directory) => ({
    ...none,
    address: madeFolder(directory, "alone"),
    stop: async () => undefined
  })
}

export const connectSqlite: Connect = async (directory) => {
  const database = new DatabaseSync(`${directory}/floor.db`)
  database.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
      + "CREATE TABLE documents(key TEXT PRIMARY KEY, body TEXT) WITHOUT ROWID"
  )
  const putting = database.prepare(
    "INSERT INTO documents VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET body = excluded.body"
  )
  const getting = database.prepare("SELECT body FROM documents WHERE key = ?")
  let group: Array<readonly [key: string, body: string, done: () => void]> = []
  const commit = (): void => {
    const committed = group
    group = []
    database.exec("BEGIN")
    for (const [key, body] of committed) putting.run(key, body)
    database.exec("COMMIT")
    for (const [, , done] of committed) done()
  }
  return {
    put: (key, body) =>
      new Promise<void>((resolve) => {
        if (group.push([key, body, resolve]) === 1) setImmediate(commit)
      }),
    get: async (key) => getting.get(key),
    close: async () => database.close()
  }
}
