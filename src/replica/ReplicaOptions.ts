/**
 * Says with which parts and limits a replica is made.
 */
import type { GrowthLimits } from "../core/crdt/DocumentSize.ts"
import type { HandoffLimits } from "../core/model/HandoffLimits.ts"
import type { Incarnation } from "../core/model/Incarnation.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { RowKey, StorageService } from "../storage/Storage.ts"
import type { CommitLimits } from "./Commits.ts"
import type { TravelLimits } from "./TravellingEdits.ts"

export interface ReplicaOptions {
  readonly runtime: Runtime
  readonly storage: StorageService
  readonly node: NodeId
  /** Drawn for this start, and already on disk. */
  readonly incarnation: Incarnation
  /** The time to stamp writes with, in milliseconds. */
  readonly stampMillis: () => number
  /** Called for each dot of a document that had another content at another replica. */
  readonly onConflict?: ((key: RowKey) => void) | undefined
  readonly limits:
    & CommitLimits
    & GrowthLimits
    & Pick<
      NodeLimits,
      "cacheBytesMax" | "counterUpdatesMax" | "lastIssuedDotsMax" | "operationIdsMax"
    >
    & TravelLimits
    & Pick<HandoffLimits, "hintBytesMax">
}
