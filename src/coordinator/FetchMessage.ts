/**
 * Makes the message that asks a replica for its document.
 */
import type { FetchAfter, PeerMessage } from "../../schemas/PeerMessage.ts"
import type { VersionVector } from "../core/clock/VersionVector.ts"

/** Asks for a document; with the session's history where there is one. */
export const fetchMessage = (
  { bucket, digest, fingerprint, key, request }: Omit<FetchAfter, "_tag" | "after">,
  after: VersionVector
): PeerMessage =>
  after.size === 0
    ? { _tag: "Fetch", request, bucket, fingerprint, key, digest }
    : { _tag: "FetchAfter", request, bucket, fingerprint, key, digest, after }
