/**
 * Writes and reads frames: the envelope of everything that one node sends to another.
 *
 * The header lets a node refuse what is not for it before anything is joined: another cluster,
 * another number of partitions, another ring, an incarnation of this node that is over.
 */
import { protocolVersion } from "../../schemas/PeerMessage.ts"
import { ByteReader, ByteWriter, Malformed } from "../core/codec/Bytes.ts"

export interface FrameHeader {
  readonly cluster: string
  readonly partitionCount: number
  readonly senderIncarnation: string
  /** The incarnation of the receiver that the sender last heard of; empty if none. */
  readonly receiverIncarnation: string
  readonly ringDigest: string
  /** The sender's wall clock, in milliseconds since 1970. */
  readonly clockMillis: number
}

/** Messages, whole or a part of a run too long for one frame. */
export type FrameBody =
  | { readonly _tag: "Whole"; readonly messages: Uint8Array }
  | {
    readonly _tag: "Part"
    /** Names the run among those of this sender and receiver. */
    readonly transfer: number
    readonly index: number
    readonly count: number
    readonly bytes: Uint8Array
  }

/** More than any header and part fields take. */
export const headerBytesMax = 320

export const encode = (header: FrameHeader, body: FrameBody): Uint8Array => {
  const content = body._tag === "Whole" ? body.messages : body.bytes
  const writer = new ByteWriter(headerBytesMax + content.length)
    .byte(protocolVersion)
    .text(header.cluster)
    .varint(header.partitionCount)
    .text(header.senderIncarnation)
    .text(header.receiverIncarnation)
    .text(header.ringDigest)
    .varint(Math.max(0, Math.floor(header.clockMillis)))
  if (body._tag === "Whole") writer.byte(0)
  else writer.byte(1).varint(body.transfer).varint(body.index).varint(body.count)
  return writer.raw(content).finish()
}

/** The header and body of a frame. Throws `Malformed`. */
export const decode = (
  bytes: Uint8Array
): { readonly header: FrameHeader; readonly body: FrameBody } => {
  const reader = new ByteReader(bytes)
  if (reader.byte("a protocol version") !== protocolVersion) {
    throw new Malformed(`protocol version ${protocolVersion}`, 0)
  }
  const header: FrameHeader = {
    cluster: reader.text("a cluster's name"),
    partitionCount: reader.varint("a number of partitions"),
    senderIncarnation: reader.text("an incarnation"),
    receiverIncarnation: reader.text("an incarnation"),
    ringDigest: reader.text("a ring digest"),
    clockMillis: reader.varint("a time")
  }
  const at = reader.offset
  const kind = reader.byte("whole or part")
  if (kind === 0) return { header, body: { _tag: "Whole", messages: reader.raw(reader.remaining) } }
  if (kind !== 1) throw new Malformed("whole or part", at)
  const transfer = reader.varint("a transfer")
  const index = reader.varint("an index")
  const count = reader.varint("a count")
  if (count < 2 || index >= count) throw new Malformed("an index below its count", at)
  const part = reader.raw(reader.remaining)
  if (part.length === 0) throw new Malformed("a part of messages", reader.offset)
  return { header, body: { _tag: "Part", transfer, index, count, bytes: part } }
}
