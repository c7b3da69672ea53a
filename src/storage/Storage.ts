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
}

/**
 * What one write does to one document. All of it is committed, or none. Its bytes are the
 * storage's from then on: nobody may change them.
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

export const StorageFailureKind = Schema.Literals(["full", "failing", "overloaded", "closed"])
export type StorageFailureKind = typeof StorageFailureKind.Type

/**
 * Why a write was not stored. `full` (no space), `failing` (any other disk error) and
 * `overloaded` (too much waits already) may be retried; `closed` ends with the process.
 */
export interface StorageFailure {
  readonly kind: StorageFailureKind
  readonly detail: string
}

/** Called once for each write: nothing when it is committed and synced, else why not. */
export type Committed = (failure: StorageFailure | undefined) => void

/** What is found under a key. Damage (checksum, missing element) counts as missing. */
export type ReadResult =
  | { readonly _tag: "Found"; readonly document: StoredDocument }
  | { readonly _tag: "Absent" }
  | { readonly _tag: "Damaged"; readonly detail: string }

/** Counted since the start. */
export interface StorageStats {
  /** Groups and changes committed. */
  readonly groups: number
  readonly changes: number
  /** Commits that failed. */
  readonly failures: number
  /** Changes and facts accepted and not yet committed. */
  readonly waiting: number
  /** Reads that found damage. */
  readonly damaged: number
}

/** The keys could not be listed: a shorter list would pass for the whole. */
export class ScanFailed extends Error {
  override readonly name = "ScanFailed"
}

export interface StorageService {
  readonly read: (key: RowKey) => ReadResult
  /**
   * Accepts a change; it is visible to `read` at once. `done` may be called before `write`
   * returns only where nothing was accepted. When a group fails, every change accepted and not
   * yet committed fails with it and stops being visible: a change may rest on an earlier one.
   */
  readonly write: (change: Change, done: Committed) => void
  /**
   * As `write`, for changes that belong together (a document and its hint; the removal of a damaged
   * document and its repair): all of them are committed, or none.
   */
  readonly writeAll: (changes: ReadonlyArray<Change>, done: Committed) => void
  /** Calls back once every write accepted before it is committed; at once where none waits. */
  readonly barrier: (done: Committed) => void
  /**
   * Keys of one partition after `after` (exclusive), damaged documents' too, in order of their
   * UTF-8 bytes; for handoff and repair. Throws `ScanFailed` where the disk cannot tell.
   */
  readonly scan: (
    options: {
      readonly partition: number
      readonly after: RowKey | undefined
      readonly limit: number
    }
  ) => ReadonlyArray<RowKey>
  /**
   * Small facts about this node (its incarnation, ...), group-committed like documents. A damaged
   * one counts as missing.
   */
  readonly readFact: (name: string) => string | undefined
  readonly writeFact: (name: string, value: string, done: Committed) => void
  /** Whether the last commit attempt succeeded; false while the disk is full or failing. */
  readonly healthy: () => boolean
  readonly stats: () => StorageStats
}

export class Storage
  extends Context.Service<Storage, StorageService>()("everwrite/storage/Storage")
{}

/** The storage could not be opened: what was wrong with which file. */
export class StorageUnavailable extends Schema.TaggedError<StorageUnavailable>()(
  "StorageUnavailable",
  { path: Schema.String, reason: Schema.String }
) {
  override get message(): string {
    return `no storage at ${this.path}: ${this.reason}`
  }
}
