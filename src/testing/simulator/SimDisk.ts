/**
 * Keeps what one node has on disk over its lives, and what its present life has not synced yet.
 *
 * A commit is a group: it takes the disk's time, then all of it is durable or, if the disk fails,
 * none. A crash keeps a prefix of the groups under way, as a write-ahead log does. Damage is what
 * disks do: flipped bits (the row's checksum tells), missing rows, old pages, a lost end of the
 * log (nothing tells).
 */
import type {
  Change,
  Committed,
  ReadResult,
  RowKey,
  StorageFailure,
  StorageService,
  StoredDocument
} from "../../storage/Storage.ts"
import type { Kernel, Owner } from "./Kernel.ts"
import type { SeededRandom } from "./SeededRandom.ts"

interface Row {
  readonly key: RowKey
  readonly document: StoredDocument
}

/** One image of a disk. */
interface Image {
  readonly rows: Map<string, Row>
  readonly facts: Map<string, string>
  /** Rows whose bytes rotted: reading one says so, writing it anew mends it. */
  readonly damaged: Set<string>
}

interface Write {
  readonly changes: ReadonlyArray<Change>
  readonly facts: ReadonlyArray<readonly [string, string]>
  readonly done: Committed
}

/** What the disk does at present. */
export interface DiskMood {
  readonly meanCommitMillis: number
  readonly full: boolean
  /** Share of commits that fail with an I/O error. */
  readonly errorShare: number
}

export const fitDisk: DiskMood = { meanCommitMillis: 1, full: false, errorShare: 0 }

const nameOf = (key: RowKey): string =>
  `${key.partition} ${key.bucket} ${key.partitionKey}\u0000${key.sortKey}`

const copy = (image: Image): Image => ({
  rows: new Map(image.rows),
  facts: new Map(image.facts),
  damaged: new Set(image.damaged)
})

/** How many past images are kept for lost ends of the log and old backups. */
const imagesMax = 64

const changed = (
  before: StoredDocument | undefined,
  change: Change
): StoredDocument | undefined => {
  if (change.header === undefined) return undefined
  const elements = new Map(before?.elements)
  for (const [path, bytes] of change.elements) {
    if (bytes === undefined) elements.delete(path)
    else elements.set(path, bytes)
  }
  return { header: change.header, elements }
}

type Wrote = (key: RowKey, document: StoredDocument) => void

const apply = (image: Image, write: Write, wrote: Wrote = () => {}): void => {
  for (const change of write.changes) {
    const name = nameOf(change.key)
    const document = changed(image.rows.get(name)?.document, change)
    image.damaged.delete(name)
    if (document === undefined) {
      image.rows.delete(name)
      continue
    }
    image.rows.set(name, { key: change.key, document })
    wrote(change.key, document)
  }
  for (const [name, value] of write.facts) image.facts.set(name, value)
}

export interface SimDiskOptions {
  readonly kernel: Kernel
  readonly random: SeededRandom
  /** Told of every document that becomes durable. */
  readonly wrote: Wrote
}

export class SimDisk {
  /** Grows whenever somebody changes what the disk does or holds. */
  disturbances = 0
  readonly counts = {
    commits: 0,
    failures: 0,
    crashesWithWaiting: 0,
    groupsLost: 0,
    damagedReads: 0
  }
  #mood = fitDisk
  #image: Image = { rows: new Map(), facts: new Map(), damaged: new Set() }
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
    return this.#mood
  }

  setMood(mood: Partial<DiskMood>): void {
    this.disturbances++
    this.#mood = { ...this.#mood, ...mood }
  }

  commit(writes: ReadonlyArray<Write>): void {
    this.#past.push(copy(this.#image))
    if (this.#past.length > imagesMax) this.#past.shift()
    for (const write of writes) apply(this.#image, write, this.#options.wrote)
    this.counts.commits++
  }

  wipe(): void {
    this.disturbances++
    this.#image = { rows: new Map(), facts: new Map(), damaged: new Set() }
    this.#past.length = 0
  }

  /** Goes back `commits` commits, as after a WAL with a flipped bit, or an old backup. */
  rewind(commits: number): void {
    this.disturbances++
    const index = Math.max(0, this.#past.length - commits)
    const image = this.#past[index]
    if (image !== undefined) this.#image = copy(image)
    this.#past.length = index
  }

  /** Flips a bit in a row that `random` picks; its checksum will not fit. */
  rot(): void {
    this.disturbances++
    const names = [...this.#image.rows.keys()].sort()
    if (names.length > 0) this.#image.damaged.add(this.#random.pick(names))
  }

  /** Loses a row that `random` picks, without a trace. */
  loseRow(): void {
    this.disturbances++
    const names = [...this.#image.rows.keys()].sort()
    if (names.length > 0) this.#image.rows.delete(this.#random.pick(names))
  }

  /** Brings back an old version of a row that `random` picks. */
  staleRow(): void {
    this.disturbances++
    const old = this.#past[0]
    const names = old === undefined ? [] : [...old.rows.keys()].sort()
    if (old === undefined || names.length === 0) return
    const name = this.#random.pick(names)
    this.#image.rows.set(name, old.rows.get(name)!)
  }

  /** A line for each row, for hashes of a whole run. */
  describe(): ReadonlyArray<string> {
    return [...this.#image.rows].map(([name, { document }]) =>
      `${name} ${Buffer.from(document.header).toString("hex")} ${
        [...document.elements].map(([path, bytes]) =>
          `${path}=${Buffer.from(bytes).toString("hex")}`
        )
          .sort().join(" ")
      }`
    ).sort()
  }
}

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
    let document = disk.image.rows.get(name)?.document
    let damaged = disk.image.damaged.has(name)
    for (const write of [...this.#committing, ...this.#waiting]) {
      for (const change of write.changes) {
        if (nameOf(change.key) !== name) continue
        document = changed(damaged ? undefined : document, change)
        damaged = false
      }
    }
    if (damaged) {
      disk.counts.damagedReads++
      return { _tag: "Damaged", detail: "the checksum does not fit" }
    }
    return document === undefined ? { _tag: "Absent" } : { _tag: "Found", document }
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
    const millis = random.exponential(disk.mood.meanCommitMillis)
    kernel.at(owner, kernel.now + millis, () => this.#end())
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
    const { mood } = this.#options.disk
    if (mood.full) return { kind: "full", detail: "no space is left" }
    if (random.chance(mood.errorShare)) return { kind: "failing", detail: "an I/O error" }
    return undefined
  }
}
