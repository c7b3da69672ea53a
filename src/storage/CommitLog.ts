/**
 * Appends groups to the log, which is two files that take turns: while one is folded, the other
 * takes what is committed. A file is written again from its start once all that it held is in the
 * tables.
 *
 * Each record names the one before it, so that a start finds where the log goes on, and where a
 * record is missing. The number of an append that failed is given to no other: a disk may have kept
 * the record all the same.
 */
import { invariant } from "../core/Invariant.ts"
import { decodeHeader, encodeHeader, headerBytes, recordBytes } from "./LogFormat.ts"
import { LogImage } from "./LogImage.ts"
import type { LogFile, LogFiles } from "./LogFile.ts"
import type { LogLimits } from "./StorageOptions.ts"

const noRecord = new Uint8Array(headerBytes)

export class CommitLog {
  readonly #files: LogFiles
  readonly #bytesMax: number
  readonly #growthBytes: number
  readonly #sizes: [number, number]
  /** Of the records that are not folded; those of the other file while it is. */
  readonly #images: readonly [LogImage, LogImage]
  /** The file that takes records. */
  #turn: 0 | 1 = 0
  /** The last number that was given, and that of the last record which is in the log. */
  #number: number
  #last: number
  /** Whether a record may lie behind the last one that no one was told of. */
  #isTainted = false

  /** `last` is above all numbers in the files that are of use no more. */
  constructor(files: LogFiles, { last, limits }: {
    readonly last: number
    readonly limits: LogLimits
  }) {
    this.#files = files
    this.#bytesMax = limits.logBytesMax
    this.#growthBytes = limits.logGrowthBytes
    this.#sizes = [files[0].size(), files[1].size()]
    const bytesMax = Math.max(0, this.#bytesMax - headerBytes)
    const growthBytes = this.#growthBytes
    this.#images = [
      new LogImage({ bytesMax, growthBytes }),
      new LogImage({ bytesMax, growthBytes })
    ]
    this.#number = last
    this.#last = last
  }

  /** Says in both files whose log it is, synced. */
  begin(storeId: string): void {
    for (const [i, file] of this.#files.entries()) {
      const isOurs = this.#sizes[i]! >= headerBytes && decodeHeader(file.read()) === storeId
      if (isOurs) continue
      file.write(0, encodeHeader(storeId))
      file.sync()
      this.#sizes[i] = Math.max(this.#sizes[i]!, headerBytes)
    }
  }

  /** The number of the last record in the log. */
  get last(): number {
    return this.#last
  }

  get bytes(): number {
    return this.#image.length + this.#frozen.length
  }

  /** The records of the file at hand. */
  get records(): Uint8Array<ArrayBuffer> {
    return this.#image.records
  }

  /** Those of the other file, which are not folded yet. */
  get frozenRecords(): Uint8Array<ArrayBuffer> {
    return this.#frozen.records
  }

  /** How much of the file at hand is used, from 0 to 1. */
  get usedShare(): number {
    return this.#at / this.#bytesMax
  }

  /** Whether an empty file has room for so much content. */
  fits(contentBytes: number): boolean {
    return headerBytes + recordBytes(contentBytes) <= this.#bytesMax
  }

  /** Whether the file at hand has. */
  hasRoom(contentBytes: number): boolean {
    return this.#at + recordBytes(contentBytes) <= this.#bytesMax
  }

  /** Has a record on disk. Throws where it may not be there: then no one may be told that it is. */
  append(groups: ReadonlyArray<Uint8Array>, contentBytes: number): void {
    const number = ++this.#number
    const record = this.#image.write({ number, previous: this.#last, groups, contentBytes })
    this.#isTainted = true
    this.#writeSynced(record)
    this.#isTainted = false
    this.#last = number
    this.#image.keep(record)
  }

  /**
   * What is in this file is folded from now on; the other file, whose records are folded, takes the
   * next ones.
   */
  freeze(): void {
    if (this.#isTainted) this.#writeSynced(noRecord)
    this.#isTainted = false
    this.#turn = this.#turn === 0 ? 1 : 0
  }

  /** The frozen file's records are folded, by a thread that gives back their memory. */
  folded(memory?: ArrayBuffer): void {
    this.#frozen.clear(memory)
  }

  /** They are not, by a thread that gives back their memory. */
  notFolded(memory: ArrayBuffer): void {
    this.#frozen.restore(memory)
  }

  /** A number above all that were given, at which all is folded. */
  nextStart(): number {
    return ++this.#number
  }

  /** All records are folded, as the tables say by this number. */
  restart(number: number): void {
    invariant(number === this.#number, "nothing is appended while all is folded")
    this.#last = number
    this.#isTainted = false
    for (const image of this.#images) image.clear()
  }

  close(): void {
    for (const file of this.#files) file.close()
  }

  get #image(): LogImage {
    return this.#images[this.#turn]
  }

  get #frozen(): LogImage {
    return this.#images[this.#turn === 0 ? 1 : 0]
  }

  /** Where the next record goes. */
  get #at(): number {
    return headerBytes + this.#image.length
  }

  get #file(): LogFile {
    return this.#files[this.#turn]
  }

  #writeSynced(bytes: Uint8Array): void {
    const end = this.#at + bytes.length
    const size = this.#sizes[this.#turn]
    const grown = end <= size
      ? size
      : Math.max(end, Math.min(this.#bytesMax, end + this.#growthBytes))
    if (grown > size) {
      const withZeros = new Uint8Array(grown - this.#at)
      withZeros.set(bytes)
      this.#file.write(this.#at, withZeros)
    } else this.#file.write(this.#at, bytes)
    this.#file.sync()
    this.#sizes[this.#turn] = grown
  }
}
