/**
 * Serves the storage of one incarnation of a node from its simulated disk, group by group.
 */
import { acceptChange, acceptRow, bytesOf, sizeOf } from "../../storage/AcceptedBatch.ts"
import { decodeKey, encodeKey, rangeUnder } from "../../storage/FamilyKey.ts"
import { compareEncoded } from "../../storage/PendingWrites.ts"
import { SequenceNumbers } from "../../storage/SequenceNumbers.ts"
import type {
  Batch,
  OnCommit,
  ReadResult,
  RowKey,
  StorageFailure,
  StorageService
} from "../../storage/Storage.ts"
import type { StorageLimits } from "../../storage/StorageOptions.ts"
import {
  apply,
  changed,
  copy,
  type DiskWrite,
  type Image,
  nameOf,
  readDocument,
  rowName
} from "./DiskImage.ts"
import { type DiskMood, fitDisk } from "./DiskMood.ts"
import type { Kernel, Owner } from "./Kernel.ts"
import type { SeededRandom } from "./SeededRandom.ts"

/** The disk, which outlives the process. */
interface Disk {
  readonly image: Image
  readonly mood: DiskMood
  readonly counts: {
    readonly commits: number
    failures: number
    crashesWithWaiting: number
    groupsLost: number
    damagedReads: number
  }
  busyUntil: number
  readonly commit: (writes: ReadonlyArray<DiskWrite>) => void
  readonly did: (fault: string) => void
}

interface DiskSessionOptions {
  readonly disk: Disk
  readonly kernel: Kernel
  readonly random: SeededRandom
  readonly owner: Owner
  readonly limits: StorageLimits
}

interface Waiting extends DiskWrite {
  readonly bytes: number
}

const bytesIn = (writes: ReadonlyArray<Waiting>): number =>
  writes.reduce((sum, { bytes }) => sum + bytes, 0)

const changesIn = (writes: ReadonlyArray<Waiting>): number =>
  writes.reduce((sum, write) => sum + sizeOf(write), 0)

export class DiskSession {
  readonly #options: DiskSessionOptions
  readonly #numbers: SequenceNumbers
  #waiting: Array<Waiting> = []
  #committing: ReadonlyArray<Waiting> = []
  #scheduled = false
  #healthy = true

  constructor(options: DiskSessionOptions) {
    this.#options = options
    this.#numbers = new SequenceNumbers(options.disk.image.store.epoch)
  }

  /** The process dies: a part of the commits under way, by chance, reaches the disk. */
  crash(): void {
    const { disk, random } = this.#options
    const open = [...this.#committing, ...this.#waiting]
    if (open.length === 0) return
    disk.counts.crashesWithWaiting++
    const kept = random.integer(0, open.length)
    disk.counts.groupsLost += open.length - kept
    if (kept > 0) disk.commit(open.slice(0, kept))
    this.#committing = []
    this.#waiting = []
  }

  service(): StorageService {
    const { disk } = this.#options
    return {
      storeId: disk.image.store.storeId,
      committedChanges: () => disk.image.store.changes,
      read: (key) => this.#read(key),
      // Its elements may be damaged, and hide it then: fewer keys are listed than might be.
      readHeader: (key) => this.#read(key),
      readRow: (family, key) => {
        const bytes = this.#view().rows.get(rowName({ family, key: encodeKey(family, key) }))?.bytes
        return bytes === undefined ? { _tag: "Absent" } : { _tag: "Found", bytes }
      },
      write: (batch, done) => this.#accept(batch, done),
      barrier: (done) => {
        if (this.#committing.length + this.#waiting.length === 0) done(undefined)
        else this.#accept({ documents: [], rows: [] }, done)
      },
      scan: ({ after, limit, partition }) => {
        const view = this.#view()
        const from = after === undefined ? "" : nameOf(after)
        return [...view.documents].filter(([name, { key }]) =>
          key.partition === partition && name > from
        )
          .sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, limit).map(([, { key }]) => key)
      },
      scanRows: ({ after, family, limit, under }) => {
        const { before, from } = rangeUnder(family, under)
        const last = after === undefined ? "" : encodeKey(family, after)
        return [...this.#view().rows]
          .filter(([name, { key }]) =>
            name.startsWith(`${family} `) && key > from && key > last && key < before
          )
          .map(([, row]) => row)
          .sort((a, b) => compareEncoded(a.key, b.key)).slice(0, limit)
          .map(({ bytes, key }) => ({ key: decodeKey(family, key)!, bytes }))
      },
      healthy: () => this.#healthy,
      stats: () => ({
        groups: disk.counts.commits,
        changes: 0,
        bytes: 0,
        failures: disk.counts.failures,
        waiting: this.#waiting.length + this.#committing.length,
        unfoldedBytes: 0,
        unfoldedChanges: 0,
        logBytes: 0,
        foldSlices: 0,
        damaged: disk.counts.damagedReads
      })
    }
  }

  /** The disk with the waiting writes on top. */
  #view(): Image {
    const open = [...this.#committing, ...this.#waiting]
    if (open.length === 0) return this.#options.disk.image
    const view = copy(this.#options.disk.image)
    for (const write of open) apply(view, write)
    return view
  }

  #read(key: RowKey): ReadResult {
    const name = nameOf(key)
    const { disk } = this.#options
    let document = disk.image.documents.get(name)
    for (const { documents } of [...this.#committing, ...this.#waiting]) {
      for (const change of documents) {
        if (nameOf(change.key) === name) document = changed(document, change)
      }
    }
    const result = readDocument(document)
    if (result._tag === "Damaged") disk.counts.damagedReads++
    return result
  }

  #accept(batch: Batch, done: OnCommit): ReadonlyArray<number> {
    const bytes = bytesOf(batch)
    if (this.#isOverloadedBy(sizeOf(batch), bytes)) {
      done({ kind: "overloaded", detail: "too much waits already" })
      return []
    }
    const documents = batch.documents.map((change) =>
      acceptChange(change, this.#numbers.next(change.key.partition))
    )
    const sequences = documents.map(({ sequence }) => sequence)
    const rows = batch.rows.map((row) => acceptRow(row, sequences))
    this.#waiting.push({ documents, rows, done, bytes })
    this.#schedule()
    return sequences
  }

  /** As the product's own storage has it: more than all that may wait is taken alone. */
  #isOverloadedBy(changes: number, bytes: number): boolean {
    const { waitingBytesMax, waitingChangesMax } = this.#options.limits
    const open = [...this.#committing, ...this.#waiting]
    return open.length > 0
      && (changesIn(open) + changes > waitingChangesMax || bytesIn(open) + bytes > waitingBytesMax)
  }

  /** The next group: as much as its limits allow, and at least one write. */
  #takeGroup(): ReadonlyArray<Waiting> {
    const { groupBytesMax, groupChangesMax } = this.#options.limits
    let count = 1
    while (count < this.#waiting.length) {
      const group = this.#waiting.slice(0, count + 1)
      if (changesIn(group) > groupChangesMax || bytesIn(group) > groupBytesMax) break
      count++
    }
    return this.#waiting.splice(0, count)
  }

  #schedule(): void {
    if (this.#scheduled || this.#committing.length > 0) return
    const { kernel, owner } = this.#options
    this.#scheduled = true
    kernel.soon(owner, () => {
      this.#scheduled = false
      this.#begin()
    })
  }

  #begin(): void {
    if (this.#committing.length > 0 || this.#waiting.length === 0) return
    const { disk, kernel, owner, random } = this.#options
    this.#committing = this.#takeGroup()
    const mean = disk.mood.meanCommitMillis
    if (mean > fitDisk.meanCommitMillis) disk.did("slow disk")
    disk.busyUntil = kernel.now + random.exponential(mean)
    kernel.at(owner, disk.busyUntil, () => this.#end())
  }

  #end(): void {
    const { disk, random } = this.#options
    const failure = this.#failure(random)
    this.#healthy = failure === undefined
    const group = this.#committing
    this.#committing = []
    if (failure === undefined) {
      disk.commit(group)
      for (const write of group) write.done(undefined)
      return this.#schedule()
    }
    // Waiting writes may build on those that failed, so they fail too.
    disk.counts.failures++
    const rest = this.#waiting
    this.#waiting = []
    for (const write of [...group, ...rest]) write.done(failure)
  }

  #failure(random: SeededRandom): StorageFailure | undefined {
    const { disk } = this.#options
    if (random.chance(disk.mood.fullShare)) {
      disk.did("full disk")
      return { kind: "full", detail: "no space is left" }
    }
    if (!random.chance(disk.mood.errorShare)) return undefined
    disk.did("disk error")
    return { kind: "failing", detail: "an I/O error" }
  }
}
