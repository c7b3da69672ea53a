/**
 * Keeps files as a machine does: a write is visible at once and durable once synced. A power cut
 * decides on everything else sector by sector: kept, dropped, or torn.
 *
 * Nothing orders unsynced writes, as in Pillai et al. (OSDI 2014): a late write may be kept and an
 * early one of the same file dropped, a file may have grown without its data, a deleted file may be
 * back. Bytes that were not written never change, which SQLite counts on as its own VFS for Unix
 * does (SQLITE_IOCAP_POWERSAFE_OVERWRITE).
 */
import type { SeededRandom } from "../../../src/testing/simulator/SeededRandom.ts"

const sectorBytes = 512

/** Why the disk does not do as it is told. */
export type Refusal = "off" | "full" | "failing"

export class DiskError extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(`the disk is ${refusal}`)
    this.refusal = refusal
  }
}

class Bytes {
  size = 0
  #buffer = new Uint8Array(0)

  /** New space reads as zeros. */
  resize(size: number): void {
    if (size > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(size, 2 * this.#buffer.length))
      grown.set(this.all)
      this.#buffer = grown
    }
    this.#buffer.fill(0, size, this.size)
    this.size = size
  }

  write(offset: number, bytes: Uint8Array): void {
    if (offset + bytes.length > this.size) this.resize(offset + bytes.length)
    this.#buffer.set(bytes, offset)
  }

  get all(): Uint8Array {
    return this.#buffer.subarray(0, this.size)
  }
}

interface TornWrite {
  readonly kind: "write"
  readonly offset: number
  readonly bytes: Uint8Array
}

type Unsynced = TornWrite | { readonly kind: "truncate"; readonly size: number }

/** How many power cuts there were, and the fate of sectors at them. */
export interface CutCounts {
  cuts: number
  kept: number
  dropped: number
  torn: number
}

interface Chances {
  readonly random: SeededRandom
  /** Share of sectors that are kept; of the others, half are dropped and half are torn. */
  readonly keptShare: number
  readonly counts: CutCounts
}

/** The file of a name, which may be renamed and made anew. */
class Inode {
  readonly current = new Bytes()
  readonly durable = new Bytes()
  #unsynced: Array<Unsynced> = []

  do(change: Unsynced): void {
    apply(this.current, change)
    this.#unsynced.push(change)
  }

  sync(): void {
    for (const change of this.#unsynced) apply(this.durable, change)
    this.#unsynced = []
  }

  /** Keeps a part of the unsynced writes, by chance. */
  lose(chances: Chances): void {
    const { keptShare, random } = chances
    for (const change of this.#unsynced) {
      if (change.kind === "write") this.#tear(change, chances)
      else if (random.chance(keptShare)) apply(this.durable, change)
    }
    this.#unsynced = []
    this.current.resize(0)
    this.current.write(0, this.durable.all)
  }

  #tear({ bytes, offset }: TornWrite, { counts, keptShare, random }: Chances): void {
    const end = offset + bytes.length
    if (end > this.durable.size && random.chance(0.5)) this.durable.resize(end)
    for (let at = 0; at < bytes.length;) {
      const rest = bytes.subarray(at, at + sectorBytes - (offset + at) % sectorBytes)
      if (random.chance(keptShare)) {
        counts.kept++
        this.durable.write(offset + at, rest)
      } else if (random.chance(0.5)) {
        counts.dropped++
      } else {
        counts.torn++
        const length = random.integer(1, rest.length - 1)
        this.durable.write(offset + at, rest.subarray(0, length))
      }
      at += rest.length
    }
  }
}

const apply = (bytes: Bytes, change: Unsynced): void => {
  if (change.kind === "truncate") bytes.resize(change.size)
  else bytes.write(change.offset, change.bytes)
}

export class TornDisk {
  readonly counts: CutCounts
  /** Refuses every change for this reason. */
  refusal: Refusal | undefined
  /** Writes that it still takes before it refuses them too, as one does that fails at a sync. */
  writesBeforeRefusal = 0
  #names = new Map<string, Inode>()
  readonly #durableNames = new Map<string, Inode>()
  /** The files of each name since its directory was synced; undefined once deleted. */
  readonly #unsyncedNames = new Map<string, Array<Inode | undefined>>()
  #changesLeft = Number.POSITIVE_INFINITY

  /** Counts on where `counts` are another disk's. */
  constructor(counts: CutCounts = { cuts: 0, kept: 0, dropped: 0, torn: 0 }) {
    this.counts = counts
  }

  get isOff(): boolean {
    return this.#changesLeft <= 0
  }

  /** Another disk, on which all that a process sees on this one is durable. */
  copy(counts?: CutCounts): TornDisk {
    const copy = new TornDisk(counts)
    for (const [name, { current }] of this.#names) {
      const file = copy.open(name)
      file.write(0, current.all)
      file.sync()
    }
    copy.syncDirectory()
    return copy
  }

  exists(name: string): boolean {
    this.needPower()
    return this.#names.has(name)
  }

  /** Opens a file; makes it where it does not exist. */
  open(name: string): TornFile {
    this.needPower()
    const inode = this.#names.get(name) ?? new Inode()
    if (!this.#names.has(name)) this.change(() => this.#name(name, inode))
    return new TornFile(this, inode)
  }

  remove(name: string): void {
    this.change(() => this.#name(name, undefined))
  }

  /** Which files there are is durable from here on. */
  syncDirectory(): void {
    this.change(() => {})
    for (const name of this.#unsyncedNames.keys()) this.#settleName(name)
  }

  /**
   * Cuts the power: now, or in the middle of one of the next changes (writes, syncs, deletions).
   * The owners of open files must close them before it returns.
   */
  cutPower(changes = 0): void {
    this.#changesLeft = changes
  }

  /** Carries out a change, which is not durable yet; throws where the power fails meanwhile. */
  change(make: () => void): void {
    if (this.refusal !== undefined) throw new DiskError(this.refusal)
    this.#carryOut(make)
  }

  /** The same for a write, which a disk may still take that refuses everything else. */
  write(make: () => void): void {
    if (this.writesBeforeRefusal-- > 0) this.#carryOut(make)
    else this.change(make)
  }

  #carryOut(make: () => void): void {
    this.needPower()
    make()
    this.#changesLeft--
    this.needPower()
  }

  /** Power returns: chance decides which unsynced writes are there. */
  restorePower(random: SeededRandom): void {
    // Some cuts lose next to nothing, some next to everything: each shows faults that the other
    // hides.
    const keptShare = random.pick([0, 0.5, 0.9, 0.98])
    const inodes = new Set([
      ...this.#durableNames.values(),
      ...[...this.#unsyncedNames.values()].flat()
    ])
    for (const inode of inodes) inode?.lose({ random, keptShare, counts: this.counts })
    for (const [name, versions] of this.#unsyncedNames) {
      this.#settleName(name, random.integer(0, versions.length))
    }
    this.#names = new Map(this.#durableNames)
    this.#changesLeft = Number.POSITIVE_INFINITY
    this.counts.cuts++
  }

  /** The durable content of every file, in order of name. */
  get files(): ReadonlyArray<readonly [name: string, bytes: Uint8Array]> {
    return [...this.#durableNames]
      .map(([name, { durable }]) => [name, durable.all] as const)
      .sort(([a], [b]) => a < b ? -1 : 1)
  }

  #name(name: string, inode: Inode | undefined): void {
    if (inode === undefined) this.#names.delete(name)
    else this.#names.set(name, inode)
    const versions = this.#unsyncedNames.get(name)
    if (versions === undefined) this.#unsyncedNames.set(name, [inode])
    else versions.push(inode)
  }

  /** Makes durable the file of a name, or the one after its first `count` changes. */
  #settleName(name: string, count = Number.POSITIVE_INFINITY): void {
    const versions = this.#unsyncedNames.get(name)?.slice(0, count) ?? []
    this.#unsyncedNames.delete(name)
    if (versions.length === 0) return
    const inode = versions.at(-1)
    if (inode === undefined) this.#durableNames.delete(name)
    else this.#durableNames.set(name, inode)
  }

  needPower(): void {
    if (this.isOff) throw new DiskError("off")
  }
}

export class TornFile {
  readonly #disk: TornDisk
  readonly #inode: Inode

  constructor(disk: TornDisk, inode: Inode) {
    this.#disk = disk
    this.#inode = inode
  }

  get size(): number {
    this.#disk.needPower()
    return this.#inode.current.size
  }

  /** At most `length` bytes, fewer at the end of the file; a view until the next change. */
  read(offset: number, length: number): Uint8Array {
    this.#disk.needPower()
    return this.#inode.current.all.subarray(offset, offset + length)
  }

  write(offset: number, bytes: Uint8Array): void {
    const change: Unsynced = { kind: "write", offset, bytes: bytes.slice() }
    this.#disk.write(() => this.#inode.do(change))
  }

  truncate(size: number): void {
    this.#disk.change(() => this.#inode.do({ kind: "truncate", size }))
  }

  /** All that the file holds is durable from here on; its name is not. */
  sync(): void {
    this.#disk.change(() => {})
    this.#inode.sync()
  }
}
