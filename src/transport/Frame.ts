/**
 * Writes and reads frames: the envelope of everything that one node sends to another.
 *
 * ```
 * frame 4 = 4, MAC (16 bytes), id of the sender's key (8 bytes), sender's incarnation (15
 *           characters), number of the frame (6 bytes), cluster, Q, receiver's incarnation or "",
 *           sender's clock (ms), the clock in the receiver's last frame (ms) or 0, time since that
 *           frame came (ms), sender's store and its durable changes, or twice 0, then one of
 *             0 and messages
 *             1, transfer, index, count and a part of a run of messages
 *             2, transfer, count and a bit for each part of that run: 1 where it is missing
 *             3 or 4, nonce, incarnation of the start, store id, 1 where the cluster's
 *             certificate names that store, else 0: a probe, or the answer to one
 * ```
 *
 * MAC and key are written and checked by `FrameSeal`; they stand at fixed places, as do incarnation
 * and number, so that a receiver proves a frame and knows a repeat before it decodes anything.
 * Versions 1 to 3 had no MAC. They are refused, since nothing of them can be believed.
 */
import { ByteReader, ByteWriter, Malformed } from "../core/codec/Bytes.ts"
import { invariant } from "../core/Invariant.ts"

/** How many changes are durable at the sender; others remember it, to tell it what it lost. */
export interface Position {
  /** Tells the sender's stores apart: 32 bits of a hash of the id. */
  readonly store: number
  /** 0 tells nothing. */
  readonly changes: number
}

export interface FrameHeader {
  readonly cluster: string
  readonly partitionCount: number
  readonly senderIncarnation: string
  /** Grows from one frame of the incarnation to the next one for the same receiver. */
  readonly number: number
  /** The incarnation of the receiver in its last frame to the sender; empty if none. */
  readonly receiverIncarnation: string
  /** The sender's wall clock, in milliseconds since 1970. */
  readonly clockMillis: number
  /** The clock in the receiver's last frame to the sender; undefined if none came. */
  readonly receiverClockMillis?: number | undefined
  /** For how long the sender has had that frame. */
  readonly heldMillis?: number | undefined
  /** How many changes are durable at the sender; undefined where it does not tell. */
  readonly position?: Position | undefined
}

/** Where a part belongs in its run of messages. */
export interface PartHeader {
  /** Names the run among those of this sender and receiver. */
  readonly transfer: number
  readonly index: number
  readonly count: number
}

/** The parts of a run that did not come, for its sender to send again. */
export interface MissingParts {
  readonly transfer: number
  readonly count: number
  /** A bit for each part, the lowest of the first byte first. */
  readonly missing: Uint8Array
}

/** A process that says who it is to the processes under its own node id. */
export interface Identity {
  /** Of the probe: an answer repeats it. */
  readonly nonce: string
  /** The first incarnation of the process. */
  readonly startedAs: string
  readonly storeId: string
  /** Whether the cluster's certificate names the store, as far as the process knows. */
  readonly isNamed: boolean
}

/** Messages, whole or a part of a run too long for one frame, or a word of the link itself. */
export type FrameBody =
  | { readonly _tag: "Whole"; readonly messages: Uint8Array }
  | { readonly _tag: "Part"; readonly bytes: Uint8Array } & PartHeader
  | { readonly _tag: "Missing" } & MissingParts
  | { readonly _tag: "Probe" | "ProbeAnswer" } & Identity

export interface Frame {
  readonly header: FrameHeader
  readonly body: FrameBody
}

export const frameVersion = 4

/** More than any header and part fields take. */
export const headerBytesMax = 320

const macBytes = 16
const keyIdBytes = 8
const incarnationLength = 15
const numberBytes = 6

/** Where the fields of fixed length begin and end. */
export const layout = {
  mac: 1,
  keyId: 1 + macBytes,
  incarnation: 1 + macBytes + keyIdBytes,
  number: 1 + macBytes + keyIdBytes + incarnationLength,
  end: 1 + macBytes + keyIdBytes + incarnationLength + numberBytes
} as const

const incarnationPattern = /^[0-9a-z]{15}$/u
const clusterPattern = /^[a-z0-9][a-z0-9_-]{0,63}$/u
const idPattern = /^[0-9a-z]{1,64}$/u
const storeMax = 2 ** 32 - 1
const halfNumber = 2 ** 24

/** Whether bytes of any origin are long enough to be told apart as a frame. */
export const isLongEnough = (bytes: Uint8Array): boolean => bytes.length > layout.end

/** The number in such bytes. */
export const numberIn = (bytes: Uint8Array): number => {
  let number = 0
  for (let i = layout.number; i < layout.end; i++) number = number * 256 + bytes[i]!
  return number
}

/** Whether such bytes name this incarnation as their sender's. */
export const isOfIncarnation = (bytes: Uint8Array, incarnation: string): boolean => {
  for (let i = 0; i < incarnationLength; i++) {
    if (bytes[layout.incarnation + i] !== incarnation.charCodeAt(i)) return false
  }
  return true
}

/** Writes all that stands before the content of a frame of messages: whole without `part`. */
export const writeHeader = (writer: ByteWriter, header: FrameHeader, part?: PartHeader): void => {
  writeEnvelope(writer, header)
  if (part === undefined) writer.byte(0)
  else writer.byte(1).varint(part.transfer).varint(part.index).varint(part.count)
}

/** Leaves zeros for MAC and key. */
const writeEnvelope = (writer: ByteWriter, header: FrameHeader): ByteWriter => {
  const { number, senderIncarnation } = header
  invariant(senderIncarnation.length === incarnationLength, "a frame names its incarnation")
  writer.byte(frameVersion).raw(unsealed)
  for (let i = 0; i < incarnationLength; i++) writer.byte(senderIncarnation.charCodeAt(i))
  writeHalf(writer, Math.floor(number / halfNumber))
  writeHalf(writer, number % halfNumber)
  return writer
    .text(header.cluster)
    .varint(header.partitionCount)
    .text(header.receiverIncarnation)
    .varint(Math.max(0, Math.floor(header.clockMillis)))
    .varint(Math.max(0, Math.floor(header.receiverClockMillis ?? 0)))
    .varint(Math.max(0, Math.floor(header.heldMillis ?? 0)))
    .varint(toldBy(header).store)
    .varint(toldBy(header).changes)
}

const unsealed = new Uint8Array(macBytes + keyIdBytes)

const writeHalf = (writer: ByteWriter, half: number): void =>
  void writer.byte(half >>> 16).byte((half >>> 8) & 0xff).byte(half & 0xff)

/** A frame in bytes of its own. */
export const encode = (header: FrameHeader, body: FrameBody): Uint8Array => {
  switch (body._tag) {
    case "Whole":
    case "Part": {
      const content = body._tag === "Whole" ? body.messages : body.bytes
      const writer = new ByteWriter(headerBytesMax + content.length)
      writeHeader(writer, header, body._tag === "Part" ? body : undefined)
      return writer.raw(content).view()
    }
    case "Missing": {
      const { count, missing, transfer } = body
      return writeEnvelope(new ByteWriter(headerBytesMax + missing.length), header)
        .byte(2).varint(transfer).varint(count).raw(missing).view()
    }
    case "Probe":
    case "ProbeAnswer":
      return writeEnvelope(new ByteWriter(headerBytesMax), header)
        .byte(body._tag === "Probe" ? 3 : 4)
        .text(body.nonce).text(body.startedAs).text(body.storeId)
        .byte(body.isNamed ? 1 : 0).view()
  }
}

const readMatching = (reader: ByteReader, pattern: RegExp, expected: string): string => {
  const at = reader.offset
  const text = reader.text(expected)
  if (!pattern.test(text)) throw new Malformed(expected, at)
  return text
}

const readSenderIncarnation = (reader: ByteReader): string => {
  const at = reader.offset
  const incarnation = reader.ascii(incarnationLength, "an incarnation")
  if (!incarnationPattern.test(incarnation)) throw new Malformed("an incarnation", at)
  return incarnation
}

const readReceiverIncarnation = (reader: ByteReader): string => {
  const at = reader.offset
  const incarnation = reader.text("an incarnation")
  const isOne = incarnation === "" || incarnationPattern.test(incarnation)
  if (!isOne) throw new Malformed("an incarnation or none", at)
  return incarnation
}

const readHeader = (reader: ByteReader, bytes: Uint8Array): FrameHeader => {
  const version = reader.byte("a frame's version")
  if (version !== frameVersion) throw new Malformed(`a frame of version ${frameVersion}`, 0)
  reader.raw(macBytes + keyIdBytes, "a MAC and a key's id")
  const senderIncarnation = readSenderIncarnation(reader)
  reader.raw(numberBytes, "the number of a frame")
  const cluster = readMatching(reader, clusterPattern, "a cluster's name")
  const partitionCount = reader.varint("a number of partitions")
  const receiverIncarnation = readReceiverIncarnation(reader)
  const clockMillis = reader.varint("a time")
  const receiverClockMillis = reader.varint("a time")
  const heldMillis = reader.varint("a time")
  const told = readPosition(reader)
  return {
    cluster,
    partitionCount,
    senderIncarnation,
    number: numberIn(bytes),
    receiverIncarnation,
    clockMillis,
    receiverClockMillis: receiverClockMillis === 0 ? undefined : receiverClockMillis,
    heldMillis: heldMillis === 0 ? undefined : heldMillis,
    position: told.changes === 0 ? undefined : told
  }
}

/** Of a sender that tells nothing. */
export const noPosition: Position = { store: 0, changes: 0 }

/** A sender without durable changes tells nothing. */
const toldBy = ({ position }: FrameHeader): Position =>
  position === undefined || position.changes === 0 ? noPosition : position

/** One that tells nothing names no store. */
const readPosition = (reader: ByteReader): Position => {
  const at = reader.offset
  const store = reader.varint("a store")
  const changes = reader.varint("a number of changes")
  if (store > storeMax || (changes === 0 && store !== 0)) {
    throw new Malformed("a store with changes", at)
  }
  return { store, changes }
}

/**
 * The parts of a frame; its byte fields are views of `bytes`. Throws `Malformed`.
 *
 * **Requires** that `FrameSeal` has proved the frame where anything is done for its sake.
 */
export const decode = (bytes: Uint8Array): Frame => {
  const reader = new ByteReader(bytes)
  const header = readHeader(reader, bytes)
  return { header, body: readBody(reader) }
}

const readBody = (reader: ByteReader): FrameBody => {
  const at = reader.offset
  switch (reader.byte("the kind of a frame")) {
    case 0:
      return { _tag: "Whole", messages: reader.raw(reader.remaining) }
    case 1:
      return readPart(reader, at)
    case 2:
      return readMissing(reader, at)
    case 3:
      return { _tag: "Probe", ...readIdentity(reader) }
    case 4:
      return { _tag: "ProbeAnswer", ...readIdentity(reader) }
    default:
      throw new Malformed("the kind of a frame", at)
  }
}

const readPart = (reader: ByteReader, at: number): FrameBody => {
  const transfer = reader.varint("a transfer")
  const index = reader.varint("an index")
  const count = reader.varint("a count")
  if (count < 2 || index >= count) throw new Malformed("an index below its count", at)
  const bytes = reader.raw(reader.remaining)
  if (bytes.length === 0) throw new Malformed("a part of messages", reader.offset)
  return { _tag: "Part", transfer, index, count, bytes }
}

const readMissing = (reader: ByteReader, at: number): FrameBody => {
  const transfer = reader.varint("a transfer")
  const count = reader.varint("a count")
  if (count < 2 || reader.remaining !== Math.ceil(count / 8)) {
    throw new Malformed("a bit for each part", at)
  }
  return { _tag: "Missing", transfer, count, missing: reader.raw(reader.remaining) }
}

const readIdentity = (reader: ByteReader): Identity => {
  const nonce = readMatching(reader, idPattern, "a nonce")
  const startedAs = readMatching(reader, incarnationPattern, "an incarnation")
  const storeId = readMatching(reader, idPattern, "a store's id")
  const at = reader.offset
  const named = reader.byte("a flag")
  if (named > 1) throw new Malformed("a flag", at)
  reader.end()
  return { nonce, startedAs, storeId, isNamed: named === 1 }
}
