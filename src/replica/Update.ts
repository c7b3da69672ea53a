/**
 * Describes the operations that a replica applies, the states that it joins, and the outcomes of
 * both.
 */
import type { CausalContext } from "../core/clock/CausalContext.ts"
import type { VersionVector } from "../core/clock/VersionVector.ts"
import type { Dot } from "../core/clock/Dot.ts"
import type { Document } from "../core/crdt/Document.ts"
import type { EncodedDocument } from "../core/crdt/DocumentCodec.ts"
import type { Excess } from "../core/crdt/DocumentSize.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import type { OperationId } from "../core/operations/OperationId.ts"
import type { Unchanged } from "../core/strategy/Strategy.ts"
import type { StorageFailure } from "../storage/Storage.ts"
import type { Call } from "./AppliedCalls.ts"
import type { Owed } from "./Hints.ts"
import type { TravellingEdit } from "./TravellingEdits.ts"

export type { Call } from "./AppliedCalls.ts"

export interface Update {
  readonly key: RowKey
  readonly calls: ReadonlyArray<Call>
  readonly seen: CausalContext | undefined
  /** The greatest stamp that the client has seen. */
  readonly stampSeen: number
  readonly id: OperationId | undefined
  /** Whether this replica acknowledges it before it is on disk: then readers see it at once. */
  readonly fromMemory?: boolean
  /** The nodes for which this replica keeps it; none where it keeps it for itself. */
  readonly owed?: Owed | undefined
}

export type Updated =
  /**
   * `isRetry`: the operation had been applied before; nothing was changed now. `dot` is the last
   * one that the operation made.
   */
  | {
    readonly _tag: "Updated"
    readonly dot: Dot
    readonly document: Document
    readonly encoded: EncodedDocument
    /** The change alone, or of a retry no change, where it travels in place of the document. */
    readonly edit: TravellingEdit | undefined
    readonly isRetry: boolean
  }
  /** Nothing was applied: too much waits for the disk already. */
  | { readonly _tag: "Unwritten"; readonly failure: StorageFailure }
  /** Nothing was applied: the document would become too large. */
  | { readonly _tag: "TooLarge"; readonly excess: Excess }
  | Unchanged

export type Joined =
  | { readonly _tag: "Joined" }
  /** Nothing was joined: this is all that is here, and less than the base of a change. */
  | { readonly _tag: "NeedsBase"; readonly context: VersionVector }
  | { readonly _tag: "Refused"; readonly reason: string }
