/**
 * Gives the buckets under faults one face: write a token, read the document, judge it.
 */
import { connect, type Db, type ReadOptions, type WriteOptions } from "../../src/index.ts"
import { Counts, Last, Merged, Sets } from "./everwrite.config.ts"
import { type Account, judgeAll, judgeCount, judgeLast, type Verdict } from "./ledger.ts"

export const buckets = { last: Last, counts: Counts, sets: Sets, merged: Merged }
export type ChaosDb = Db<typeof buckets>

export const connectTo = (servers: ReadonlyArray<string>, cluster: string): Promise<ChaosDb> =>
  connect(buckets, { servers: [...servers], cluster, wait: "1 minute" })

export interface Family {
  readonly bucket: string
  readonly write: (
    db: ChaosDb,
    key: string,
    token: string,
    options: WriteOptions
  ) => Promise<unknown>
  /** Reads, and says how to judge the value by an account. */
  readonly read: (
    db: ChaosDb,
    key: string,
    options: ReadOptions
  ) => Promise<(account: Account) => Verdict>
}

const last: Family = {
  bucket: Last.name,
  write: ({ last }, key, token, options) => last.put(key, token, options),
  read: async ({ last }, key, options) => {
    const value = await last.get(key, options)
    return (account) => judgeLast(account, value)
  }
}

const counts: Family = {
  bucket: Counts.name,
  write: ({ counts }, key, _token, options) => counts.add(key, 1, options),
  read: async ({ counts }, key, options) => {
    const value = await counts.get(key, options) ?? 0
    return (account) => judgeCount(account, value)
  }
}

const sets: Family = {
  bucket: Sets.name,
  write: ({ sets }, key, token, options) => sets.add(key, token, options),
  read: async ({ sets }, key, options) => {
    const value = new Set(await sets.get(key, options))
    return (account) => judgeAll(account, value)
  }
}

const merged: Family = {
  bucket: Merged.name,
  write: ({ merged }, key, token, options) =>
    merged.update(key, (tokens = []) => [...tokens, token], options),
  read: async ({ merged }, key, options) => {
    const value = new Set(await merged.get(key, options))
    return (account) => judgeAll(account, value)
  }
}

export const families: ReadonlyArray<Family> = [last, counts, sets, merged]
