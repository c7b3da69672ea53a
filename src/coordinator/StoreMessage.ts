/**
 * Makes the message that gives a replica a document.
 */
import type { Store } from "../../schemas/PeerMessage.ts"
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

/** A document that a replica lacks, and need not acknowledge. */
export const repairMessage = (
  named: Pick<ValidatedRequest, "bucket" | "key">,
  document: Uint8Array
): Store => storeMessage(named, { request: 0, sync: false, document })
