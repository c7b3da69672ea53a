/**
 * Writes and reads frames: the envelope of everything that one node sends to another.
 *
 * ```
 * frame 3 = 3, cluster, Q, id of the sender's key (8 bytes) or zeros, sender's incarnation,
 *           receiver's incarnation or "", sender's clock (ms), the clock in the receiver's last
 *           frame (ms) or 0, time since that frame came (ms), sender's
 *           store and its durable changes, or twice 0, then one of
 *             0 and messages
 *             1, transfer, index, count and a part of a run of messages
 *             2, transfer, count and a bit for each part of that run: 1 where it is missing
 *             3 or 4, nonce, incarnation of the start, store id, 1 where the cluster's
 *             certificate names that store, else 0: a probe, or the answer to one
 * frame 2 = the same after a 2, without the key's id, the receiver's last frame and the
 *           sender's store, with 0 or 1
 * frame 1 = as frame 2 after a 1, with the ring's digest before the clock
 * ```
 *
 * Version 3 is written, and all are read. The header lets a node refuse frames that are not for
 * it before anything is joined: of another cluster, of another number of partitions, sealed under
 * another key, or for an incarnation of this node that is over.
 */
import { ByteReader, ByteWriter, Malformed } from "../core/codec/Bytes.ts"
import type { MessageFormat } from "./PeerMessageCodec.ts"

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
  /** Sixteen hexadecimal digits that name the sender's key; undefined where it is not told. */
  readonly keyId?: string | undefined
  readonly senderIncarnation: string
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
  /** How the messages in the body are written. */
  readonly format: MessageFormat
}

export const frameVersion = 3

/** More than any header and part fields take. */
export const headerBytesMax = 320

const keyIdBytes = 8
const keyIdUntold = "0".repeat(2 * keyIdBytes)

/** Writes all that stands before the content of a frame of messages: whole without `part`. */
export const writeHeader = (writer: ByteWriter, header: FrameHeader, part?: PartHeader): void => {
  writeEnvelope(writer, header)
  if (part === undefined) writer.byte(0)
  else writer.byte(1).varint(part.transfer).varint(part.index).varint(part.count)
}

const writeEnvelope = (writer: ByteWriter, header: FrameHeader): ByteWriter =>
  writer
    .byte(frameVersion)
    .text(header.cluster)
    .varint(header.partitionCount)
    .hex(header.keyId ?? keyIdUntold)
    .text(header.senderIncarnation)
    .text(header.receiverIncarnation)
    .varint(Math.max(0, Math.floor(header.clockMillis)))
    .varint(Math.max(0, Math.floor(header.receiverClockMillis ?? 0)))
    .varint(Math.max(0, Math.floor(header.heldMillis ?? 0)))
    .varint(toldBy(header).store)
    .varint(toldBy(header).changes)

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

const readHeader = (
  reader: ByteReader
): Pick<Frame, "header" | "format"> => {
  const version = reader.byte("a frame's version")
  if (version !== 1 && version !== 2 && version !== 3) {
    throw new Malformed("a frame of version 1, 2 or 3", 0)
  }
  const cluster = reader.text("a cluster's name")
  const partitionCount = reader.varint("a number of partitions")
  const keyId = version === 3 ? reader.hex(keyIdBytes, "a key's id") : keyIdUntold
  const senderIncarnation = reader.text("an incarnation")
  const receiverIncarnation = reader.text("an incarnation")
  const format: MessageFormat = version === 1
    ? { version, ringDigest: reader.text("a ring's digest") }
    : { version }
  const clockMillis = reader.varint("a time")
  const receiverClockMillis = version === 3 ? reader.varint("a time") : 0
  const heldMillis = version === 3 ? reader.varint("a time") : 0
  const position = version === 3 ? readPosition(reader) : noPosition
  const header: FrameHeader = {
    cluster,
    partitionCount,
    senderIncarnation,
    receiverIncarnation,
    clockMillis,
    ...keyId === keyIdUntold ? {} : { keyId },
    ...receiverClockMillis === 0 ? {} : { receiverClockMillis },
    ...heldMillis === 0 ? {} : { heldMillis },
    ...position.changes === 0 ? {} : { position }
  }
  return { header, format }
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
  if (changes === 0 && store !== 0) throw new Malformed("a store with changes", at)
  return { store, changes }
}

/** The parts of a frame; its byte fields are views of `bytes`. Throws `Malformed`. */
export const decode = (bytes: Uint8Array): Frame => {
  const reader = new ByteReader(bytes)
  const { format, header } = readHeader(reader)
  return { header, body: readBody(reader, format), format }
}

const readBody = (reader: ByteReader, { version }: MessageFormat): FrameBody => {
  const at = reader.offset
  const kind = reader.byte("the kind of a frame")
  switch (kind) {
    case 0:
      return { _tag: "Whole", messages: reader.raw(reader.remaining) }
    case 1:
      return readPart(reader, at)
  }
  if (version < 3) throw new Malformed("whole or part", at)
  switch (kind) {
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
  const nonce = reader.text("a nonce")
  const startedAs = reader.text("an incarnation")
  const storeId = reader.text("a store's id")
  const at = reader.offset
  const named = reader.byte("a flag")
  if (named > 1) throw new Malformed("a flag", at)
  reader.end()
  return { nonce, startedAs, storeId, isNamed: named === 1 }
}
