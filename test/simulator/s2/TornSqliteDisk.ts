/**
 * Gives a simulated node the product's own storage on a real SQLite, whose power is cut at every
 * crash. What `SimDisk` holds is then a model, with which the files must agree whenever the node
 * starts: they may have the groups under way when it crashed, all of them or none.
 */
import { md5 } from "../../../src/core/Hash.ts"
import { invariant } from "../../../src/core/Invariant.ts"
import { makeBufferedStorage } from "../../../src/storage/BufferedStorage.ts"
import { Committer } from "../../../src/storage/Committer.ts"
import { CommitQueue, type Group } from "../../../src/storage/CommitQueue.ts"
import { keyText } from "../../../src/storage/KeyOrder.ts"
import { Reader } from "../../../src/storage/Reader.ts"
import type { ReadResult, StorageFailure, StorageService } from "../../../src/storage/Storage.ts"
import { defaultLimits } from "../../../src/storage/StorageOptions.ts"
import { prepareWriter } from "../../../src/storage/Tables.ts"
import { readRow } from "../../../src/testing/simulator/DiskImage.ts"
import type { Owner } from "../../../src/testing/simulator/Kernel.ts"
import { fitDisk, SimDisk, type SimDiskOptions } from "../../../src/testing/simulator/SimDisk.ts"
import { difference, type Lines, linesIn } from "./Contents.ts"
import { type Refusal, TornDisk } from "./TornDisk.ts"
import { databaseName, WasmDatabase } from "./WasmDatabase.ts"

const identity = { node: "of a simulated disk", cluster: "simulated", partitionCount: 1 }

/** A commit makes about two changes to the disk for each row, and one for its sync. */
const commitChanges = 40

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const inHex = (result: ReadResult): string => {
  if (result._tag !== "Found") return result._tag
  const { elements, header } = result.document
  return [hex(header), ...[...elements].map(([path, bytes]) => `${path}=${hex(bytes)}`).sort()]
    .join(" ")
}

const newDisk = (): TornDisk => {
  const disk = new TornDisk()
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
  readonly #options: SimDiskOptions
  #disk = newDisk()
  #life: Life | undefined
  /** Groups of which it is not known yet whether the files have them. */
  #underWay: ReadonlyArray<Group> = []

  constructor(options: SimDiskOptions) {
    super(options)
    this.#options = options
  }

  override open(owner: Owner): { readonly service: StorageService; readonly crash: () => void } {
    this.close()
    const { kernel, random } = this.#options
    const database = new WasmDatabase(this.#disk, random)
    prepareWriter(database, { identity, fileBytesMax: defaultLimits.fileBytesMax })
    const reader = new Reader(database)
    this.#recover(database, reader)
    const queue = new CommitQueue({
      world: { endOfTurn: (task) => kernel.soon(owner, task) },
      limits: defaultLimits,
      commit: (group) => {
        life.groups.push(group)
        if (life.groups.length > 1) return
        const mean = this.mood.meanCommitMillis
        kernel.at(owner, kernel.now + random.exponential(mean), () => this.#commit(life))
      }
    })
    const committer = new Committer(database)
    const life: Life = { database, committer, reader, queue, groups: [] }
    this.#life = life
    return { service: makeBufferedStorage(reader, queue), crash: () => this.#end(life) }
  }

  /** Ends the life at hand, if any. Of a run's last lives too: SQLite would keep their memory. */
  close(): void {
    if (this.#life !== undefined) this.#end(this.#life)
  }

  /** The power is cut, in the middle of what the process still does. */
  #end(life: Life): void {
    if (this.#life !== life) return
    this.#life = undefined
    const { random } = this.#options
    life.queue.abandon()
    if (life.groups.length > 0) {
      this.counts.crashesWithWaiting++
      this.#disk.cutPower(random.integer(1, commitChanges))
      this.#underWay = life.groups
      if (this.#write(life) === undefined) this.#settle()
    } else if (random.chance(0.25)) {
      // As after a stop: the log is emptied into the file, and deleted.
      life.database.close()
    }
    this.#disk.cutPower()
    life.database.close()
    this.#disk.restorePower(random)
  }

  override wipe(): boolean {
    this.close()
    this.#disk = newDisk()
    this.#underWay = []
    return super.wipe()
  }

  override copyFrom(other: SimDisk): void {
    invariant(other instanceof TornSqliteDisk, "all disks of a cluster are of one kind")
    super.copyFrom(other)
    this.#disk = other.#disk.copy()
    this.#underWay = other.#underWay
  }

  /** Nothing is damaged here but by power cuts. */
  override rewind(): boolean {
    return false
  }

  override damage(): boolean {
    return false
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
      return life.queue.committed(last.id)
    }
    this.#underWay = []
    this.counts.failures++
    life.queue.failed(failure)
  }

  #write({ committer, groups }: Life): StorageFailure | undefined {
    return committer.commit(groups.flatMap(({ writes }) => writes))
  }

  #refusal(): Refusal | undefined {
    const { random } = this.#options
    const { errorShare, fullShare, meanCommitMillis } = this.mood
    if (meanCommitMillis > fitDisk.meanCommitMillis) this.did("slow disk")
    if (random.chance(fullShare)) {
      this.did("full disk")
      return "full"
    }
    if (!random.chance(errorShare)) return undefined
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
    invariant(lost === undefined, `after a power cut the storage holds ${lost}`)
  }

  /** Of the model. */
  #lines(): Lines {
    const lines = new Map<string, string>()
    for (const row of this.image.rows.values()) lines.set(keyText(row.key), inHex(readRow(row)))
    for (const [name, value] of this.image.facts) lines.set(`fact ${name}`, value)
    return lines
  }
}
