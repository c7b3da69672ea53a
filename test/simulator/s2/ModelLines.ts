/**
 * Writes the content of a model as the lines that a real database is compared by.
 */
import { textOf } from "../../../src/core/model/RowKey.ts"
import type { ReadResult } from "../../../src/storage/Storage.ts"
import { type Image, readDocument } from "../../../src/testing/simulator/DiskImage.ts"
import type { Lines } from "./Contents.ts"

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

export const inHex = (result: ReadResult): string => {
  if (result._tag !== "Found") return result._tag
  const { elements, header, sequence } = result.document
  return [
    sequence,
    hex(header),
    ...[...elements].map(([path, bytes]) => `${path}=${hex(bytes)}`).sort()
  ]
    .join(" ")
}

/** Of a model. */
export const linesOf = ({ documents, rows }: Image): Lines => {
  const lines = new Map<string, string>()
  for (const document of documents.values()) {
    lines.set(textOf(document.key), inHex(readDocument(document)))
  }
  for (const [name, { bytes }] of rows) lines.set(name, Buffer.from(bytes ?? []).toString())
  return lines
}
