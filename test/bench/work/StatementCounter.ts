/**
 * Counts the calls of SQLite in this thread, by wrapping `node:sqlite` before anybody opens a
 * database.
 */
import { DatabaseSync, StatementSync } from "node:sqlite"

export interface StatementCounts {
  readonly statements: number
  readonly commits: number
}

/** Transactions end by a prepared statement, or by one that is given as text. */
const isCommit = (sql: string): boolean => /^\s*COMMIT/iu.test(sql)

/** `call` is told the statement's text; it does not count what the wrapped method calls itself. */
const wrap = (on: object, method: string, call: (self: unknown, sql: unknown) => void): void => {
  const original: unknown = Reflect.get(on, method)
  if (typeof original !== "function") throw new Error(`node:sqlite has no ${method}`)
  Reflect.set(on, method, function counted(this: unknown, ...args: ReadonlyArray<unknown>) {
    call(this, args[0])
    return Reflect.apply(original, this, args)
  })
}

export const countStatements = (): () => StatementCounts => {
  let statements = 0
  let commits = 0
  const count = (sql: string): void => {
    statements++
    if (isCommit(sql)) commits++
  }
  for (const method of ["run", "get", "all", "iterate"]) {
    wrap(StatementSync.prototype, method, (self) => {
      if (self instanceof StatementSync) count(self.sourceSQL)
    })
  }
  wrap(DatabaseSync.prototype, "exec", (_self, sql) => count(String(sql)))
  return () => ({ statements, commits })
}
