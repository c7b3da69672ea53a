/**
 * Makes the messages that give a replica a document, or changes of it.
 */
import type { DocumentName, Store, StoreDelta } from "../../schemas/PeerMessage.ts"
import type { ValidatedRequest } from "./ValidatedRequest.ts"

type Named = Pick<ValidatedRequest, "bucket" | "key">

const nameOf = ({ bucket, key }: Named): DocumentName => ({
  bucket: bucket.definition.name,
  fingerprint: bucket.fingerprint,
  key
})

/** A document in bytes; request 0 asks for no answer. */
export const storeMessage = (
  { bucket, key }: Named,
  { document, operation, request, sync }: Pick<Store, "document" | "operation" | "request" | "sync">
): Store => ({
  _tag: "Store",
  request,
  bucket: bucket.definition.name,
  fingerprint: bucket.fingerprint,
  key,
  sync,
  document,
  operation
})

/** Changes of a document in bytes. */
export const deltaMessage = (
  named: Named,
  stored: Pick<StoreDelta, "edits" | "operation" | "request" | "sync">
): StoreDelta => ({ _tag: "StoreDelta", ...nameOf(named), ...stored })

/** A document that a replica lacks, and need not acknowledge. */
export const repairMessage = (
  named: Named,
  document: Uint8Array
): Store => storeMessage(named, { request: 0, sync: false, document })
