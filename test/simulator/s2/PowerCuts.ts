/**
 * Runs the product's tables, commits and reads on a real SQLite whose power is cut again and again,
 * and says whether anything acknowledged was lost.
 *
 * Groups are committed one after another. So the state found after a cut may be the one after the
 * last acknowledged group, or that with the group that the cut met: all of it, or nothing.
 */
import { md5 } from "../../../src/core/Hash.ts"
import type { Committer } from "../../../src/storage/Committer.ts"
import { Reader } from "../../../src/storage/Reader.ts"
import type { LogFiles } from "../../../src/storage/LogFile.ts"
import { messageOf } from "../../../src/storage/SqliteError.ts"
import { lan } from "../../../src/core/model/Limits.ts"
import { openStore } from "../../../src/storage/OpenStore.ts"
import type { LogLimits } from "../../../src/storage/StorageOptions.ts"
import { pack } from "../../../src/storage/WorkerProtocol.ts"
import { type SeededRandom, stream } from "../../../src/testing/simulator/SeededRandom.ts"
import { Contents, difference, linesIn } from "./Contents.ts"
import { TornDisk } from "./TornDisk.ts"
import { tornLogFiles } from "./TornLogFile.ts"
import { databaseName, WasmDatabase } from "./WasmDatabase.ts"

export interface PowerCutOptions {
  readonly seed: number
  /** Planted over the product's own setting, FULL. */
  readonly synchronous?: "NORMAL" | "OFF"
  /** Planted: the log does not sync what it appends. */
  readonly isLogUnsynced?: boolean
  readonly cuts?: number
}

const identity = { node: "n1", cluster: "s2", partitionCount: 4 }

interface PowerCutStore {
  readonly database: WasmDatabase
  readonly committer: Committer
  readonly reader: Reader
}

const unsynced = ([first, second]: LogFiles): LogFiles => [
  { ...first, sync: () => {} },
  { ...second, sync: () => {} }
]

/** A loss or a broken promise. */
class Loss extends Error {
  override readonly name = "Loss"
}

export class PowerCuts {
  readonly disk = new TornDisk()
  readonly counts = {
    groups: 0,
    acknowledged: 0,
    /** Groups that a cut met, and how many of these were found. */
    interrupted: 0,
    interruptedFound: 0,
    /** Openings that a cut met, and closings. */
    opens: 0,
    closes: 0
  }
  readonly #options: PowerCutOptions
  readonly #faults: SeededRandom
  readonly #sqlite: SeededRandom
  /** Undefined where it stays as the product has it: then no run writes enough for a checkpoint. */
  readonly #checkpointPages: number | undefined
  readonly #limits: LogLimits
  #contents: Contents
  /** With the group that the last cut met. */
  #interrupted: Contents | undefined
  /** The greatest that an opening has told. */
  #epoch = 0
  #database: WasmDatabase | undefined

  constructor(options: PowerCutOptions) {
    const { seed } = options
    this.#options = options
    this.#faults = stream(seed, "faults")
    this.#sqlite = stream(seed, "sqlite")
    this.#contents = new Contents(stream(seed, "contents"))
    this.#checkpointPages = this.#faults.pick([16, 100, undefined])
    // Without a log each commit writes the tables, and the sync of these is the one to plant.
    const logBytesMax = options.synchronous === undefined
      ? this.#faults.pick([0, 8_000, 40_000, 200_000])
      : 0
    this.#limits = {
      logBytesMax,
      logGrowthBytes: this.#faults.pick([1, 3_000]),
      foldRowsMax: this.#faults.pick([1, 4, lan.node.foldRowsMax])
    }
    // As `StoreDirectory` does before SQLite sees the file.
    this.disk.open(databaseName)
    this.disk.syncDirectory()
  }

  /** Runs to the end, or to the first loss, and returns it. */
  run(): string | undefined {
    try {
      for (let cut = 0; cut < (this.#options.cuts ?? 3); cut++) {
        this.#live()
        this.#kill()
        this.disk.restorePower(this.#faults)
      }
      this.#check(this.#open())
      return undefined
    } catch (error) {
      if (error instanceof Loss) return error.message
      throw error
    } finally {
      this.#kill()
    }
  }

  /** Of all that is durable. */
  get fingerprint(): string {
    const files = this.disk.files.map(([name, bytes]) => Buffer.concat([Buffer.from(name), bytes]))
    return Buffer.from(md5(Buffer.concat(files))).toString("hex")
  }

  /** A process from its start to its end, or to that of its power. */
  #live(): void {
    const random = this.#faults
    if (random.chance(0.2)) this.#cutWithin(30)
    const store = this.#openUnlessCut()
    if (store === undefined) return
    this.#check(store)
    const hasLog = this.#limits.logBytesMax > 0
    // A commit to the log makes two changes, one to the tables some more.
    if (random.chance(0.6)) this.#cutWithin(hasLog ? random.pick([10, 40]) : 120)
    this.#commitGroups(store)
    if (this.disk.isOff || random.chance(0.7)) return
    // A closing makes few changes: the power must fail soon to meet one.
    if (random.chance(0.7)) this.#cutWithin(10)
    store.committer.settle()
    store.database.close()
    if (this.disk.isOff) this.counts.closes++
  }

  /** The process dies of the power cut: its later actions change nothing. */
  #kill(): void {
    this.disk.cutPower()
    this.#database?.close()
  }

  /** The power will fail in the middle of one of the next changes to the disk. */
  #cutWithin(changesMax: number): void {
    if (!this.disk.isOff) this.disk.cutPower(this.#faults.integer(1, changesMax))
  }

  #openUnlessCut(): PowerCutStore | undefined {
    try {
      const store = this.#open()
      if (!this.disk.isOff) return store
    } catch (error) {
      if (!this.disk.isOff) throw error
    }
    this.counts.opens++
    return undefined
  }

  /** Another one after the first opening: a store that takes it has lost its log. */
  #newStoreId(): string {
    return this.#epoch === 0 ? "store" : "another"
  }

  #open(): PowerCutStore {
    try {
      const database = new WasmDatabase(this.disk, this.#sqlite)
      this.#database = database
      const fileBytesMax = lan.node.storageBytesMax
      const files = tornLogFiles(this.disk)
      const { committer, store: { epoch, storeId } } = openStore(
        database,
        this.#options.isLogUnsynced === true ? unsynced(files) : files,
        { identity, fileBytesMax, newStoreId: this.#newStoreId(), limits: this.#limits }
      )
      if (storeId !== "store") throw new Loss("the log is damaged")
      if (epoch <= this.#epoch) throw new Loss(`epoch ${epoch} comes again`)
      this.#epoch = epoch
      const { synchronous } = this.#options
      if (synchronous !== undefined) database.exec(`PRAGMA synchronous = ${synchronous}`)
      const pages = this.#checkpointPages
      if (pages !== undefined) database.exec(`PRAGMA wal_autocheckpoint = ${pages}`)
      return { database, committer, reader: new Reader(database) }
    } catch (error) {
      throw new Loss(`it cannot be opened: ${messageOf(error)}`)
    }
  }

  #check({ database, reader }: PowerCutStore): void {
    const found = this.#readable(() => linesIn({ database, reader }))
    const lost = difference(this.#contents.lines, found)
    if (lost !== undefined) {
      const interrupted = this.#interrupted
      if (interrupted === undefined || difference(interrupted.lines, found) !== undefined) {
        throw new Loss(`it holds ${lost}`)
      }
      this.#contents = interrupted
      this.counts.interruptedFound++
    }
    this.#interrupted = undefined
    const verdict = this.#readable(() => database.prepare("PRAGMA integrity_check").all())
    if (verdict.length !== 1 || verdict[0]?.["integrity_check"] !== "ok") {
      throw new Loss(`SQLite finds ${JSON.stringify(verdict)}`)
    }
  }

  #readable<A>(read: () => A): A {
    try {
      return read()
    } catch (error) {
      throw new Loss(`it cannot be read: ${messageOf(error)}`)
    }
  }

  #commitGroups({ committer }: PowerCutStore): void {
    for (let left = this.#faults.integer(3, 12); left > 0; left--) {
      const after = this.#contents.copy()
      const failure = committer.commit([pack(after.next(++this.counts.groups))])
      if (failure === undefined) {
        this.#contents = after
        this.counts.acknowledged++
        committer.fold()
        continue
      }
      if (!this.disk.isOff) throw new Loss(`it takes nothing more: ${failure.detail}`)
      this.#interrupted = after
      this.counts.interrupted++
      return
    }
  }
}
