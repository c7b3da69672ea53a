/**
 * Takes one replica's documents to the disk, and says which version of each readers may be shown.
 *
 * When a commit fails, storage hides all that was under way, and documents made from it may have
 * been sent: the replica is told once for each write that failed, before the write's own caller.
 */
import type { Incarnation } from "../core/model/Incarnation.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type {
  Change,
  OnCommit,
  Row,
  RowKey,
  StorageFailure,
  StorageService
} from "../storage/Storage.ts"
import { DiskBreaker } from "./DiskBreaker.ts"
import type { Noted } from "./OperationIndex.ts"
import type { FoundDocument, LocalRead } from "./LocalDocument.ts"
import { MendedDocuments } from "./MendedDocuments.ts"
import { type CommitUnderWay, type ShownLimits, ShownVersions } from "./ShownVersions.ts"
import { VersionIndex, type VersionLimits } from "./VersionIndex.ts"

export type CommitLimits =
  & ShownLimits
  & VersionLimits
  & Pick<NodeLimits, "diskRetryMillis" | "mendedDocumentsMax">

/** A document on its way to the disk. */
export interface DocumentCommit {
  readonly key: RowKey
  /** The incarnation under which the write is made. */
  readonly incarnation: Incarnation
  readonly before: LocalRead
  readonly newest: FoundDocument
  /** Whether it is acknowledged before it is on disk: then readers see it at once. */
  readonly fromMemory: boolean | undefined
  readonly change: Omit<Change, "key"> & {
    /** Whether all elements that are there go first. */
    readonly dropsElements: boolean
  }
  /** Kept in the same batch. */
  readonly rows: ReadonlyArray<Row>
  /** The operation that is new here with this write; its rows are among `rows`. */
  readonly noted: Noted | undefined
}

export class Commits {
  readonly shown: ShownVersions
  /** The documents for which this replica is incomplete. */
  readonly mended: MendedDocuments
  /** The hashes of the newest versions. */
  readonly versions: VersionIndex
  readonly #runtime: Runtime
  readonly #storage: StorageService
  readonly #breaker: DiskBreaker
  readonly #failed: (incarnation: Incarnation) => void

  constructor(options: {
    readonly runtime: Runtime
    readonly storage: StorageService
    readonly limits: CommitLimits
    /** Told of each write whose commit failed, before its caller, with its incarnation. */
    readonly failed: (incarnation: Incarnation) => void
    /** Told of each partition in which the disk has changed rows. */
    readonly rowsChanged: (partition: number) => void
  }) {
    this.#failed = options.failed
    this.shown = new ShownVersions(options)
    this.mended = new MendedDocuments(options.storage, options.limits)
    this.versions = new VersionIndex(options)
    this.#runtime = options.runtime
    this.#storage = options.storage
    this.#breaker = new DiskBreaker(options)
  }

  /** Whether writes are worth trying. */
  get isDue(): boolean {
    return this.#breaker.isDue
  }

  /** `onCommit` is not called where the write is refused at once. */
  write(
    { before, change, fromMemory, incarnation, key, newest, noted, rows }: DocumentCommit,
    onCommit: OnCommit
  ): StorageFailure | undefined {
    this.#breaker.begin()
    // The rest of a damaged row is removed, or its elements would be counted with the new ones.
    const { dropsElements, elementCount, elements, header } = change
    const written = { key, header, elements, elementCount }
    const isMended = before._tag === "Damaged"
    const documents = dropsElements || isMended ? [removalOf(key), written] : [written]
    const all = isMended ? [...rows, this.mended.add(key)] : rows
    let refusal: StorageFailure | undefined
    let commit: CommitUnderWay | undefined
    const sequences = this.#storage.write({ documents, rows: all }, (failure) => {
      if (failure !== undefined) noted?.failed()
      if (failure !== undefined && commit !== undefined) this.versions.forget(key.partition)
      // Before the call returns this means that nothing was accepted, and so nothing is lost.
      if (commit === undefined) {
        refusal = failure
        return
      }
      if (failure === undefined) this.#committed(commit)
      else this.#lost(failure, { failures: commit.failures, incarnation })
      onCommit(failure)
    })
    if (refusal !== undefined) return refusal
    noted?.accepted(sequences)
    if (isMended) this.versions.forget(key.partition, true)
    else this.versions.changed(key, digestOf(before), newest.digest)
    commit = this.shown.begin(key, before, newest)
    if (fromMemory === true) this.shown.acknowledge(key, newest)
    return undefined
  }

  /** Writes rows, and removes a document where there is one. */
  remove(
    { before, incarnation, key, rows }:
      & Pick<DocumentCommit, "before" | "incarnation" | "rows">
      & { readonly key: RowKey | undefined },
    onCommit: OnCommit
  ): void {
    this.#breaker.begin()
    const { failures } = this.shown
    let commit: CommitUnderWay | undefined
    const documents = key === undefined ? [] : [removalOf(key)]
    let isAccepted: boolean | undefined
    this.#storage.write({ documents, rows }, (failure) => {
      if (failure !== undefined && key !== undefined) this.versions.forget(key.partition)
      if (isAccepted === undefined) isAccepted = false
      else if (failure !== undefined) this.#lost(failure, { failures, incarnation })
      else if (commit === undefined) this.#breaker.end(undefined)
      else this.#committed(commit)
      onCommit(failure)
    })
    isAccepted ??= true
    if (isAccepted && key !== undefined) {
      commit = this.shown.begin(key, before, { _tag: "Absent" })
      this.versions.changed(key, digestOf(before), undefined)
    }
  }

  /**
   * A document that was left unchanged may still be on its way to the disk. The barrier is set now:
   * by the end of the turn its commit may have failed, and no write would wait any more.
   */
  await(incarnation: Incarnation, onCommit: OnCommit): void {
    const { failures } = this.shown
    let isNow = true
    this.#storage.barrier((failure) => {
      if (isNow) return this.#runtime.endOfTurn(() => onCommit(failure))
      // A group failed: all its writes are hidden now, whichever callback runs first.
      if (failure !== undefined) this.#lost(failure, { failures, incarnation })
      onCommit(failure)
    })
    isNow = false
  }

  #committed(commit: CommitUnderWay): void {
    this.#breaker.end(undefined)
    this.shown.committed(commit)
  }

  /** A failure ends all that was under way when it came. `failures`: those before the write. */
  #lost(
    failure: StorageFailure,
    { failures, incarnation }: {
      readonly failures: number
      readonly incarnation: Incarnation
    }
  ): void {
    this.#breaker.end(failure)
    this.#failed(incarnation)
    this.shown.failed(failures)
  }
}

const digestOf = (local: LocalRead): string | undefined =>
  local._tag === "Found" ? local.digest : undefined

const removalOf = (key: RowKey): Change => ({
  key,
  header: undefined,
  elements: [],
  elementCount: 0
})
