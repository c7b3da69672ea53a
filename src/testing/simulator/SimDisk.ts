/**
 * Keeps the disk of one node over its incarnations, and the writes that its present incarnation has
 * not synced yet.
 *
 * A commit is a group: it takes the disk's time, then all of it is durable or, if the disk fails,
 * none. A crash keeps a prefix of the writes under way, as a write-ahead log does.
 */
import { digest64 } from "../../core/Hash.ts"
import { lan } from "../../core/model/Limits.ts"
import type { RowKey, StorageService } from "../../storage/Storage.ts"
import type { LogLimits, StorageLimits } from "../../storage/StorageOptions.ts"
import { Conditions } from "./Conditions.ts"
import {
  apply,
  copy,
  type DiskDocument,
  type DiskWrite,
  empty,
  type Harm,
  type Image,
  isSilent,
  nameOf,
  type Wrote
} from "./DiskImage.ts"
import { type DiskMood, fitDisk } from "./DiskMood.ts"
import { DiskSession } from "./DiskSession.ts"
import type { Kernel, Owner } from "./Kernel.ts"
import type { Plan } from "./Plan.ts"
import type { SeededRandom } from "./SeededRandom.ts"

export const noCounts = {
  commits: 0,
  failures: 0,
  crashesWithWaiting: 0,
  groupsLost: 0,
  damagedReads: 0
}

/** How many past images are kept for lost ends of the log and old backups. */
const imagesMax = 64

export interface SimDiskOptions {
  readonly kernel: Kernel
  readonly random: SeededRandom
  /** Names a new store: a new disk, and a wiped one. */
  readonly storeId: () => string
  /** Those of a local network unless others are given. */
  readonly limits?: StorageLimits & Partial<LogLimits>
  /** Told of every document that becomes durable. */
  readonly wrote: Wrote
  /** Told the name of a fault each time that it meets a commit. */
  readonly did: (fault: string) => void
}

/** A document that was damaged. */
export interface Harmed {
  readonly key: RowKey
  /** Nothing on the disk tells. */
  readonly isSilent: boolean
}

/** The disk as one incarnation of a node uses it. */
export interface OpenDisk {
  readonly service: StorageService
  /** The process dies. */
  readonly crash: () => void
  /** The process ends as asked, and has waited for its commits. */
  readonly stop: () => void
}

export class SimDisk {
  /** As plans name it. */
  readonly kind: Plan["disk"] = "model"
  /** Grows whenever the disk's behaviour or content is changed. */
  disturbances = 0
  /** Whether some document on it may be unreadable. */
  isHarmed = false
  /** When the last commit that was begun will have ended. */
  busyUntil = 0
  readonly counts = { ...noCounts }
  readonly #mood = new Conditions<DiskMood>(fitDisk)
  #image: Image
  /** Images before each of the last commits, oldest first. */
  readonly #past: Array<Image> = []
  readonly #options: SimDiskOptions
  readonly #random: SeededRandom

  constructor(options: SimDiskOptions) {
    this.#options = options
    this.#random = options.random
    this.#image = empty(options.storeId())
  }

  /** Opens the disk for one incarnation of its node. */
  open(owner: Owner): OpenDisk {
    const { kernel, limits = lan.node } = this.#options
    const { store } = this.#image
    this.#image = { ...this.#image, store: { ...store, epoch: store.epoch + 1 } }
    const session = new DiskSession({ disk: this, kernel, random: this.#random, owner, limits })
    const crash = () => session.crash()
    return { service: session.service(), crash, stop: crash }
  }

  get image(): Image {
    return this.#image
  }

  get mood(): DiskMood {
    return this.#mood.now
  }

  /** The disk's behaviour under a fault, by the fault's id; normal again where it is left out. */
  setMood(fault: number, bad?: Partial<DiskMood>): void {
    this.disturbances++
    this.#mood.set(fault, bad)
  }

  heal(): void {
    this.disturbances++
    this.#mood.clear()
  }

  commit(writes: ReadonlyArray<DiskWrite>): void {
    this.#past.push(copy(this.#image))
    if (this.#past.length > imagesMax) this.#past.shift()
    for (const write of writes) apply(this.#image, write, this.#options.wrote)
    const { store } = this.#image
    const count = writes.reduce((sum, { documents }) => sum + documents.length, 0)
    this.#image = { ...this.#image, store: { ...store, changes: store.changes + count } }
    this.counts.commits++
  }

  /** Takes over the content of another disk. */
  copyFrom(other: SimDisk): void {
    this.#image = copy(other.#image)
    this.#past.push(...other.#past)
  }

  wipe(): boolean {
    this.hold(empty(this.#options.storeId()))
    return true
  }

  /** Goes back `commits` commits, as after a WAL with a flipped bit, or to an old backup. */
  rewind(commits: number): boolean {
    const past = this.#past.slice(0, Math.max(0, this.#past.length - commits) + 1)
    const image = past.pop()
    if (image === undefined) return false
    this.hold(image, past)
    return true
  }

  /** Holds another image from now on. */
  protected hold(image: Image, past: ReadonlyArray<Image> = []): void {
    this.disturbances++
    this.#image = copy(image)
    this.#past.splice(0, this.#past.length, ...past)
  }

  /** Damages a document that chance picks; undefined where that changes nothing. */
  damage(random: SeededRandom, harm: Harm): Harmed | undefined {
    // By rank, so that without one of the others it is mostly the same one.
    const salt = random.next()
    const rank = (name: string) => digest64(`${salt} ${name}`)
    const { documents } = this.#image
    const [name] = [...documents.keys()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
    if (name === undefined) return undefined
    const before = documents.get(name)!
    const past = this.#past.flatMap((image) => image.documents.get(name) ?? [])
    const after = harm(before, random, past)
    if (after === before) return undefined
    this.disturbances++
    this.isHarmed = true
    this.replace(before.key, after)
    return { key: before.key, isSilent: isSilent(before, after) }
  }

  /** Replaces a document by the one that a fault made of it. */
  protected replace(key: RowKey, after: DiskDocument | undefined): void {
    if (after === undefined) this.#image.documents.delete(nameOf(key))
    else this.#image.documents.set(nameOf(key), after)
  }

  /** A line for each document and row, for hashes of a whole run. */
  describe(): ReadonlyArray<string> {
    const { documents, rows, store } = this.#image
    const lines = [...documents].map(([name, { elements, header, sequence }]) =>
      `${name} ${sequence} ${hex(header)} ${
        [...elements].map(([path, bytes]) => `${path}=${hex(bytes)}`).sort().join(" ")
      }`
    )
    for (const [name, { bytes }] of rows) lines.push(`${name} ${hex(bytes)}`)
    return [...lines.sort(), `${store.storeId} ${store.epoch} ${store.changes}`]
  }

  did(fault: string): void {
    this.#options.did(fault)
  }
}

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex")
