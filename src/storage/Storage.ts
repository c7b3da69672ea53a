/**
 * Keeps this node's share of the data. Reads are immediate and see every write accepted so far,
 * committed or not; writes are gathered into groups and each group is one synced transaction.
 *
 * The room stores bytes and knows no strategy. Calls are plain and answers are callbacks, because
 * this is the hot path; the Effect layers build and close implementations, nothing more.
 */
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import type { RowKey } from "../core/model/RowKey.ts"

export type { RowKey }

/** A document as the replica encoded it: a header, and a row for each element. */
export interface StoredDocument {
  readonly header: Uint8Array
  /** In order of path, an encoding without U+0000; empty where the type has no elements. */
  readonly elements: ReadonlyMap<string, Uint8Array>
  /** Of its last change; 0 where a file of format 1 had it. */
  readonly sequence: number
}

/**
 * The change of one document by one write. Its bytes are the storage's from then on: no caller may
 * change them.
 */
export interface Change {
  readonly key: RowKey
  /** The new header; absent removes the document with all its elements. */
  readonly header: Uint8Array | undefined
  /** Changed elements only; absent bytes remove the element. */
  readonly elements: ReadonlyArray<readonly [path: string, bytes: Uint8Array | undefined]>
  /** Elements the document has after this change; fewer found on reading means damage. */
  readonly elementCount: number
}

/**
 * The families of rows beside documents and their elements, each with the fields of its keys. Rows
 * are ordered by family, then field by field: text by its UTF-8 bytes, numbers by size. Text holds
 * no U+0000; numbers are integers from 0.
 */
export interface FamilyKeys {
  /** A document kept for another node, in order of arrival. */
  readonly hint: readonly [target: string, arrival: number]
  /** Says which context a document has, at the position of the document's hash. */
  readonly leaf: readonly [partition: number, position: number]
  /** A document under the value of one of its fields. */
  readonly index: readonly [
    index: string,
    value: string,
    partition: number,
    partitionKey: string,
    sortKey: string
  ]
  /**
   * The id of an operation, in order of arrival: from the sequence number of its change on. Rows of
   * earlier programs have partition and sequence number, and lie before these.
   */
  readonly operation: readonly [number: number, partition: number]
  /** The node's data about itself. */
  readonly metadata: readonly [name: string]
}

export type Family = keyof FamilyKeys

type RowUnder<Key extends Record<Family, unknown>> = {
  readonly [F in Family]: {
    readonly family: F
    readonly key: Key[F]
    /** Absent bytes remove the row. */
    readonly bytes: Uint8Array | undefined
  }
}[Family]

/** A row to be written under a key that is known. */
export type KeyedRow = RowUnder<FamilyKeys>

/** Makes the key of a row of the numbers of its batch's changes, in their order. */
type KeyOfSequences = {
  readonly [F in Family]: (sequences: ReadonlyArray<number>) => FamilyKeys[F]
}

/** A row to be written; its key may need the sequence number of a change of the same batch. */
export type Row = KeyedRow | RowUnder<KeyOfSequences>

/** Changes of documents and rows of any family that belong together: all is kept, or nothing. */
export interface Batch {
  readonly documents: ReadonlyArray<Change>
  readonly rows: ReadonlyArray<Row>
}

export const StorageFailureKind = Schema.Literals(["full", "failing", "overloaded", "closed"])
export type StorageFailureKind = typeof StorageFailureKind.Type

/**
 * Why a write was not stored. `full` (no space), `failing` (any other disk error) and
 * `overloaded` (too much waits already) may be retried; `closed` ends with the process, or
 * once another storage thread has taken the place of one that died.
 */
export interface StorageFailure {
  readonly kind: StorageFailureKind
  readonly detail: string
  /** Whether it ends with no retry: the store lost data, or cannot read all that it has. */
  readonly isLasting?: boolean
  /** Whether another storage thread is being started, after which a retry may succeed. */
  readonly isRestarting?: true
}

/** Called once for each write: nothing when it is committed and synced, else why not. */
export type OnCommit = (failure: StorageFailure | undefined) => void

interface Damaged {
  readonly _tag: "Damaged"
  readonly detail: string
  /** The disk did not tell it, and may the next time: it is not known to have changed it. */
  readonly isUnread?: true
}

/** Nothing is stored, or the disk changed it, which counts as missing. */
export type Missing = { readonly _tag: "Absent" } | Damaged

/** The result of reading a document. A missing element damages the whole document. */
export type ReadResult = { readonly _tag: "Found"; readonly document: StoredDocument } | Missing

/** The result of reading a document's header. */
export type HeaderResult =
  | { readonly _tag: "Found"; readonly document: Omit<StoredDocument, "elements"> }
  | Missing

/** The result of reading a row of another family. */
export type RowResult = { readonly _tag: "Found"; readonly bytes: Uint8Array } | Missing

export interface ScannedRow<F extends Family> {
  readonly key: FamilyKeys[F]
  /** Absent where the row is damaged. */
  readonly bytes: Uint8Array | undefined
}

/** Counted since the start. */
export interface StorageStats {
  /** Groups and changes of documents committed. */
  readonly groups: number
  readonly changes: number
  /** Bytes of those changes, and of rows: of keys and content, and 64 for each row. */
  readonly bytes: number
  /** Commits that failed. */
  readonly failures: number
  /** Changes and rows accepted and not yet committed. */
  readonly waiting: number
  /** Bytes in memory that are committed and not folded, and the changes of documents in them. */
  readonly unfoldedBytes: number
  readonly unfoldedChanges: number
  /** Bytes of the log's records that are not folded. */
  readonly logBytes: number
  /** Slices of folds. */
  readonly foldSlices: number
  /** Reads that found damage. */
  readonly damaged: number
}

/** As the thread that commits counts. */
export type LogStats = Pick<StorageStats, "logBytes" | "foldSlices">

/** The keys could not be listed: a shorter list would pass for the whole. */
export class ScanFailed extends Error {
  override readonly name = "ScanFailed"
}

export interface StorageService {
  /**
   * Names the directory since it was made. With an incarnation and a sequence number it is a
   * position, at which a reader of changes goes on.
   */
  readonly storeId: string
  /**
   * The changes of documents that this directory has committed since it was made, as far as it
   * knows: less than before where it lost the end of its log.
   */
  readonly committedChanges: () => number
  readonly read: (key: RowKey) => ReadResult
  /** The header of a document alone: its elements are not read, and may be damaged. */
  readonly readHeader: (key: RowKey) => HeaderResult
  readonly readRow: <F extends Family>(family: F, key: FamilyKeys[F]) => RowResult
  /**
   * Accepts a batch, which is visible to readers at once; all of it is committed, or none. When a
   * group fails, every batch accepted and not yet committed fails with it and stops being visible:
   * a batch may rest on an earlier one. `done` may be called before `write` returns only where
   * nothing was accepted.
   *
   * **Guarantees** the sequence numbers of the batch's changes, in their order; none where it was
   * not accepted. They ascend in each partition, and this store never gives one again: not when the
   * group fails, and not after a crash.
   */
  readonly write: (batch: Batch, done: OnCommit) => ReadonlyArray<number>
  /** Calls back once every write accepted before it is committed; at once where none waits. */
  readonly barrier: (done: OnCommit) => void
  /**
   * Keys of one partition's documents after `after` (exclusive), damaged documents' too, in order
   * of their UTF-8 bytes; for handoff and repair. Throws `ScanFailed` where the disk cannot tell.
   */
  readonly scan: (
    options: {
      readonly partition: number
      readonly after: RowKey | undefined
      readonly limit: number
    }
  ) => ReadonlyArray<RowKey>
  /**
   * Rows of a family in order, damaged ones too, after `after` (exclusive), whose keys begin with
   * the fields of `under`. Throws `ScanFailed` where the disk cannot tell.
   */
  readonly scanRows: <F extends Family>(
    options: {
      readonly family: F
      readonly under: ReadonlyArray<string | number>
      readonly after: FamilyKeys[F] | undefined
      readonly limit: number
    }
  ) => ReadonlyArray<ScannedRow<F>>
  /** Whether the last commit attempt succeeded; false while the disk is full or failing. */
  readonly healthy: () => boolean
  /**
   * Why this store takes no writes any more until the node starts again on a mended or an empty
   * directory; undefined while it may. Absent where no disk can fail so.
   */
  readonly fault?: () => string | undefined
  /**
   * Why writes are refused, or why the last ones were not stored; undefined while they are. Left
   * out where `healthy` says all that is known.
   */
  readonly trouble?: () => StorageFailure | undefined
  readonly stats: () => StorageStats
}

export class Storage
  extends Context.Service<Storage, StorageService>()("everwrite/storage/Storage")
{}

/** The storage could not be opened: the file, and the problem. */
export class StorageUnavailable extends Schema.TaggedError<StorageUnavailable>()(
  "StorageUnavailable",
  {
    path: Schema.String,
    reason: Schema.String,
    /** An operator's way to mend it; absent where it may pass by itself. */
    remedy: Schema.optionalKey(Schema.String)
  }
) {
  override get message(): string {
    const { path, reason, remedy } = this
    return `no storage at ${path}: ${reason}${remedy === undefined ? "" : `; ${remedy}`}`
  }
}
