/**
 * Writes frames of version 1, as nodes did before each message said the ring that it depends on.
 */
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import { ByteWriter } from "../../src/core/codec/Bytes.ts"
import type { FrameHeader } from "../../src/transport/Frame.ts"
import { writeMessage } from "../../src/transport/PeerMessageCodec.ts"

const digestBytes = 8

/** A message without the ring's digest, which stood behind its tag and its number. */
export const toVersion1 = (message: PeerMessage): Uint8Array => {
  const writer = new ByteWriter()
  writeMessage(writer, message, "0".repeat(2 * digestBytes))
  switch (message._tag) {
    case "Store":
    case "Fetch":
    case "FetchAfter":
    case "List":
    case "Forward": {
      const end = 1 + new ByteWriter().varint(message.request).length
      return Uint8Array.of(...writer.view(0, end), ...writer.view(end + digestBytes))
    }
    default:
      return writer.finish()
  }
}

export type PartFields = readonly [transfer: number, index: number, count: number]

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
