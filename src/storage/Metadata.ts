/**
 * Reads and writes text in rows of node metadata.
 */
import type { Batch, StorageService } from "./Storage.ts"

export const metadataBatch = (name: string, text: string): Batch => ({
  documents: [],
  rows: [{ family: "metadata", key: [name], bytes: Buffer.from(text) }]
})

/** Undefined where there is none; a damaged row counts as missing. */
export const readMetadata = (
  storage: Pick<StorageService, "readRow">,
  name: string
): string | undefined => {
  const result = storage.readRow("metadata", [name])
  return result._tag === "Found" ? Buffer.from(result.bytes).toString() : undefined
}
