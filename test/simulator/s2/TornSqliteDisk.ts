/**
 * Gives a simulated node the product's own storage on a real SQLite, whose power is cut at the end
 * of every life. What `SimDisk` holds is then a model, with which the files must agree whenever the
 * node starts: they may have the groups under way when it crashed, all of them or none.
 *
 * Faults act on the files. Rows are harmed as rows: bits flip in their bytes, behind the back of
 * the checksum. Bits of SQLite's own pages do not flip: it would refuse the file for good.
 */
import { md5 } from "../../../src/core/Hash.ts"
import { invariant } from "../../../src/core/Invariant.ts"
import { makeBufferedStorage } from "../../../src/storage/BufferedStorage.ts"
import { Committer } from "../../../src/storage/Committer.ts"
import { CommitQueue, type Group } from "../../../src/storage/CommitQueue.ts"
import { keyText } from "../../../src/storage/KeyOrder.ts"
import { Reader } from "../../../src/storage/Reader.ts"
import type { ReadResult, RowKey, StorageFailure } from "../../../src/storage/Storage.ts"
import { defaultLimits } from "../../../src/storage/StorageOptions.ts"
import { prepareWriter } from "../../../src/storage/Tables.ts"
import { type Image, readRow, type Row } from "../../../src/testing/simulator/DiskImage.ts"
import * as DiskImage from "../../../src/testing/simulator/DiskImage.ts"
import { fitDisk } from "../../../src/testing/simulator/DiskMood.ts"
import type { Owner } from "../../../src/testing/simulator/Kernel.ts"
import type { SeededRandom } from "../../../src/testing/simulator/SeededRandom.ts"
import {
  noCounts,
  type OpenDisk,
  SimDisk,
  type SimDiskOptions
} from "../../../src/testing/simulator/SimDisk.ts"
import { difference, imageIn, type Lines, linesIn } from "./Contents.ts"
import { writeHarmed } from "./HarmedRow.ts"
import { type CutCounts, type Refusal, TornDisk } from "./TornDisk.ts"
import { databaseName, WasmDatabase } from "./WasmDatabase.ts"

export interface TornSqliteOptions extends SimDiskOptions {
  /** Planted over what the product sets, which is FULL; what is lost is left to the checkers. */
  readonly synchronous?: "NORMAL"
}

const identity = { node: "of a simulated disk", cluster: "simulated", partitionCount: 1 }

/** From flash to platters; the slower ones are what power cuts mostly meet at work. */
const syncMillis = [1, 10, 50]

/**
 * The last of the disk's changes that a cut may meet: a small commit makes about six, one with a
 * checkpoint and the end of a log forty.
 */
const cutChanges = [6, 12, 40]

/** Commits from one old copy of the disk to the next, and how many of these are kept. */
const copyCommits = 8
const copiesMax = 8

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const inHex = (result: ReadResult): string => {
  if (result._tag !== "Found") return result._tag
  const { elements, header } = result.document
  return [hex(header), ...[...elements].map(([path, bytes]) => `${path}=${hex(bytes)}`).sort()]
    .join(" ")
}

const newDisk = (counts: CutCounts): TornDisk => {
  const disk = new TornDisk(counts)
  disk.open(databaseName)
  disk.syncDirectory()
  return disk
}

/** One life of the node's storage. */
interface Life {
  readonly database: WasmDatabase
  readonly committer: Committer
  readonly reader: Reader
  readonly queue: CommitQueue
  /** Groups that the disk is busy with, or will be next. */
  groups: Array<Group>
}

export class TornSqliteDisk extends SimDisk {
  override readonly kind = "sqlite"
  override readonly counts = { ...noCounts, cuts: 0, kept: 0, dropped: 0, torn: 0 }
  readonly #options: TornSqliteOptions
  readonly #random: SeededRandom
  /** Undefined where it stays as the product has it: then few runs write enough for a checkpoint. */
  readonly #checkpointPages: number | undefined
  /** Of a commit, on average, while nothing is wrong. */
  readonly #syncMillis: number
  #disk = newDisk(this.counts)
  /** Old copies of the disk, with what the model held then; the oldest first. */
  readonly #copies: Array<{ readonly image: Image; readonly disk: TornDisk }> = []
  #life: Life | undefined
  /** Groups of which it is not known yet whether the files have them. */
  #underWay: ReadonlyArray<Group> = []

  constructor(options: TornSqliteOptions) {
    super(options)
    this.#options = options
    this.#random = options.random
    this.#syncMillis = options.random.pick(syncMillis)
    this.#checkpointPages = options.random.pick([16, 100, undefined])
  }

  override open(owner: Owner): OpenDisk {
    this.#close()
    const { kernel } = this.#options
    const database = this.#openDatabase()
    const reader = new Reader(database)
    this.#recover(database, reader)
    const queue = new CommitQueue({
      world: { endOfTurn: (task) => kernel.soon(owner, task) },
      limits: defaultLimits,
      commit: (group) => {
        life.groups.push(group)
        if (life.groups.length > 1) return
        const mean = Math.max(this.#syncMillis, this.mood.meanCommitMillis)
        this.busyUntil = kernel.now + this.#random.exponential(mean)
        kernel.at(owner, this.busyUntil, () => this.#commit(life))
      }
    })
    const life: Life = { database, committer: new Committer(database), reader, queue, groups: [] }
    this.#life = life
    return {
      service: makeBufferedStorage(reader, queue),
      crash: () => this.#end(life, "dies"),
      stop: () => this.#end(life, "stops")
    }
  }

  #openDatabase(): WasmDatabase {
    const database = new WasmDatabase(this.#disk, this.#random)
    prepareWriter(database, { identity, fileBytesMax: defaultLimits.fileBytesMax })
    const { synchronous } = this.#options
    if (synchronous !== undefined) database.exec(`PRAGMA synchronous = ${synchronous}`)
    const pages = this.#checkpointPages
    if (pages !== undefined) database.exec(`PRAGMA wal_autocheckpoint = ${pages}`)
    return database
  }

  /** Ends the life at hand, if any. */
  #close(): void {
    if (this.#life !== undefined) this.#end(this.#life, "dies")
  }

  /** The power is cut: in the middle of what a dying process still does, or after a stop. */
  #end(life: Life, how: "dies" | "stops"): void {
    if (this.#life !== life) return
    this.#life = undefined
    if (life.groups.length > 0) {
      this.counts.crashesWithWaiting++
      this.#cutSoon()
      this.#underWay = life.groups
      if (this.#write(life) === undefined) this.#settle()
    } else if (how === "stops") {
      // The log is emptied into the file, and deleted.
      if (this.#random.chance(0.5)) this.#cutSoon()
      life.database.close()
    }
    life.queue.abandon()
    this.#disk.cutPower()
    life.database.close()
    this.#disk.restorePower(this.#random)
  }

  #cutSoon(): void {
    this.#disk.cutPower(this.#random.integer(1, this.#random.pick(cutChanges)))
  }

  override wipe(): boolean {
    this.#close()
    this.#disk = newDisk(this.counts)
    this.#copies.length = 0
    this.#underWay = []
    return super.wipe()
  }

  override copyFrom(other: SimDisk): void {
    invariant(other instanceof TornSqliteDisk, "all disks of a cluster are of one kind")
    super.copyFrom(other)
    this.#disk = other.#disk.copy(this.counts)
    this.#underWay = other.#underWay
  }

  /** Starts from a copy that is about so many commits old, or the oldest that there is. */
  override rewind(commits: number): boolean {
    this.#close()
    const index = Math.max(0, this.#copies.length - Math.ceil(commits / copyCommits))
    const [copy] = this.#copies.splice(index)
    if (copy === undefined) return false
    this.#disk = copy.disk
    this.#underWay = []
    this.hold(copy.image)
    return true
  }

  /** Only while a process has the files open. */
  override damage(random: SeededRandom, harm: DiskImage.Harm): boolean {
    return this.#life !== undefined && super.damage(random, harm)
  }

  protected override replace(key: RowKey, after: Row | undefined): void {
    super.replace(key, after)
    invariant(this.#life !== undefined, "rows are harmed while the files are open")
    writeHarmed(this.#life, { key, row: after, random: this.#random })
  }

  override describe(): ReadonlyArray<string> {
    const files = this.#disk.files.map(([name, bytes]) => `${name} ${hex(md5(bytes))}`)
    return [...super.describe(), ...files]
  }

  /** Commits all groups that have come together, as the storage thread does. */
  #commit(life: Life): void {
    const last = life.groups.at(-1)
    invariant(last !== undefined, "a commit begins with a group")
    this.#disk.refusal = this.#refusal()
    this.#underWay = life.groups
    const failure = this.#write(life)
    this.#disk.refusal = undefined
    life.groups = []
    if (failure === undefined) {
      this.#settle()
      if (this.counts.commits % copyCommits === 0) this.#keepCopy()
      return life.queue.committed(last.id)
    }
    this.#underWay = []
    this.counts.failures++
    life.queue.failed(failure)
  }

  #keepCopy(): void {
    if (this.#copies.length === copiesMax) this.#copies.shift()
    this.#copies.push({
      image: DiskImage.copy(this.image),
      disk: this.#disk.copy(this.counts)
    })
  }

  #write({ committer, groups }: Life): StorageFailure | undefined {
    return committer.commit(groups.flatMap(({ writes }) => writes))
  }

  #refusal(): Refusal | undefined {
    const { errorShare, fullShare, meanCommitMillis } = this.mood
    if (meanCommitMillis > fitDisk.meanCommitMillis) this.did("slow disk")
    if (this.#random.chance(fullShare)) {
      this.did("full disk")
      return "full"
    }
    if (!this.#random.chance(errorShare)) return undefined
    this.did("disk error")
    return "failing"
  }

  /** The model takes over what the files hold for sure. */
  #settle(): void {
    const writes = this.#underWay.flatMap((group) => group.writes)
    this.commit(writes.map(({ changes, done, facts }) => ({
      changes,
      facts: facts.map(({ name, value }) => [name, value] as const),
      done
    })))
    this.#underWay = []
  }

  /** Nothing acknowledged is lost, and what the crash met is there as a whole or not at all. */
  #recover(database: WasmDatabase, reader: Reader): void {
    const found = linesIn({ database, reader }, inHex)
    if (difference(this.#lines(), found) !== undefined) this.#settle()
    this.counts.groupsLost += this.#underWay.length
    this.#underWay = []
    const lost = difference(this.#lines(), found)
    if (lost === undefined) return
    const isPlanted = this.#options.synchronous !== undefined
    invariant(isPlanted, `after a power cut the storage holds ${lost}`)
    this.hold(imageIn({ database, reader }))
  }

  /** Of the model. */
  #lines(): Lines {
    const lines = new Map<string, string>()
    for (const row of this.image.rows.values()) lines.set(keyText(row.key), inHex(readRow(row)))
    for (const [name, value] of this.image.facts) lines.set(`fact ${name}`, value)
    return lines
  }
}

/** For runs whose plan asks for real databases. */
export const sqliteDisk = (options: SimDiskOptions): SimDisk => new TornSqliteDisk(options)
