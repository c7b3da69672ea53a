/**
 * Lists the options of a storage: its directory, its node, and its limits.
 */
import type { NodeLimits } from "../core/model/Limits.ts"
import type { Runtime } from "../core/Runtime.ts"

/** Whose data a file holds. A file opened under another identity is refused. */
export interface StorageIdentity {
  readonly node: string
  readonly cluster: string
  readonly partitionCount: number
}

export type StorageLimits = Pick<
  NodeLimits,
  | "groupChangesMax"
  | "groupBytesMax"
  | "groupsInFlightMax"
  | "waitingChangesMax"
  | "waitingBytesMax"
  | "storageBytesMax"
>

/** Those of the log, and of the fold from it into the tables. */
export type LogLimits = Pick<NodeLimits, "logBytesMax" | "logGrowthBytes" | "foldRowsMax">

/** Those of the memory that a thread takes. */
export type MemoryLimits = Pick<NodeLimits, "threadYoungBytesMax">

/** Those of a storage with a thread of its own. */
export type ThreadLimits =
  & StorageLimits
  & LogLimits
  & MemoryLimits
  & Pick<NodeLimits, "fileCheckMillis" | "groupBufferBytes">

export interface StorageOptions {
  /** Made if it does not exist. One process at a time may use it. */
  readonly directory: string
  readonly identity: StorageIdentity
  /** Its ids name new directories. */
  readonly runtime: Pick<Runtime, "endOfTurn" | "id">
  /** Those of a local network unless others are given. */
  readonly limits?: Partial<ThreadLimits>
}

/** Of a storage with a thread of its own. */
export interface WorkerOptions extends StorageOptions {
  /** Its time tells how often threads died. */
  readonly runtime: Pick<Runtime, "elapsed" | "endOfTurn" | "id">
}
