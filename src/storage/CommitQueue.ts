/**
 * Gathers accepted changes into groups, hands these on for committing, and tells each caller.
 *
 * A change may rest on one accepted before it. So groups are committed in order, and when one
 * fails everything accepted and not yet committed fails and is hidden with it: what is visible is
 * always what the disk has, and a suffix of later changes that may still reach it.
 *
 * This is group commit (DeWitt et al., SIGMOD 1984): the sync of one log write is shared.
 */
import { invariant } from "../core/Invariant.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { Batch } from "./Committer.ts"
import { PendingChanges } from "./PendingChanges.ts"
import type { Change, Committed, StorageFailure } from "./Storage.ts"
import type { StorageLimits } from "./StorageOptions.ts"

interface Write extends Batch {
  readonly bytes: number
  readonly done: Committed
}

export interface Group {
  /** Ascending: the commit of a group says that those before it are committed too. */
  readonly id: number
  /** Grows at each failure, so that a thread can tell the groups that the failure includes. */
  readonly epoch: number
  readonly writes: ReadonlyArray<Write>
}

/** Of a batch, in changes. Barriers count as one, so that they are bounded too. */
const sizeOf = ({ changes, facts }: Batch): number => Math.max(changes.length + facts.length, 1)

/** A row's share of memory and log beside its bytes, roughly. */
const rowBytes = 64

const bytesOf = (change: Change): number => {
  const removesOnly = change.elements.length === 0 && change.elementCount === 0
  invariant(change.header !== undefined || removesOnly, "a removal has no elements")
  let bytes = rowBytes + change.key.partitionKey.length + change.key.sortKey.length
    + (change.header?.length ?? 0)
  for (const [path, element] of change.elements) {
    invariant(path !== "", "an element has a path: the empty one is the header's")
    bytes += rowBytes + path.length + (element?.length ?? 0)
  }
  return bytes
}

export class CommitQueue {
  readonly pending = new PendingChanges()
  readonly #runtime: Pick<Runtime, "endOfTurn">
  readonly #limits: StorageLimits
  readonly #commit: (group: Group) => void
  #gathered: Array<Write> = []
  #inFlight: Array<Group> = []
  #waitingChanges = 0
  #waitingBytes = 0
  #lastId = 0
  #epoch = 0
  #scheduled = false
  #refusal: StorageFailure | undefined
  #whenIdle: (() => void) | undefined
  #healthy = true
  #groups = 0
  #changes = 0
  #failures = 0

  /** `commit` starts the commit of a group; `committed` or `failed` is its answer, in order. */
  constructor(
    options: {
      readonly runtime: Pick<Runtime, "endOfTurn">
      readonly limits: StorageLimits
      readonly commit: (group: Group) => void
    }
  ) {
    this.#runtime = options.runtime
    this.#limits = options.limits
    this.#commit = options.commit
  }

  get healthy(): boolean {
    return this.#healthy
  }

  get isIdle(): boolean {
    return this.#inFlight.length + this.#gathered.length === 0
  }

  get stats(): { groups: number; changes: number; failures: number; waiting: number } {
    return {
      groups: this.#groups,
      changes: this.#changes,
      failures: this.#failures,
      waiting: this.#waitingChanges
    }
  }

  /** Empty batches are barriers: their answer comes after those of all before them. */
  write({ changes, facts }: Batch, done: Committed): void {
    const bytes = changes.reduce((sum, change) => sum + bytesOf(change), facts.length * rowBytes)
    const count = sizeOf({ changes, facts })
    const refusal = this.#refusal ?? this.#overload({ count, bytes })
    if (refusal !== undefined) return done(refusal)
    for (const change of changes) this.pending.accept(change)
    for (const fact of facts) this.pending.acceptFact(fact)
    this.#waitingChanges += count
    this.#waitingBytes += bytes
    this.#gathered.push({ changes, facts, bytes, done })
    this.#schedule()
  }

  #overload(added: { readonly count: number; readonly bytes: number }): StorageFailure | undefined {
    const fits = this.#waitingChanges + added.count <= this.#limits.waitingChangesMax
      && this.#waitingBytes + added.bytes <= this.#limits.waitingBytesMax
    // What is larger than all that may wait is taken alone.
    if (fits || this.#waitingChanges === 0) return undefined
    const detail = `${this.#waitingChanges} changes of ${this.#waitingBytes} bytes wait already`
    return { kind: "overloaded", detail }
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#runtime.endOfTurn(() => {
      this.#scheduled = false
      this.#send()
    })
  }

  #send(): void {
    // What callers write while a group is committed on this thread goes with the next turn.
    let due = this.#gathered.length
    while (
      due > 0 && this.#gathered.length > 0
      && this.#inFlight.length < this.#limits.groupsInFlightMax
    ) {
      const writes = this.#takeGroup()
      due -= writes.length
      const group = { id: ++this.#lastId, epoch: this.#epoch, writes }
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

  /** Group `id`, and those before it, are committed and synced. */
  committed(id: number): void {
    const count = this.#inFlight.findLastIndex((group) => group.id <= id) + 1
    const writes = this.#inFlight.splice(0, count).flatMap((group) => group.writes)
    for (const write of writes) {
      for (const change of write.changes) this.pending.settle(change)
      for (const fact of write.facts) this.pending.settleFact(fact)
      this.#waitingChanges -= sizeOf(write)
      this.#waitingBytes -= write.bytes
      this.#changes += write.changes.length
    }
    this.#groups += count
    this.#healthy = true
    for (const { done } of writes) done(undefined)
    if (this.#gathered.length > 0) this.#schedule()
    this.#endIfIdle()
  }

  /** A group was not committed: neither it nor anything after it is kept. */
  failed(failure: StorageFailure): void {
    const writes = this.#forgetWaiting()
    this.#healthy = false
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

  /** Nothing will be committed any more: what waits fails, and every later write. */
  stop(detail: string): void {
    this.#refusal = { kind: "closed", detail }
    this.failed(this.#refusal)
  }

  /** Forgets what waits and calls nobody back, as the end of the process would. */
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
    this.#epoch++
    this.pending.clear()
    return writes
  }

  #endIfIdle(): void {
    if (!this.isIdle) return
    this.#whenIdle?.()
    this.#whenIdle = undefined
  }
}
