/**
 * Lists the options of a storage: its directory, its node, and its limits.
 */
import type { Runtime } from "../core/Runtime.ts"

/** Whose data a file holds. A file opened under another identity is refused. */
export interface StorageIdentity {
  readonly node: string
  readonly cluster: string
  readonly partitionCount: number
}

export interface StorageLimits {
  /** Changes in one group; a larger one makes every change in it wait longer for its sync. */
  readonly groupChangesMax: number
  readonly groupBytesMax: number
  /** With two, the thread commits one group while the next is collected. */
  readonly groupsInFlightMax: number
  /** Changes accepted and not committed; beyond it, and beyond the bytes, writes are refused. */
  readonly waitingChangesMax: number
  readonly waitingBytesMax: number
  /** The database file grows no further: `full`, as if the disk were. Its log is not counted. */
  readonly fileBytesMax: number
}

export const defaultLimits: StorageLimits = {
  groupChangesMax: 256,
  groupBytesMax: 4 * 2 ** 20,
  groupsInFlightMax: 2,
  waitingChangesMax: 16_384,
  waitingBytesMax: 64 * 2 ** 20,
  fileBytesMax: 2 ** 43
}

export interface StorageOptions {
  /** Made if it does not exist. One process at a time may use it. */
  readonly directory: string
  readonly identity: StorageIdentity
  /** Its ids name new directories. */
  readonly runtime: Pick<Runtime, "endOfTurn" | "id">
  readonly limits?: Partial<StorageLimits>
}
