/**
 * Makes the message that asks a node whether it has done an operation, and not to do it under an
 * older mark from now on.
 */
import type { Fence } from "../../schemas/PeerMessage.ts"
import type { IdentifiedWrite } from "./ValidatedRequest.ts"

/** `mark`: the one that the node was asked to do it under; undefined where none was named. */
export const fenceMessage = (
  { bucket, id, key }: IdentifiedWrite,
  { mark, request }: Pick<Fence, "mark" | "request">
): Fence => ({
  _tag: "Fence",
  request,
  bucket: bucket.definition.name,
  fingerprint: bucket.fingerprint,
  key,
  id,
  mark
})
