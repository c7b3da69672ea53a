/**
 * Writes frames of versions 1 and 2, as nodes did before each message said the ring that it depends
 * on, and before replicas said whether they are complete.
 */
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import { ByteWriter } from "../../src/core/codec/Bytes.ts"
import type { FrameHeader } from "../../src/transport/Frame.ts"
import { writeMessage } from "../../src/transport/PeerMessageCodec.ts"

const digestBytes = 8

/** A message without its last byte where that says whether the replica is complete. */
export const toVersion2 = (message: PeerMessage, ring = "0".repeat(2 * digestBytes)) => {
  const writer = new ByteWriter()
  writeMessage(writer, message, ring)
  const bytes = writer.finish()
  const { _tag } = message
  const says = _tag === "Stored" || _tag === "Fetched" || _tag === "Listed"
  return says ? bytes.slice(0, -1) : bytes
}

/** A message of version 2 without the ring's digest, behind its tag and its number. */
export const toVersion1 = (message: PeerMessage): Uint8Array => {
  const bytes = toVersion2(message)
  switch (message._tag) {
    case "Store":
    case "Fetch":
    case "FetchAfter":
    case "List":
    case "Forward": {
      const end = 1 + new ByteWriter().varint(message.request).length
      return Uint8Array.of(...bytes.slice(0, end), ...bytes.slice(end + digestBytes))
    }
    default:
      return bytes
  }
}

export type PartFields = readonly [transfer: number, index: number, count: number]

/** As readers of versions 1 and 2 have it: no replica says that it is complete. */
export const beforeVersion3 = (message: PeerMessage): PeerMessage =>
  "completeness" in message ? { ...message, completeness: "incomplete" } : message

/** A frame with messages of version 2, or a part of them. */
export const frameOfVersion2 = (
  header: FrameHeader,
  content: Uint8Array,
  part?: PartFields
): Uint8Array => {
  const writer = new ByteWriter()
    .byte(2)
    .text(header.cluster)
    .varint(header.partitionCount)
    .text(header.senderIncarnation)
    .text(header.receiverIncarnation)
    .varint(header.clockMillis)
    .byte(part === undefined ? 0 : 1)
  for (const field of part ?? []) writer.varint(field)
  return writer.raw(content).finish()
}

/** A frame with messages of version 1, or a part of them. */
export const frameOfVersion1 = (
  header: FrameHeader & { readonly ringDigest: string },
  content: Uint8Array,
  part?: PartFields
): Uint8Array => {
  const writer = new ByteWriter()
    .byte(1)
    .text(header.cluster)
    .varint(header.partitionCount)
    .text(header.senderIncarnation)
    .text(header.receiverIncarnation)
    .text(header.ringDigest)
    .varint(header.clockMillis)
    .byte(part === undefined ? 0 : 1)
  for (const field of part ?? []) writer.varint(field)
  return writer.raw(content).finish()
}
