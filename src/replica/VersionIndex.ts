/**
 * Keeps the hashes of the versions that a replica holds, by partition and bucket, so that two
 * replicas can be compared. They lie in memory, 8 bytes a document, and a write changes one
 * of them; a start makes them anew from the rows, in small steps, so no write to the disk is needed
 * that could be lost apart from its document.
 *
 * While the rows of a partition are being read, a write up to the last row that was read changes
 * the hashes, and one behind it is met by a later step. Where a change does not fit the hashes, or
 * a commit failed, or a row is damaged, those of the partition are made anew.
 *
 * Rows that the disk changes tell nobody: so each partition is read again now and then, whole.
 */
import { addSums, HashSet, isSameSum, noSum, type Sum } from "../core/anti-entropy/HashSet.ts"
import { type HashKey, VersionHasher } from "../core/anti-entropy/VersionHash.ts"
import { Malformed } from "../core/codec/Bytes.ts"
import type { AntiEntropyLimits } from "../core/model/AntiEntropyLimits.ts"
import { isEncoded } from "../core/model/DocumentKey.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import type { Cancel, Runtime } from "../core/Runtime.ts"
import { compareKeys } from "../storage/KeyOrder.ts"
import { ScanFailed, type StorageService } from "../storage/Storage.ts"
import * as RowCodec from "./RowCodec.ts"
import { UnreadPartitions } from "./UnreadPartitions.ts"

export type VersionLimits =
  & Pick<AntiEntropyLimits, "scrubMillis" | "versionPauseMillis" | "versionRowsMax">
  & Pick<NodeLimits, "diskRetryMillis">

/** Whether the documents of a bucket are meant. */
export type Includes = (bucket: string) => boolean

/** A version that a row holds. */
export interface HeldVersion {
  readonly key: RowKey
  readonly high: number
  readonly low: number
}

/** The versions of some rows of a partition, in order. */
export interface HeldVersions {
  readonly versions: ReadonlyArray<HeldVersion>
  /** The last row looked at; undefined where the partition ends. */
  readonly through: RowKey | undefined
}

/** The hashes of the rows of a partition that have been read. */
class PartitionHashes {
  readonly partition: number
  readonly sets = new Map<string, HashSet>()
  /** The last row that was read; undefined before the first. */
  through: RowKey | undefined
  isWhole = false
  /** Whether elements are read, too, and not the headers alone. */
  readonly isScrub: boolean

  constructor(partition: number, isScrub: boolean) {
    this.partition = partition
    this.isScrub = isScrub
  }

  setOf(bucket: string): HashSet {
    let set = this.sets.get(bucket)
    if (set === undefined) this.sets.set(bucket, set = new HashSet())
    return set
  }

  covers(key: RowKey): boolean {
    return this.isWhole || this.through !== undefined && compareKeys(key, this.through) <= 0
  }

  sum(includes: Includes): Sum {
    let sum = noSum
    for (const [bucket, set] of this.sets) if (includes(bucket)) sum = addSums(sum, set.sum)
    return sum
  }
}

const all: Includes = () => true

export class VersionIndex {
  readonly #runtime: Runtime
  readonly #storage: StorageService
  readonly #limits: VersionLimits
  readonly #rowsChanged: (partition: number) => void
  #hasher = new VersionHasher([0, 0])
  #partitionCount = 0
  readonly #partitions = new Map<number, PartitionHashes>()
  /** The partition that is read again. */
  #scrub: PartitionHashes | undefined
  #next = 0
  #nextScrub = 0
  #scrubAt = 0
  #unread = new UnreadPartitions({ first: 0, longest: 0 })
  /** Partitions whose rows may be damaged, so that their elements are read, too. */
  readonly #suspects = new Set<number>()
  #cancel: Cancel = () => {}
  #counts = { mismatches: 0, scrubbed: 0, damagedRows: 0 }

  constructor(options: {
    readonly runtime: Runtime
    readonly storage: StorageService
    readonly limits: VersionLimits
    /** Told of each partition in which the disk has changed rows. */
    readonly rowsChanged?: (partition: number) => void
  }) {
    this.#rowsChanged = options.rowsChanged ?? (() => {})
    this.#runtime = options.runtime
    this.#storage = options.storage
    this.#limits = options.limits
  }

  /** Begins to hash the versions in all rows; before that a write costs nothing here. */
  start(partitionCount: number, key: HashKey): void {
    this.#hasher = new VersionHasher(key)
    this.#partitionCount = partitionCount
    this.#unread = this.#noneUnread()
    this.#schedule(0)
  }

  #noneUnread(): UnreadPartitions {
    const { diskRetryMillis, scrubMillis } = this.#limits
    const longest = scrubMillis / this.#partitionCount
    return new UnreadPartitions({ first: diskRetryMillis, longest })
  }

  close(): void {
    this.#partitionCount = 0
    this.#cancel()
    this.#partitions.clear()
    this.#scrub = undefined
  }

  stats() {
    let [bytes, versions, whole] = [0, 0, 0]
    for (const { isWhole, sets } of this.#partitions.values()) {
      if (isWhole) whole++
      for (const set of sets.values()) {
        bytes += set.bytes
        versions += set.size
      }
    }
    return { ...this.#counts, bytes, versions, whole }
  }

  /** Whether all rows of a partition are known. */
  isWhole(partition: number): boolean {
    return this.#partitions.get(partition)?.isWhole === true
  }

  /** The sum of the hashes of a partition. */
  sum(partition: number, includes: Includes): Sum {
    return this.#partitions.get(partition)?.sum(includes) ?? noSum
  }

  /** Calls back with each hash of a partition. */
  each(
    partition: number,
    includes: Includes,
    visit: (high: number, low: number) => void
  ): void {
    for (const [bucket, set] of this.#partitions.get(partition)?.sets ?? []) {
      if (includes(bucket)) set.each(visit)
    }
  }

  /** Whether a version is held. */
  has(partition: number, high: number, low: number): boolean {
    for (const set of this.#partitions.get(partition)?.sets.values() ?? []) {
      if (set.has(high, low)) return true
    }
    return false
  }

  /** Notes that a document has another version; an absent digest says that there is none. */
  changed(key: RowKey, before: string | undefined, after: string | undefined): void {
    if (before === after || this.#partitionCount === 0) return
    const held = this.#partitions.get(key.partition)
    if (held !== undefined) this.#change(held, key, before, after)
    const scrub = this.#scrub
    if (scrub?.partition === key.partition) this.#change(scrub, key, before, after)
  }

  /** The hashes of a partition may not be those of its rows: they are made anew. */
  forget(partition: number, isDamaged = false): void {
    if (this.#partitionCount === 0) return
    if (isDamaged) this.#suspects.add(partition)
    this.#partitions.delete(partition)
    if (this.#scrub?.partition === partition) this.#scrub = undefined
    this.#next = Math.min(this.#next, partition)
    this.#schedule(this.#limits.versionPauseMillis)
  }

  forgetAll(): void {
    if (this.#partitionCount === 0) return
    this.#partitions.clear()
    this.#unread = this.#noneUnread()
    this.#scrub = undefined
    this.#next = 0
    this.#schedule(this.#limits.versionPauseMillis)
  }

  /** The versions of the rows after a key of a partition. Throws `ScanFailed`. */
  look(partition: number, after: RowKey | undefined, isScrub = false): HeldVersions {
    const limit = this.#limits.versionRowsMax
    const keys = this.#storage.scan({ partition, after, limit })
    const versions: Array<HeldVersion> = []
    for (const key of keys) {
      const digest = this.#digestOf(key, isScrub)
      if (digest === undefined) continue
      const { high, low } = this.#hasher.hash(key, digest)
      versions.push({ key, high, low })
    }
    return { versions, through: keys.length < limit ? undefined : keys.at(-1) }
  }

  #digestOf(key: RowKey, isScrub: boolean): string | undefined {
    // A damaged key names no document, and no node would take it.
    if (!isEncoded(key.partitionKey) || !isEncoded(key.sortKey)) return undefined
    if (!isScrub) {
      const stored = this.#storage.readHeader(key)
      const digest = stored._tag === "Found" ? RowCodec.headerDigest(stored.document) : undefined
      if (digest !== undefined) return digest
    }
    const stored = this.#storage.read(key)
    const held = stored._tag === "Found" ? RowCodec.decode(stored.document) : undefined
    if (held !== undefined && !(held instanceof Malformed)) return held.digest
    if (stored._tag !== "Absent") this.#counts.damagedRows++
    return undefined
  }

  #change(
    held: PartitionHashes,
    key: RowKey,
    before: string | undefined,
    after: string | undefined
  ): void {
    if (!held.covers(key)) return
    const set = held.setOf(key.bucket)
    const hasher = this.#hasher
    let fits = true
    if (before !== undefined) {
      hasher.hash(key, before)
      fits = set.delete(hasher.high, hasher.low)
    }
    if (after !== undefined) {
      hasher.hash(key, after)
      fits = set.add(hasher.high, hasher.low) && fits
    }
    if (fits) return
    // The row was not what it had been: the disk gave back an earlier one.
    this.#counts.mismatches++
    this.#runtime.mark("anti-entropy: hashes that do not fit their row are made anew")
    this.forget(key.partition)
  }

  #schedule(millis: number): void {
    this.#cancel()
    this.#cancel = this.#runtime.after(millis, () => this.#proceed())
  }

  /** Takes one step, and schedules the next one. */
  #proceed(): void {
    if (this.#partitionCount === 0) return
    const { versionPauseMillis, versionRowsMax } = this.#limits
    const now = this.#runtime.elapsed()
    this.#next = Math.min(this.#next, this.#unread.firstDue(now))
    for (let left = versionRowsMax; left > 0;) {
      while (this.isWhole(this.#next) || this.#unread.isPaused(this.#next, now)) this.#next++
      if (this.#next >= this.#partitionCount) break
      left -= 1 + this.#read(this.#next)
    }
    const isRead = () => this.#next >= this.#partitionCount
    if (isRead() && (this.#scrub !== undefined || this.#scrubAt <= now)) this.#scrubNext()
    if (!isRead() || this.#scrub !== undefined) return this.#schedule(versionPauseMillis)
    this.#schedule(Math.max(Math.min(this.#scrubAt, this.#unread.nextAt()) - now, 0))
  }

  /** Reads the next rows of a partition whose hashes are not whole; says how many. */
  #read(partition: number): number {
    let held = this.#partitions.get(partition)
    if (held === undefined) {
      held = new PartitionHashes(partition, this.#suspects.delete(partition))
      this.#partitions.set(partition, held)
    }
    const count = this.#extend(held)
    if (count === undefined) {
      this.#unread.failed(partition, this.#runtime.elapsed())
      return 0
    }
    this.#unread.read(partition)
    if (held.isWhole && held.isScrub) this.#rowsChanged(partition)
    return count
  }

  /** Undefined where the disk cannot tell the rows. */
  #extend(held: PartitionHashes): number | undefined {
    const looked = this.#lookOn(held)
    if (looked === undefined) return undefined
    const { through, versions } = looked
    for (const { high, key, low } of versions) held.setOf(key.bucket).add(high, low)
    held.through = through
    held.isWhole = through === undefined
    return versions.length
  }

  #lookOn({ isScrub, partition, through }: PartitionHashes): HeldVersions | undefined {
    try {
      return this.look(partition, through, isScrub)
    } catch (error) {
      if (error instanceof ScanFailed) return undefined
      throw error
    }
  }

  /** Reads the next rows of the partition that is read again. */
  #scrubNext(): void {
    this.#nextScrub %= this.#partitionCount
    const scrub = this.#scrub ??= new PartitionHashes(this.#nextScrub, true)
    const count = this.#extend(scrub)
    if (count !== undefined && !scrub.isWhole) return
    this.#scrub = undefined
    this.#nextScrub++
    this.#scrubAt = this.#runtime.elapsed() + this.#limits.scrubMillis / this.#partitionCount
    // Its turn comes again after all others.
    if (count === undefined) return
    this.#counts.scrubbed++
    const held = this.#partitions.get(scrub.partition)
    if (held !== undefined && isSameSum(held.sum(all), scrub.sum(all))) return
    this.#counts.mismatches++
    this.#runtime.mark("anti-entropy: a scrub finds rows that the disk has changed")
    this.#partitions.set(scrub.partition, scrub)
    this.#rowsChanged(scrub.partition)
  }
}
