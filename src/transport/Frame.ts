/**
 * Writes and reads frames: the envelope of everything that one node sends to another.
 *
 * ```
 * frame 3 = 3, cluster, Q, sender's incarnation, receiver's incarnation or "",
 *           sender's clock (ms), sender's store, its durable changes, then either 0 and messages
 *           or 1, transfer, index, count and a part of a run of messages
 * frame 2 = the same after a 2, without store and changes
 * frame 1 = the same as 2 after a 1, with the ring's digest before the clock
 * ```
 *
 * Version 3 is written, and all are read. The header lets a node refuse frames that are not for
 * it before anything is joined: of another cluster, of another number of partitions, or for an
 * incarnation of this node that is over.
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
  readonly senderIncarnation: string
  /** The incarnation of the receiver in its last frame to the sender; empty if none. */
  readonly receiverIncarnation: string
  /** The sender's wall clock, in milliseconds since 1970. */
  readonly clockMillis: number
  readonly position: Position
}

/** Where a part belongs in its run of messages. */
export interface PartHeader {
  /** Names the run among those of this sender and receiver. */
  readonly transfer: number
  readonly index: number
  readonly count: number
}

/** Messages, whole or a part of a run too long for one frame. */
export type FrameBody =
  | { readonly _tag: "Whole"; readonly messages: Uint8Array }
  | { readonly _tag: "Part"; readonly bytes: Uint8Array } & PartHeader

export interface Frame {
  readonly header: FrameHeader
  readonly body: FrameBody
  /** How the messages in the body are written. */
  readonly format: MessageFormat
}

export const frameVersion = 3

/** More than any header and part fields take. */
export const headerBytesMax = 320

/** Writes all that stands before the content of a frame: of a whole one without `part`. */
export const writeHeader = (writer: ByteWriter, header: FrameHeader, part?: PartHeader): void => {
  writer
    .byte(frameVersion)
    .text(header.cluster)
    .varint(header.partitionCount)
    .text(header.senderIncarnation)
    .text(header.receiverIncarnation)
    .varint(Math.max(0, Math.floor(header.clockMillis)))
    .varint(header.position.store)
    .varint(header.position.changes)
  if (part === undefined) writer.byte(0)
  else writer.byte(1).varint(part.transfer).varint(part.index).varint(part.count)
}

/** A frame in bytes of its own. */
export const encode = (header: FrameHeader, body: FrameBody): Uint8Array => {
  const content = body._tag === "Whole" ? body.messages : body.bytes
  const writer = new ByteWriter(headerBytesMax + content.length)
  writeHeader(writer, header, body._tag === "Part" ? body : undefined)
  return writer.raw(content).view()
}

/** The parts of a frame; its byte fields are views of `bytes`. Throws `Malformed`. */
export const decode = (bytes: Uint8Array): Frame => {
  const reader = new ByteReader(bytes)
  const version = reader.byte("a frame's version")
  if (version !== 1 && version !== 2 && version !== 3) {
    throw new Malformed("a frame of version 1 to 3", 0)
  }
  const cluster = reader.text("a cluster's name")
  const partitionCount = reader.varint("a number of partitions")
  const senderIncarnation = reader.text("an incarnation")
  const receiverIncarnation = reader.text("an incarnation")
  const format: MessageFormat = version === 1
    ? { version, ringDigest: reader.text("a ring's digest") }
    : { version }
  const clockMillis = reader.varint("a time")
  const position = version === 3 ? readPosition(reader) : noPosition
  return {
    header: {
      cluster,
      partitionCount,
      senderIncarnation,
      receiverIncarnation,
      clockMillis,
      position
    },
    body: readBody(reader),
    format
  }
}

/** Of a sender that tells nothing. */
export const noPosition: Position = { store: 0, changes: 0 }

const readPosition = (reader: ByteReader): Position => {
  const store = reader.varint("a store")
  return { store, changes: reader.varint("a number of changes") }
}

const readBody = (reader: ByteReader): FrameBody => {
  const at = reader.offset
  const kind = reader.byte("whole or part")
  if (kind === 0) return { _tag: "Whole", messages: reader.raw(reader.remaining) }
  if (kind !== 1) throw new Malformed("whole or part", at)
  const transfer = reader.varint("a transfer")
  const index = reader.varint("an index")
  const count = reader.varint("a count")
  if (count < 2 || index >= count) throw new Malformed("an index below its count", at)
  const bytes = reader.raw(reader.remaining)
  if (bytes.length === 0) throw new Malformed("a part of messages", reader.offset)
  return { _tag: "Part", transfer, index, count, bytes }
}
