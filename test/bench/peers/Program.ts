/**
 * Says how the benchmark runs a program that it compares, and what a client of it can do. Clients
 * live in load generators, programs beside them, each in processes of its own.
 */

/** Removes what a program has started. */
export interface Started {
  /** By which a load generator finds it. */
  readonly address: string
  /** The processes of its nodes, without brokers; `kill` and `restart` count as these do. */
  readonly pids: () => ReadonlyArray<number>
  readonly kill: (node: number) => Promise<void>
  readonly restart: (node: number) => Promise<void>
  /** Where its nodes speak HTTP, if they do. */
  readonly urls?: ReadonlyArray<string>
  /** Bytes that its nodes have sent and committed so far, where it counts them. */
  readonly bytes?: () => Promise<Bytes>
  readonly stop: () => Promise<void>
}

export interface Bytes {
  readonly wire: number
  readonly disk: number
}

export interface Program {
  /** What it promises of the disk, and of reads, where it says that a write is done. */
  readonly promise: string
  /** Why it cannot run here, with the command that mends it. */
  readonly missing?: string
  readonly start: (directory: string) => Promise<Started>
}

/** The size of one of the sets, by its number of elements. */
export type SetSize = number

export interface Client {
  readonly put: (key: string, body: string) => Promise<unknown>
  readonly get: (key: string) => Promise<unknown>
  /** Reads, changes and writes back; a client that has seen another's change does so again. */
  readonly update?: (key: string, change: (text: string) => string) => Promise<unknown>
  /** Absent where a value is all that it has: then `update` counts, and adds. */
  readonly increment?: (key: string) => Promise<unknown>
  readonly addToCart?: (cart: string, item: string) => Promise<unknown>
  readonly add?: (set: string, elements: ReadonlyArray<string>) => Promise<unknown>
  readonly addToTally?: (tally: string, counters: ReadonlyArray<string>) => Promise<unknown>
  readonly close: () => Promise<void>
}

export type Connect = (address: string) => Promise<Client>
