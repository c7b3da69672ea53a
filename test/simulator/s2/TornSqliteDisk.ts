/**
 * Gives a simulated node the product's own storage on a real SQLite, whose power is cut at the end
 * of every incarnation. The content of `SimDisk` is then a model, with which the files must agree
 * whenever the node starts: they may have the groups under way when it crashed, or those whose sync
 * failed, all of them or none.
 *
 * Faults act on the files: a wipe empties them, an old disk is a copy of them, and documents are
 * harmed row by row, by bits that flip in their bytes without the checksum's knowledge. Left out
 * are flipped bits and old versions of SQLite's own pages, whose files no node can mend yet, and
 * power cuts amid an opening, which `PowerCuts` has. A lost end of the log is an old copy, too.
 */
import { md5 } from "../../../src/core/Hash.ts"
import { invariant } from "../../../src/core/Invariant.ts"
import { lan } from "../../../src/core/model/Limits.ts"
import { makeBufferedStorage } from "../../../src/storage/BufferedStorage.ts"
import type { Committer, FoldEvents } from "../../../src/storage/Committer.ts"
import { CommitQueue, type Group } from "../../../src/storage/CommitQueue.ts"
import { Reader } from "../../../src/storage/Reader.ts"
import type { RowKey, StorageFailure } from "../../../src/storage/Storage.ts"
import type { OpenedStore } from "../../../src/storage/StoreRow.ts"
import { openStore } from "../../../src/storage/OpenStore.ts"
import { UnfoldedWrites } from "../../../src/storage/UnfoldedWrites.ts"
import { pack } from "../../../src/storage/WorkerProtocol.ts"
import {
  type DiskDocument,
  type DiskWrite,
  type Image
} from "../../../src/testing/simulator/DiskImage.ts"
import * as DiskImage from "../../../src/testing/simulator/DiskImage.ts"
import { fitDisk } from "../../../src/testing/simulator/DiskMood.ts"
import type { Owner } from "../../../src/testing/simulator/Kernel.ts"
import type { SeededRandom } from "../../../src/testing/simulator/SeededRandom.ts"
import {
  type Harmed,
  noCounts,
  type OpenDisk,
  SimDisk,
  type SimDiskOptions
} from "../../../src/testing/simulator/SimDisk.ts"
import { difference, imageIn, linesIn } from "./Contents.ts"
import { writeHarmed } from "./HarmedRow.ts"
import { type CutCounts, type Refusal, TornDisk } from "./TornDisk.ts"
import { hex, inHex, linesOf } from "./ModelLines.ts"
import { tornLogFiles } from "./TornLogFile.ts"
import { databaseName, WasmDatabase } from "./WasmDatabase.ts"

export interface TornSqliteOptions extends SimDiskOptions {
  /** Planted over the product's own setting, FULL; losses are left to the checkers. */
  readonly synchronous?: "NORMAL"
}

const identity = { node: "of a simulated disk", cluster: "simulated", partitionCount: 1 }

/** From flash to platters; power cuts mostly meet the slower ones at work. */
const syncMillis = [1, 10, 50]

/**
 * The last of the disk's changes that a cut may meet: a small commit makes about six, one with a
 * checkpoint and the end of a log forty.
 */
const cutChanges = [6, 12, 40]

/** Commits from one old copy of the disk to the next, and how many of these are kept. */
const copyCommits = 8
const copiesMax = 8

const newDisk = (counts: CutCounts): TornDisk => {
  const disk = new TornDisk(counts)
  disk.open(databaseName)
  disk.syncDirectory()
  return disk
}

interface OpenedDatabase {
  readonly database: WasmDatabase
  readonly committer: Committer
  readonly store: OpenedStore
}

/** One incarnation of the node's storage. */
interface Incarnation {
  readonly database: WasmDatabase
  readonly committer: Committer
  readonly reader: Reader
  readonly queue: CommitQueue
  readonly unfolded: UnfoldedWrites
  /** Groups that the disk is busy with, or will be next. */
  groups: Array<Group>
}

export class TornSqliteDisk extends SimDisk {
  override readonly kind = "sqlite"
  override readonly counts = {
    ...noCounts,
    /** Commits that failed, or were met by a cut, and were found when the node started again. */
    doubtfulFound: 0,
    cuts: 0,
    kept: 0,
    dropped: 0,
    torn: 0
  }
  readonly #options: TornSqliteOptions
  readonly #random: SeededRandom
  /** Undefined: as the product has it, which few runs write enough to reach. */
  readonly #checkpointPages: number | undefined
  /** Of a commit, on average, while nothing is wrong. */
  readonly #syncMillis: number
  #disk = newDisk(this.counts)
  /** Old copies of the disk, with the model's content then; the oldest first. */
  readonly #copies: Array<{ readonly image: Image; readonly disk: TornDisk }> = []
  #incarnation: Incarnation | undefined
  /**
   * Commits of which it is not known whether the files have them: that which a power cut met, and
   * those that failed since the last success. A group that failed at its sync may be there all the
   * same.
   */
  #doubtful: Array<ReadonlyArray<DiskWrite>> = []

  constructor(options: TornSqliteOptions) {
    super(options)
    this.#options = options
    this.#random = options.random
    this.#syncMillis = options.random.pick(syncMillis)
    this.#checkpointPages = options.random.pick([16, 100, undefined])
  }

  override open(owner: Owner): OpenDisk {
    this.#close()
    const { kernel, limits = lan.node } = this.#options
    const unfolded = new UnfoldedWrites()
    const { committer, database, store } = this.#openDatabase({
      frozen: () => unfolded.freeze(),
      folded: () => unfolded.folded(),
      failed: (failure) => queue.troubled(failure)
    })
    const reader = new Reader(database)
    this.#recover(database, reader)
    const queue = new CommitQueue({
      unfolded,
      runtime: { endOfTurn: (task) => kernel.soon(owner, task) },
      limits,
      epoch: store.epoch,
      commit: (group) => {
        incarnation.groups.push(group)
        if (incarnation.groups.length > 1) return
        const mean = Math.max(this.#syncMillis, this.mood.meanCommitMillis)
        this.busyUntil = kernel.now + this.#random.exponential(mean)
        kernel.at(owner, this.busyUntil, () => this.#commit(incarnation))
      }
    })
    const incarnation: Incarnation = {
      database,
      committer,
      reader,
      queue,
      unfolded,
      groups: []
    }
    this.#incarnation = incarnation
    return {
      service: makeBufferedStorage({ reader, queue, unfolded }, store),
      crash: () => this.#end(incarnation, "dies"),
      stop: () => this.#end(incarnation, "stops")
    }
  }

  #openDatabase(events: FoldEvents): OpenedDatabase {
    const database = new WasmDatabase(this.#disk, this.#random)
    const { limits = lan.node, storeId, synchronous } = this.#options
    const fileBytesMax = limits.storageBytesMax
    // What a plant over SQLite's sync would lose is in the log.
    const logBytesMax = synchronous === undefined ? limits.logBytesMax ?? lan.node.logBytesMax : 0
    const { committer, store } = openStore(database, tornLogFiles(this.#disk), {
      identity,
      fileBytesMax,
      newStoreId: storeId(),
      limits: { ...lan.node, ...limits, logBytesMax },
      events
    })
    if (synchronous !== undefined) database.exec(`PRAGMA synchronous = ${synchronous}`)
    const pages = this.#checkpointPages
    if (pages !== undefined) database.exec(`PRAGMA wal_autocheckpoint = ${pages}`)
    return { committer, database, store }
  }

  /** Ends the incarnation at hand, if any. */
  #close(): void {
    if (this.#incarnation !== undefined) this.#end(this.#incarnation, "dies")
  }

  /** The power is cut: in the middle of a dying process's last action, or after a stop. */
  #end(incarnation: Incarnation, how: "dies" | "stops"): void {
    if (this.#incarnation !== incarnation) return
    this.#incarnation = undefined
    if (incarnation.groups.length > 0) {
      this.counts.crashesWithWaiting++
      this.#cutSoon()
      this.#commitNow(incarnation)
    } else if (how === "stops") {
      // The logs are emptied into the file, and SQLite's is deleted.
      if (this.#random.chance(0.5)) this.#cutSoon()
      incarnation.committer.settle()
      incarnation.database.close()
    } else {
      this.#cutSoon()
      incarnation.committer.fold()
    }
    incarnation.queue.abandon()
    this.#disk.cutPower()
    incarnation.database.close()
    this.#disk.restorePower(this.#random)
  }

  #cutSoon(): void {
    this.#disk.cutPower(this.#random.integer(1, this.#random.pick(cutChanges)))
  }

  override wipe(): boolean {
    this.#close()
    this.#disk = newDisk(this.counts)
    this.#copies.length = 0
    this.#doubtful = []
    return super.wipe()
  }

  override copyFrom(other: SimDisk): void {
    invariant(other instanceof TornSqliteDisk, "all disks of a cluster are of one kind")
    super.copyFrom(other)
    this.#disk = other.#disk.copy(this.counts)
    this.#doubtful = [...other.#doubtful]
  }

  /** Starts from a copy that is about so many commits old, or the oldest that there is. */
  override rewind(commits: number): boolean {
    this.#close()
    const index = Math.max(0, this.#copies.length - Math.ceil(commits / copyCommits))
    const [copy] = this.#copies.splice(index)
    if (copy === undefined) return false
    this.#disk = copy.disk
    this.#doubtful = []
    this.hold(copy.image)
    return true
  }

  /** Only while a process has the files open. */
  override damage(random: SeededRandom, harm: DiskImage.Harm): Harmed | undefined {
    return this.#incarnation === undefined ? undefined : super.damage(random, harm)
  }

  protected override replace(key: RowKey, after: DiskDocument | undefined): void {
    super.replace(key, after)
    invariant(this.#incarnation !== undefined, "rows are harmed while the files are open")
    writeHarmed(this.#incarnation, { key, document: after, random: this.#random })
    this.#incarnation.unfolded.clear()
  }

  override describe(): ReadonlyArray<string> {
    const files = this.#disk.files.map(([name, bytes]) => `${name} ${hex(md5(bytes))}`)
    return [...super.describe(), ...files]
  }

  /** Commits all groups that have come together, as the storage thread does. */
  #commit(incarnation: Incarnation): void {
    const last = incarnation.groups.at(-1)
    invariant(last !== undefined, "a commit begins with a group")
    if (this.mood.meanCommitMillis > fitDisk.meanCommitMillis) this.did("slow disk")
    const refusal = this.#refusal()
    this.#disk.refusal = refusal
    this.#disk.writesBeforeRefusal = this.#random.integer(0, this.#random.pick(cutChanges))
    const failure = this.#commitNow(incarnation)
    this.#disk.refusal = undefined
    incarnation.groups = []
    if (failure !== undefined) {
      this.counts.failures++
      this.did(refusal === "full" ? "full disk" : "disk error")
      return incarnation.queue.failed(failure)
    }
    if (this.counts.commits % copyCommits === 0) this.#keepCopy()
    incarnation.queue.committed(last.id, incarnation.committer.isFolded)
    this.#fold(incarnation)
  }

  #fold({ committer }: Incarnation): void {
    const refusal = this.#refusal()
    this.#disk.refusal = refusal
    this.#disk.writesBeforeRefusal = this.#random.integer(0, this.#random.pick(cutChanges))
    committer.fold()
    this.#disk.refusal = undefined
  }

  #commitNow({ committer, groups }: Incarnation): StorageFailure | undefined {
    const writes = groups.flatMap((group) => group.writes)
    const failure = committer.commit([pack(writes)])
    this.#doubtful.push(writes)
    if (failure === undefined) this.#takeOver(writes)
    return failure
  }

  #keepCopy(): void {
    if (this.#copies.length === copiesMax) this.#copies.shift()
    this.#copies.push({
      image: DiskImage.copy(this.image),
      disk: this.#disk.copy(this.counts)
    })
  }

  #refusal(): Refusal | undefined {
    const { errorShare, fullShare } = this.mood
    if (this.#random.chance(fullShare)) return "full"
    return this.#random.chance(errorShare) ? "failing" : undefined
  }

  /** The model takes over the certain content of the files, which leaves no doubt about others. */
  #takeOver(writes: ReadonlyArray<DiskWrite>): void {
    this.commit(writes)
    this.counts.groupsLost += this.#doubtful.length - 1
    this.#doubtful = []
  }

  /**
   * No acknowledged group is lost, and a doubtful one is there as a whole or not at all. What is
   * not there stays in doubt: the next attempt may write just the sectors that it lacked.
   */
  #recover(database: WasmDatabase, reader: Reader): void {
    const found = linesIn({ database, reader }, inHex)
    const lost = difference(linesOf(this.image), found)
    if (lost === undefined) return
    const landed = this.#doubtful.find((writes) => {
      const image = DiskImage.copy(this.image)
      for (const write of writes) DiskImage.apply(image, write)
      return difference(linesOf(image), found) === undefined
    })
    if (landed !== undefined) {
      this.counts.doubtfulFound++
      return this.#takeOver(landed)
    }
    const isPlanted = this.#options.synchronous !== undefined
    invariant(isPlanted, `after a power cut the storage holds ${lost}`)
    this.hold({ ...this.image, ...imageIn({ database, reader }) })
    this.#doubtful = []
  }
}

/** For runs whose plan asks for real databases. */
export const sqliteDisk = (options: SimDiskOptions): SimDisk => new TornSqliteDisk(options)
