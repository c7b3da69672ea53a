/**
 * Says what a write makes of a document.
 */
import type { Document } from "../core/crdt/Document.ts"
import type { EncodedDocument } from "../core/crdt/DocumentCodec.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import type { Owed } from "./Hints.ts"
import type { AppliedOperation } from "./OperationRow.ts"

export interface Written {
  readonly key: RowKey
  readonly before: Document
  readonly after: Document
  readonly encoded: EncodedDocument
  readonly own: string
  readonly fromMemory: boolean | undefined
  /** The operation that is new here with this write. */
  readonly operation: AppliedOperation | undefined
  /** The nodes for which it is kept here; none where it is this replica's own. */
  readonly owed: Owed | undefined
}
