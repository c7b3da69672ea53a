/**
 * Makes the message that asks a node whether it has done an operation, and not to do it under an
 * older mark from now on.
 */
import type { Fence } from "../../schemas/PeerMessage.ts"
import { documentOf } from "../replica/LocalDocument.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import type { IdentifiedWrite } from "./ValidatedRequest.ts"

/** `mark`: the one that the node was asked to do it under; undefined where none was named. */
export const fenceMessage = (
  { replica }: Pick<CoordinatorContext, "replica">,
  { bucket, id, key, row }: IdentifiedWrite,
  { mark, request }: Pick<Fence, "mark" | "request">
): Fence => {
  const document = documentOf(replica.read(row))
  return {
    _tag: "Fence",
    request,
    bucket: bucket.definition.name,
    fingerprint: bucket.fingerprint,
    key,
    id,
    mark,
    ...replica.edits.isAskedSince(document) ? { since: document.context } : {}
  }
}
