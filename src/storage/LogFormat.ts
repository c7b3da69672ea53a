/**
 * Encodes the log that commits append to. All numbers are little-endian, records begin at multiples
 * of 8 bytes.
 *
 * ```
 * file    = header, zeros up to byte 512, records
 * header  = "EvWrLog1", CRC-32 of the rest (4 bytes), length of the store id (1), the store id
 * record  = length of its content (4), CRC-32 of all that follows (4),
 *           its number (8), the number of the record before (8), content
 * content = groups as `WorkerProtocol` packs them, each with its length before it
 * ```
 *
 * Files are written again from their start. So what follows the last record of a file may be the
 * end of one that was cut off, or records of before: these have lower numbers.
 */
import { crc32 } from "node:zlib"
import { varintLength } from "../core/codec/EncodedLength.ts"
import { invariant } from "../core/Invariant.ts"

const magic = "EvWrLog1"

/** A sector of its own: no record's write touches it. */
export const headerBytes = 512

const fixedBytes = 24
const alignment = 8

const aligned = (offset: number): number => Math.ceil(offset / alignment) * alignment

export const encodeHeader = (storeId: string): Uint8Array => {
  const bytes = Buffer.alloc(headerBytes)
  bytes.write(magic, "latin1")
  const id = Buffer.from(storeId)
  bytes[12] = id.length
  bytes.set(id, 13)
  bytes.writeUInt32LE(crc32(bytes.subarray(12)), 8)
  return bytes
}

/** The id of the store whose log it is; undefined where it is no log, or damaged. */
export const decodeHeader = (file: Uint8Array): string | undefined => {
  if (file.length < headerBytes) return undefined
  const bytes = Buffer.from(file.buffer, file.byteOffset, headerBytes)
  if (bytes.toString("latin1", 0, 8) !== magic) return undefined
  if (bytes.readUInt32LE(8) !== crc32(bytes.subarray(12))) return undefined
  return bytes.toString("utf8", 13, 13 + bytes[12]!)
}

export interface LogRecord {
  readonly number: number
  /** The number of the record before, in whichever file. */
  readonly previous: number
  /** Groups, each with its length before it. */
  readonly content: Uint8Array
  /** Where the next one begins. */
  readonly end: number
}

/** The bytes that a record takes in its file. */
export const recordBytes = (contentBytes: number): number => aligned(fixedBytes + contentBytes)

/** The bytes that the content of a record of these groups takes. */
export const contentBytesOf = (groups: ReadonlyArray<Uint8Array>): number => {
  let bytes = 0
  for (const { length } of groups) bytes += varintLength(length) + length
  return bytes
}

/** Writes a record of these groups from the first byte on. **Requires** room for all of it. */
export const writeRecord = (
  bytes: Buffer<ArrayBuffer>,
  { groups, number, previous }: {
    readonly groups: ReadonlyArray<Uint8Array>
    readonly number: number
    readonly previous: number
  }
): void => {
  let end = fixedBytes
  for (const group of groups) {
    let rest = group.length
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[end++] = (rest % 0x80) | 0x80
    bytes[end++] = rest
    bytes.set(group, end)
    end += group.length
  }
  bytes.writeUInt32LE(end - fixedBytes, 0)
  bytes.writeDoubleLE(number, 8)
  bytes.writeDoubleLE(previous, 16)
  bytes.writeUInt32LE(crc32(bytes.subarray(8, end)), 4)
  bytes.fill(0, end, aligned(end))
}

/** The record at an offset; undefined where there is none, or not all of it. */
const recordAt = (file: Buffer, offset: number): LogRecord | undefined => {
  if (offset + fixedBytes > file.length) return undefined
  const end = offset + fixedBytes + file.readUInt32LE(offset)
  if (end > file.length) return undefined
  const number = file.readDoubleLE(offset + 8)
  const previous = file.readDoubleLE(offset + 16)
  if (!Number.isSafeInteger(number) || !(previous >= 0 && previous < number)) return undefined
  if (file.readUInt32LE(offset + 4) !== crc32(file.subarray(offset + 8, end))) return undefined
  const content = file.subarray(offset + fixedBytes, end)
  return { number, previous, content, end: aligned(end) }
}

/** The contents of records that lie one after the other in memory. */
export function* contentsOf(records: Uint8Array): Generator<Uint8Array> {
  const bytes = Buffer.from(records.buffer, records.byteOffset, records.byteLength)
  for (let at = 0; at < bytes.length;) {
    const record = recordAt(bytes, at)
    invariant(record !== undefined, "records in memory are as they were written")
    yield record.content
    at = record.end
  }
}

export interface ScannedLog {
  /** Each says that it follows the one before it. */
  readonly records: ReadonlyArray<LogRecord>
  /** Whether there are later records behind one that cannot be read. */
  readonly isDamaged: boolean
  /** The greatest number of any record, of those before too. */
  readonly greatest: number
}

/**
 * The records from the start of a file up to its end. One that was cut off has none behind it with
 * a higher number; a damaged one has. Numbers up to `folded` are of no use any more.
 */
export const scanLog = (bytes: Uint8Array, folded: number): ScannedLog => {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const records: Array<LogRecord> = []
  let at = headerBytes
  for (;;) {
    const record = recordAt(file, at)
    const last = records.at(-1)
    if (record === undefined || (last !== undefined && record.previous !== last.number)) break
    records.push(record)
    at = record.end
  }
  const last = Math.max(folded, records.at(-1)?.number ?? 0)
  let greatest = last
  for (let offset = at; offset + fixedBytes <= file.length; offset += alignment) {
    const number = file.readDoubleLE(offset + 8)
    if (number > greatest && recordAt(file, offset) !== undefined) greatest = number
  }
  return { records, isDamaged: greatest > last, greatest }
}
