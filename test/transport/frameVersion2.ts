/**
 * Writes frames of version 2, as nodes did before frames said the key and the last frame received.
 */
import { ByteWriter } from "../../src/core/codec/Bytes.ts"
import type { FrameHeader } from "../../src/transport/Frame.ts"
import type { PartFields } from "./frameVersion1.ts"

/** A frame with messages, or a part of them. */
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
