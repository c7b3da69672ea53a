/**
 * Names the messages between the main thread and the storage thread, and packs a group into bytes,
 * as it also lies in the log.
 *
 * A group crosses as one packed run that is transferred. Cloning its objects would cost the main
 * thread more, and copy all of a large buffer of which a header is a small view.
 */
import { ByteReader, ByteWriter } from "../core/codec/Bytes.ts"
import { invariant } from "../core/Invariant.ts"
import type { AcceptedBatch, EncodedRow, NumberedChange } from "./AcceptedBatch.ts"
import { families, familyNumbers } from "./FamilyKey.ts"
import type { Family, LogStats, StorageFailure } from "./Storage.ts"
import type { LogLimits, MemoryLimits, ThreadLimits } from "./StorageOptions.ts"
import type { OpenedStore } from "./StoreRow.ts"
import type { WriterOptions } from "./Tables.ts"

export interface ThreadOptions extends WriterOptions {
  readonly databasePath: string
  readonly fileCheckMillis: number
  readonly limits: LogLimits & MemoryLimits
}

/** What the storage thread is started with. */
export interface ThreadData extends ThreadOptions {
  /** The file that it runs, and the thread that folds too. */
  readonly threadFile: string
}

export type ToThread =
  | {
    readonly _tag: "Commit"
    readonly id: number
    readonly attempt: number
    readonly packed: Uint8Array<ArrayBuffer>
  }
  | { readonly _tag: "Close" }

export type FromThread =
  | { readonly _tag: "Ready"; readonly store: OpenedStore }
  | {
    readonly _tag: "OpenFailed"
    readonly reason: string
    readonly remedy: string | undefined
  }
  /** Group `id` and all before it are committed; their buffers are given back. */
  | {
    readonly _tag: "Committed"
    readonly id: number
    readonly buffers: ReadonlyArray<ArrayBuffer>
    /** Whether the tables have them, and all that was committed before. */
    readonly isFolded: boolean
    readonly log: LogStats
  }
  /** What was committed so far is folded from now on. */
  | { readonly _tag: "Frozen" }
  /** What was frozen is in the tables. */
  | { readonly _tag: "Folded" }
  | { readonly _tag: "FoldFailed"; readonly failure: StorageFailure }
  /** Neither these groups nor any other of their attempt will be committed. */
  | { readonly _tag: "Failed"; readonly failure: StorageFailure }

/** Bytes that may be absent: their length plus one, or zero. */
const writeOptional = (writer: ByteWriter, bytes: Uint8Array | undefined): void => {
  if (bytes === undefined) writer.varint(0)
  else writer.varint(bytes.length + 1).raw(bytes)
}

const readOptional = (reader: ByteReader): Uint8Array | undefined => {
  const length = reader.varint()
  return length === 0 ? undefined : reader.raw(length - 1)
}

const writeChange = (writer: ByteWriter, change: NumberedChange): void => {
  const { partition, bucket, partitionKey, sortKey } = change.key
  writer.varint(partition).text(bucket).text(partitionKey).text(sortKey)
  writer.varint(change.sequence)
  writeOptional(writer, change.header)
  writer.varint(change.elementCount).varint(change.elements.length)
  for (const [path, bytes] of change.elements) writeOptional(writer.text(path), bytes)
}

const readElement = (reader: ByteReader) => [reader.text(), readOptional(reader)] as const

const readList = <A>(reader: ByteReader, read: (reader: ByteReader) => A): ReadonlyArray<A> => {
  const count = reader.count("items")
  if (count === 0) return none
  const items: Array<A> = []
  for (let i = 0; i < count; i++) items.push(read(reader))
  return items
}

const none: ReadonlyArray<never> = []

export const readChange = (reader: ByteReader): NumberedChange => {
  const key = {
    partition: reader.varint(),
    bucket: reader.text(),
    partitionKey: reader.text(),
    sortKey: reader.text()
  }
  const sequence = reader.varint()
  const header = readOptional(reader)
  const elementCount = reader.varint()
  const elements = readList(reader, readElement)
  return { key, header, elements, elementCount, sequence }
}

const writeRow = (writer: ByteWriter, { bytes, family, key }: EncodedRow): void =>
  writeOptional(writer.varint(familyNumbers[family]).latin1(key), bytes)

const readFamily = (reader: ByteReader): Family => {
  const number = reader.varint()
  const family = families.find((name) => familyNumbers[name] === number)
  invariant(family !== undefined, "this process names the families of its rows")
  return family
}

export const readRow = (reader: ByteReader): EncodedRow => {
  const family = readFamily(reader)
  return { family, key: reader.ascii(reader.count("a key")), bytes: readOptional(reader) }
}

/** Told of the places of changes and rows, from which they can be read. */
export interface Located {
  readonly change: (partition: number, offset: number) => void
  /** With the first two bytes of the key, the first one above the second, or zeros. */
  readonly row: (family: Family, beginning: number, offset: number) => void
}

const skipOptional = (reader: ByteReader): void => {
  const length = reader.varint()
  if (length > 0) reader.skip(length - 1)
}

const locateChange = (reader: ByteReader, { change }: Located): void => {
  const { offset } = reader
  change(reader.varint(), offset)
  for (let field = 0; field < 3; field++) reader.skip(reader.varint())
  reader.varint()
  skipOptional(reader)
  reader.varint()
  for (let rest = reader.varint(); rest > 0; rest--) {
    reader.skip(reader.varint())
    skipOptional(reader)
  }
}

const locateRow = (reader: ByteReader, { row }: Located): void => {
  const { offset } = reader
  const family = readFamily(reader)
  const length = reader.varint()
  const first = length > 0 ? reader.byte() : 0
  const second = length > 1 ? reader.byte() : 0
  row(family, first * 256 + second, offset)
  reader.skip(Math.max(0, length - 2))
  skipOptional(reader)
}

const locateGroup = (reader: ByteReader, located: Located): void => {
  for (let batches = reader.varint(); batches > 0; batches--) {
    for (let changes = reader.varint(); changes > 0; changes--) locateChange(reader, located)
    for (let rows = reader.varint(); rows > 0; rows--) locateRow(reader, located)
  }
}

/** Finds all changes and rows of the content of a record, which is groups with their lengths. */
export const locate = (content: Uint8Array, located: Located): void => {
  const reader = new ByteReader(content)
  while (reader.remaining > 0) {
    reader.varint()
    locateGroup(reader, located)
  }
}

/** How many changes of documents a packed group has. Throws where a start could not read it. */
export const countChanges = (packed: Uint8Array): number => {
  const reader = new ByteReader(packed)
  let changes = 0
  locateGroup(reader, { change: () => void changes++, row: () => {} })
  reader.end()
  return changes
}

/** About what `bytes` of rows take, so that a buffer of this size is not outgrown. */
const roomFor = (bytes: number): number => bytes + 64

type BufferLimits = Pick<ThreadLimits, "groupBufferBytes" | "groupsInFlightMax">

/** Buffers to pack groups into, all of one size, which the storage thread gives back. */
export class GroupBuffers {
  readonly #limits: BufferLimits
  readonly #spare: Array<ArrayBuffer> = []

  constructor(limits: BufferLimits) {
    this.#limits = limits
  }

  /** A buffer for about `bytes`. */
  take(bytes: number): ArrayBuffer {
    const { groupBufferBytes } = this.#limits
    const room = roomFor(bytes)
    return room > groupBufferBytes
      ? new ArrayBuffer(room)
      : this.#spare.pop() ?? new ArrayBuffer(groupBufferBytes)
  }

  /** Keeps as many as can be under way. Buffers of another size are forgotten. */
  giveBack(buffers: ReadonlyArray<ArrayBuffer>): void {
    const { groupBufferBytes, groupsInFlightMax } = this.#limits
    for (const buffer of buffers) {
      const isKept = buffer.byteLength === groupBufferBytes
        && this.#spare.length < groupsInFlightMax
      if (isKept) this.#spare.push(buffer)
    }
  }
}

/** Takes about `bytes`; writes them into `buffer` where they fit. */
export const pack = (
  batches: ReadonlyArray<AcceptedBatch>,
  bytes = 1024,
  buffer = new ArrayBuffer(roomFor(bytes))
): Uint8Array<ArrayBuffer> => {
  const writer = new ByteWriter(new Uint8Array(buffer))
  writer.varint(batches.length)
  for (const { documents, rows } of batches) {
    writer.varint(documents.length)
    for (const change of documents) writeChange(writer, change)
    writer.varint(rows.length)
    for (const row of rows) writeRow(writer, row)
  }
  return writer.take()
}

const readBatch = (reader: ByteReader): AcceptedBatch => ({
  documents: readList(reader, readChange),
  rows: readList(reader, readRow)
})

/** Views on `packed`. */
export const unpack = (packed: Uint8Array): ReadonlyArray<AcceptedBatch> => {
  const reader = new ByteReader(packed)
  const batches = readList(reader, readBatch)
  reader.end()
  return batches
}
