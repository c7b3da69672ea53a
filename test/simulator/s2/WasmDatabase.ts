/**
 * Opens a `TornDisk`'s database with the calls of `node:sqlite` that the product uses, so that its
 * tables, commits and reads run here as they are.
 */
import init, {
  type Database as Connection,
  type PreparedStatement,
  type SqlValue
} from "@sqlite.org/sqlite-wasm"
import type { SQLInputValue, SQLOutputValue } from "node:sqlite"
import type { Database, Statement } from "../../../src/storage/Database.ts"
import type { SeededRandom } from "../../../src/testing/simulator/SeededRandom.ts"
import { SqliteVfs } from "./SqliteVfs.ts"
import type { TornDisk } from "./TornDisk.ts"

/** Loaded before any run, which can then be synchronous. */
const sqlite = await init()
const vfs = new SqliteVfs(sqlite)
// SQLite's errors are thrown; they need not be printed too.
sqlite.config.warn = () => {}

/** As `StoreDirectory` names it. */
export const databaseName = "store.sqlite"

type Row = Record<string, SQLOutputValue>

export const sqliteVersion = sqlite.version.libVersion

/** Throws as `node:sqlite` does: an error that bears SQLite's code. */
const attempt = <A>(act: () => A): A => {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof sqlite.SQLite3Error)) throw error
    throw Object.assign(new Error(error.message), { errcode: error.resultCode })
  }
}

const input = (value: SQLInputValue): SqlValue =>
  ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : value

const output = (value: SqlValue): SQLOutputValue =>
  typeof value === "object" && value !== null ? new Uint8Array(value) : value

class WasmStatement implements Statement {
  readonly #statement: PreparedStatement
  #asArrays = false

  constructor(statement: PreparedStatement) {
    this.#statement = statement
  }

  /** Rows are then keyed by number of column. */
  setReturnArrays(enabled: boolean): void {
    this.#asArrays = enabled
  }

  run(...values: Array<SQLInputValue>): void {
    this.all(...values)
  }

  get(...values: Array<SQLInputValue>): Row | undefined {
    return this.all(...values)[0]
  }

  all(...values: Array<SQLInputValue>): ReadonlyArray<Row> {
    return attempt(() => {
      const statement = this.#statement
      for (const [index, value] of values.entries()) statement.bind(index + 1, input(value))
      const rows: Array<Row> = []
      try {
        while (statement.step()) rows.push(this.#row())
      } finally {
        statement.reset()
      }
      return rows
    })
  }

  finalize(): void {
    this.#statement.finalize()
  }

  #row(): Row {
    return Object.fromEntries(
      this.#statement.get([]).map((value, column) => {
        const name = this.#asArrays ? String(column) : this.#statement.getColumnName(column)
        return [name, output(value)]
      })
    )
  }
}

export class WasmDatabase implements Database {
  readonly #path: string
  readonly #connection: Connection
  /** The package's own `close` leaves them open, and SQLite the database with them. */
  readonly #statements: Array<WasmStatement> = []

  /** Throws SQLite's message, with its code. */
  constructor(disk: TornDisk, random: SeededRandom) {
    this.#path = vfs.mount(disk, random)
    try {
      const filename = `${this.#path}/${databaseName}`
      this.#connection = attempt(() => new sqlite.oo1.DB({ filename, flags: "w" }))
    } catch (error) {
      vfs.unmount(this.#path)
      throw error
    }
  }

  get isTransaction(): boolean {
    const { pointer } = this.#connection
    return pointer !== undefined && sqlite.capi.sqlite3_get_autocommit(pointer) === 0
  }

  location(): string {
    return `${this.#path}/${databaseName}`
  }

  exec(sql: string): void {
    attempt(() => this.#connection.exec(sql))
  }

  prepare(sql: string): WasmStatement {
    const statement = new WasmStatement(attempt(() => this.#connection.prepare(sql)))
    this.#statements.push(statement)
    return statement
  }

  /** As a process does in the end; of a dead process, only SQLite's memory. */
  close(): void {
    for (const statement of this.#statements.splice(0)) statement.finalize()
    this.#connection.close()
    vfs.unmount(this.#path)
  }
}
