/**
 * Numbers and gathers accepted batches into groups, gives these to be committed, and tells callers.
 *
 * A batch may rest on one accepted before it. So groups are committed in order, and when one fails
 * everything accepted and not yet committed fails and is hidden with it: the visible state is
 * always that of the disk, and a suffix of later batches that may still reach it.
 *
 * This is group commit (DeWitt et al., SIGMOD 1984): the sync of one log write is shared.
 */
import type { Runtime } from "../core/Runtime.ts"
import { acceptBatch, type AcceptedBatch, bytesOf, sizeOf } from "./AcceptedBatch.ts"
import { PendingWrites } from "./PendingWrites.ts"
import { SequenceNumbers } from "./SequenceNumbers.ts"
import type { Batch, OnCommit, StorageFailure, StorageStats } from "./Storage.ts"
import type { StorageLimits } from "./StorageOptions.ts"
import type { UnfoldedWrites } from "./UnfoldedWrites.ts"

interface Write extends AcceptedBatch {
  readonly bytes: number
  readonly done: OnCommit
}

export interface Group {
  /** Ascending: the commit of a group says that those before it are committed too. */
  readonly id: number
  /** Grows at each failure, so that a thread can tell the groups that the failure includes. */
  readonly attempt: number
  /** Of all its rows, roughly. */
  readonly bytes: number
  readonly writes: ReadonlyArray<Write>
}

/** The failure of a store with a page that no read can read. */
export const badPage = (detail: string): StorageFailure => ({
  kind: "failing",
  detail: `a page of the file is bad: ${detail}`,
  isLasting: true
})

const barrier: Batch = { documents: [], rows: [] }

export class CommitQueue {
  readonly pending = new PendingWrites()
  readonly #runtime: Pick<Runtime, "endOfTurn">
  readonly #limits: StorageLimits
  readonly #commit: (group: Group) => void
  readonly #numbers: SequenceNumbers
  readonly #unfolded: UnfoldedWrites | undefined
  #gathered: Array<Write> = []
  #inFlight: Array<Group> = []
  #waitingChanges = 0
  #waitingBytes = 0
  #lastId = 0
  #attempt = 0
  #scheduled = false
  #refusal: StorageFailure | undefined
  #fault: StorageFailure | undefined
  /** Of the last group that was not committed; undefined since one was. */
  #lastFailure: StorageFailure | undefined
  #whenIdle: (() => void) | undefined
  #healthy = true
  #groups = 0
  #changes = 0
  #bytes = 0
  #failures = 0

  /** `commit` starts the commit of a group; `committed` or `failed` is its answer, in order. */
  constructor(
    options: {
      readonly runtime: Pick<Runtime, "endOfTurn">
      readonly limits: StorageLimits
      /** Of the store; its sequence numbers begin with it. */
      readonly epoch: number
      readonly commit: (group: Group) => void
      /** Takes over what is committed; left out where the commit does so. */
      readonly unfolded?: UnfoldedWrites
    }
  ) {
    this.#runtime = options.runtime
    this.#limits = options.limits
    this.#commit = options.commit
    this.#unfolded = options.unfolded
    this.#numbers = new SequenceNumbers(options.epoch)
  }

  get healthy(): boolean {
    return this.#healthy
  }

  get isIdle(): boolean {
    return this.#inFlight.length + this.#gathered.length === 0
  }

  /** Changes committed since the opening. */
  get changes(): number {
    return this.#changes
  }

  get stats(): Pick<StorageStats, "groups" | "changes" | "bytes" | "failures" | "waiting"> {
    return {
      groups: this.#groups,
      changes: this.#changes,
      bytes: this.#bytes,
      failures: this.#failures,
      waiting: this.#waitingChanges
    }
  }

  /** Why nothing is taken any more until another start; undefined while it may be. */
  get fault(): StorageFailure | undefined {
    return this.#fault
  }

  /** Why writes are refused, or are likely to be; undefined while they are committed. */
  get trouble(): StorageFailure | undefined {
    return this.#fault ?? this.#refusal ?? this.#lastFailure
  }

  /** Takes nothing more until another start; what waits may still be committed. */
  breakDown(failure: StorageFailure): void {
    this.#fault ??= failure
    this.#refusal ??= failure
    this.#healthy = false
  }

  /** Answers after all before it. */
  barrier(done: OnCommit): void {
    if (this.#fault !== undefined) done(this.#fault)
    else if (this.isIdle) done(undefined)
    else this.write(barrier, done)
  }

  /** The sequence numbers of the batch's changes; none where it is refused. */
  write(batch: Batch, done: OnCommit): ReadonlyArray<number> {
    const bytes = bytesOf(batch)
    const count = sizeOf(batch)
    const refusal = this.#refusal ?? this.#overload({ count, bytes })
    if (refusal !== undefined) {
      done(refusal)
      return []
    }
    const sequences = this.#numbers.nextOf(batch.documents)
    const { documents, rows } = acceptBatch(batch, sequences)
    const write = { documents, rows, bytes, done }
    this.pending.accept(write)
    this.#waitingChanges += count
    this.#waitingBytes += bytes
    this.#gathered.push(write)
    this.#schedule()
    return sequences
  }

  #overload(added: { readonly count: number; readonly bytes: number }): StorageFailure | undefined {
    const fits = this.#waitingChanges + added.count <= this.#limits.waitingChangesMax
      && this.#waitingBytes + added.bytes <= this.#limits.waitingBytesMax
    // A batch larger than the limit is taken alone.
    if (fits || this.#waitingChanges === 0) return undefined
    const detail = `${this.#waitingChanges} changes of ${this.#waitingBytes} bytes wait already`
    return { kind: "overloaded", detail }
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#runtime.endOfTurn(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    this.#scheduled = false
    this.#send()
  }

  #send(): void {
    // Writes of callers while a group is committed on this thread go with the next turn.
    let due = this.#gathered.length
    while (
      due > 0 && this.#gathered.length > 0
      && this.#inFlight.length < this.#limits.groupsInFlightMax
    ) {
      const writes = this.#takeGroup()
      due -= writes.length
      const bytes = writes.reduce((sum, write) => sum + write.bytes, 0)
      const group = { id: ++this.#lastId, attempt: this.#attempt, bytes, writes }
      this.#inFlight.push(group)
      this.#commit(group)
    }
  }

  #takeGroup(): ReadonlyArray<Write> {
    let taken = 0
    let changes = 0
    let bytes = 0
    for (const write of this.#gathered) {
      changes += sizeOf(write)
      bytes += write.bytes
      const full = changes > this.#limits.groupChangesMax || bytes > this.#limits.groupBytesMax
      if (full && taken > 0) break
      taken++
    }
    return this.#gathered.splice(0, taken)
  }

  /**
   * Group `id`, and those before it, are committed and synced. `isFolded`: with all that was
   * committed before them they are in the tables already.
   */
  committed(id: number, isFolded = false): void {
    const count = this.#inFlight.findLastIndex((group) => group.id <= id) + 1
    const writes = this.#inFlight.splice(0, count).flatMap((group) => group.writes)
    if (isFolded) this.#unfolded?.clear()
    for (const write of writes) {
      this.pending.forget(write)
      if (!isFolded) this.#unfolded?.add(write, write.bytes)
      this.#waitingChanges -= sizeOf(write)
      this.#waitingBytes -= write.bytes
      this.#changes += write.documents.length
      this.#bytes += write.bytes
    }
    this.#groups += count
    this.#healthy = this.#fault === undefined
    this.#lastFailure = undefined
    for (const { done } of writes) done(undefined)
    if (this.#gathered.length > 0) this.#schedule()
    this.#endIfIdle()
  }

  /** What is committed cannot be folded: the next commits may fail, or make room. */
  troubled(failure: StorageFailure): void {
    if (failure.isLasting === true) this.breakDown(failure)
    this.#healthy = false
    this.#lastFailure = failure
  }

  /** A group was not committed: neither it nor anything after it is kept. */
  failed(failure: StorageFailure): void {
    if (failure.isLasting === true) this.breakDown(failure)
    const writes = this.#forgetWaiting()
    this.#healthy = false
    this.#lastFailure = failure
    this.#failures++
    for (const { done } of writes) done(failure)
    this.#endIfIdle()
  }

  /** Refuses further writes; calls `idle` once nothing waits. */
  close(idle: () => void): void {
    this.#refusal = { kind: "closed", detail: "the storage is closed" }
    this.#whenIdle = idle
    this.#send()
    this.#endIfIdle()
  }

  /** Nothing will be committed unless it resumes: waiting writes fail, and every later write. */
  stop(detail: string, isRestarting = false): void {
    this.#refusal = isRestarting
      ? { kind: "closed", detail, isRestarting: true }
      : { kind: "closed", detail }
    this.failed(this.#refusal)
  }

  /** Takes writes again after `stop`: another thread commits, to a store with these changes. */
  resume(changes: number): void {
    this.#refusal = this.#fault
    this.#lastFailure = undefined
    this.#healthy = this.#fault === undefined
    this.#changes = changes
  }

  /** Forgets all waiting writes and calls no callback, as the end of the process would. */
  abandon(): void {
    this.#refusal = { kind: "closed", detail: "the storage is abandoned" }
    this.#forgetWaiting()
  }

  #forgetWaiting(): ReadonlyArray<Write> {
    const writes = [...this.#inFlight.flatMap((group) => group.writes), ...this.#gathered]
    this.#inFlight = []
    this.#gathered = []
    this.#waitingChanges = 0
    this.#waitingBytes = 0
    this.#attempt++
    this.pending.clear()
    return writes
  }

  #endIfIdle(): void {
    if (!this.isIdle) return
    this.#whenIdle?.()
    this.#whenIdle = undefined
  }
}
