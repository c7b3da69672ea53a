/**
 * Makes the messages that give a replica a document, or changes of it.
 */
import type { Store, StoreDelta } from "../../schemas/PeerMessage.ts"
import type { ValidatedRequest } from "./ValidatedRequest.ts"

/** A document in bytes; request 0 asks for no answer. */
export const storeMessage = (
  { bucket, key }: Pick<ValidatedRequest, "bucket" | "key">,
  stored: Pick<Store, "document" | "operation" | "request" | "sync">
): Store => ({
  _tag: "Store",
  bucket: bucket.definition.name,
  fingerprint: bucket.fingerprint,
  key,
  ...stored
})

/** Changes of a document in bytes. */
export const deltaMessage = (
  { bucket, key }: Pick<ValidatedRequest, "bucket" | "key">,
  stored: Pick<StoreDelta, "edits" | "operation" | "request" | "sync">
): StoreDelta => ({
  _tag: "StoreDelta",
  bucket: bucket.definition.name,
  fingerprint: bucket.fingerprint,
  key,
  ...stored
})

/** A document that a replica lacks, and need not acknowledge. */
export const repairMessage = (
  named: Pick<ValidatedRequest, "bucket" | "key">,
  document: Uint8Array
): Store => storeMessage(named, { request: 0, sync: false, document })
