/**
 * Keeps what one node has on disk over its lives, and what its present life has not synced yet.
 *
 * A commit is a group: it takes the disk's time, then all of it is durable or, if the disk fails,
 * none. A crash keeps a prefix of the groups under way, as a write-ahead log does.
 */
import { digest64 } from "../../core/Hash.ts"
import type {
  Change,
  Committed,
  ReadResult,
  RowKey,
  StorageFailure,
  StorageService,
  StoredDocument
} from "../../storage/Storage.ts"
import { Conditions } from "./Conditions.ts"
import { changed, copy, empty, type Harm, type Image, nameOf, readRow } from "./DiskImage.ts"
import type { Kernel, Owner } from "./Kernel.ts"
import type { SeededRandom } from "./SeededRandom.ts"

interface Write {
  readonly changes: ReadonlyArray<Change>
  readonly facts: ReadonlyArray<readonly [string, string]>
  readonly done: Committed
}

/** What the disk does at present. */
export interface DiskMood {
  readonly meanCommitMillis: number
  /** Share of commits that find no space. */
  readonly fullShare: number
  /** Share of commits that fail with an I/O error. */
  readonly errorShare: number
}

export const fitDisk: DiskMood = { meanCommitMillis: 1, fullShare: 0, errorShare: 0 }

/** How many past images are kept for lost ends of the log and old backups. */
const imagesMax = 64

type Wrote = (key: RowKey, document: StoredDocument) => void

const apply = (image: Image, write: Write, wrote: Wrote = () => {}): void => {
  for (const change of write.changes) {
    const name = nameOf(change.key)
    const row = changed(image.rows.get(name), change)
    if (row === undefined) image.rows.delete(name)
    else image.rows.set(name, row)
    const result = readRow(row)
    if (result._tag === "Found") wrote(change.key, result.document)
  }
  for (const [name, value] of write.facts) image.facts.set(name, value)
}

export interface SimDiskOptions {
  readonly kernel: Kernel
  readonly random: SeededRandom
  /** Told of every document that becomes durable. */
  readonly wrote: Wrote
  /** Told the name of a fault each time that it meets a commit. */
  readonly did: (fault: string) => void
}

export class SimDisk {
  /** Grows whenever somebody changes what the disk does or holds. */
  disturbances = 0
  /** Whether some document on it may be unreadable. */
  isHarmed = false
  /** When the last commit that was begun will have ended. */
  busyUntil = 0
  readonly counts = {
    commits: 0,
    failures: 0,
    crashesWithWaiting: 0,
    groupsLost: 0,
    damagedReads: 0
  }
  readonly #mood = new Conditions<DiskMood>(fitDisk)
  #image = empty()
  /** Images before each of the last commits, oldest first. */
  readonly #past: Array<Image> = []
  readonly #options: SimDiskOptions
  readonly #random: SeededRandom

  constructor(options: SimDiskOptions) {
    this.#options = options
    this.#random = options.random
  }

  /** Opens the disk for one life of its node. */
  open(owner: Owner): { readonly service: StorageService; readonly crash: () => void } {
    const { kernel } = this.#options
    const session = new Session({ disk: this, kernel, random: this.#random, owner })
    return { service: session.service(), crash: () => session.crash() }
  }

  get image(): Image {
    return this.#image
  }

  get mood(): DiskMood {
    return this.#mood.now
  }

  /** What a fault makes of the disk, by the fault's id; nothing any more where that is left out. */
  setMood(fault: number, bad?: Partial<DiskMood>): void {
    this.disturbances++
    this.#mood.set(fault, bad)
  }

  heal(): void {
    this.disturbances++
    this.#mood.clear()
  }

  commit(writes: ReadonlyArray<Write>): void {
    this.#past.push(copy(this.#image))
    if (this.#past.length > imagesMax) this.#past.shift()
    for (const write of writes) apply(this.#image, write, this.#options.wrote)
    this.counts.commits++
  }

  /** Holds what another disk holds. */
  copyFrom(other: SimDisk): void {
    this.#image = copy(other.#image)
    this.#past.push(...other.#past)
  }

  wipe(): boolean {
    this.disturbances++
    this.#image = empty()
    this.#past.length = 0
    return true
  }

  /** Goes back `commits` commits, as after a WAL with a flipped bit, or to an old backup. */
  rewind(commits: number): boolean {
    const index = Math.max(0, this.#past.length - commits)
    const image = this.#past[index]
    if (image === undefined) return false
    this.disturbances++
    this.#image = copy(image)
    this.#past.length = index
    return true
  }

  /** Does something to a document that chance picks; false where that changes nothing. */
  damage(random: SeededRandom, harm: Harm): boolean {
    // By rank, so that without one of the others it is mostly the same one.
    const salt = random.next()
    const rank = (name: string) => digest64(`${salt} ${name}`)
    const [name] = [...this.#image.rows.keys()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
    if (name === undefined) return false
    const before = this.#image.rows.get(name)!
    const past = this.#past.flatMap(({ rows }) => rows.get(name) ?? [])
    const after = harm(before, random, past)
    if (after === before) return false
    this.disturbances++
    this.isHarmed = true
    if (after === undefined) this.#image.rows.delete(name)
    else this.#image.rows.set(name, after)
    return true
  }

  /** A line for each row, for hashes of a whole run. */
  describe(): ReadonlyArray<string> {
    return [...this.#image.rows].map(([name, { elements, header }]) =>
      `${name} ${hex(header)} ${
        [...elements].map(([path, bytes]) => `${path}=${hex(bytes)}`).sort().join(" ")
      }`
    ).sort()
  }

  did(fault: string): void {
    this.#options.did(fault)
  }
}

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex")

interface SessionOptions {
  readonly disk: SimDisk
  readonly kernel: Kernel
  readonly random: SeededRandom
  readonly owner: Owner
}

/** What one life of a node does with its disk. */
class Session {
  readonly #options: SessionOptions
  #waiting: Array<Write> = []
  #committing: ReadonlyArray<Write> = []
  #scheduled = false
  #healthy = true

  constructor(options: SessionOptions) {
    this.#options = options
  }

  /** The process dies: of what was under way, as much reaches the disk as chance lets. */
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
      read: (key) => this.#read(key),
      write: (change, done) => this.#accept({ changes: [change], facts: [], done }),
      writeAll: (changes, done) => this.#accept({ changes, facts: [], done }),
      barrier: (done) => {
        if (this.#committing.length + this.#waiting.length === 0) done(undefined)
        else this.#accept({ changes: [], facts: [], done })
      },
      scan: ({ after, limit, partition }) => {
        const view = this.#view()
        const from = after === undefined ? "" : nameOf(after)
        return [...view.rows].filter(([name, row]) =>
          row.key.partition === partition && name > from
        )
          .sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, limit).map(([, row]) => row.key)
      },
      readFact: (name) => this.#view().facts.get(name),
      writeFact: (name, value, done) => this.#accept({ changes: [], facts: [[name, value]], done }),
      healthy: () => this.#healthy,
      stats: () => ({
        groups: disk.counts.commits,
        changes: 0,
        failures: disk.counts.failures,
        waiting: this.#waiting.length + this.#committing.length,
        damaged: disk.counts.damagedReads
      })
    }
  }

  /** The disk with what waits on top. */
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
    let row = disk.image.rows.get(name)
    for (const { changes } of [...this.#committing, ...this.#waiting]) {
      for (const change of changes) if (nameOf(change.key) === name) row = changed(row, change)
    }
    const result = readRow(row)
    if (result._tag === "Damaged") disk.counts.damagedReads++
    return result
  }

  #accept(write: Write): void {
    this.#waiting.push(write)
    this.#schedule()
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
    this.#committing = this.#waiting
    this.#waiting = []
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
    // What waits may rest on what failed, so it fails too.
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
